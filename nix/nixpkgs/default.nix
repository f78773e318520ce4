# The other substrate: real nixpkgs behind the interface that ../default.nix
# needs (../debian has the same one).
#
#   nixpkgs           the tree of nixpkgs, pinned by flake.lock
#   sourceDateEpoch   seconds; the time of everything built
#   python            series, e.g. "3.13"
#   glibc             the oldest C library that the locked wheels may meet
#   packages          what nixpkgs.nix holds: name -> { attribute; requestedBy; at; }
{ system ? "x86_64-linux", sourceDateEpoch ? 1, nixpkgs, python, glibc, packages }:
let
  # `config` and `overlays` given, so that no file of the user takes part.
  tree = import nixpkgs { inherit system; config = { }; overlays = [ ]; };
  find = import ./find.nix { inherit tree; };

  own = attribute: find { inherit attribute; name = attribute; requestedBy = [ ]; at = [ ]; };
  interpreter = own "python${builtins.replaceStrings [ "." ] [ "" ] python}";
  compiler = own "stdenv.cc.cc.lib";

  # What ../debian/run-python.nix asks of a seed and of an interpreter.
  seed.applets = own "coreutils";
  runPython = import ../debian/run-python.nix { inherit system seed sourceDateEpoch; } {
    loader = "${interpreter}/bin/python${python}";
    arguments = [ ];
  };
in
assert builtins.compareVersions (builtins.head (builtins.split "-" (own "glibc").version)) glibc >= 0
  || throw "this nixpkgs has glibc ${(own "glibc").version}; the wheels of python ${python} are chosen for ${glibc} or newer: pin a newer revision";
{
  inherit system sourceDateEpoch;
  created = import ../debian/iso-time.nix sourceDateEpoch;
  fetchurl = import ../debian/fetchurl.nix;
  inherit (tree) runCommand;

  python = {
    version = python;
    program = "${interpreter}/bin/python${python}";
    # It starts by itself.
    loader = null;
    libraries = [ ];
  };
  # What programs in npm packages and wheels are linked to, in the sandbox.
  programLibraries = [ (own "glibc") compiler ];
  compiler = throw "packages are not built from source on nixpkgs yet; the embedded substrate does";
  # A backend may load wheels that are linked against these; npm's scripts want a shell.
  runPython = arguments: runPython ({
    LD_LIBRARY_PATH = "${compiler}/lib:${own "zlib"}/lib";
    PATH = "${own "bash"}/bin:${own "coreutils"}/bin";
  } // arguments);

  # A system package of the image: { pname; requestedBy; paths; }.
  package = import ./package.nix { inherit find packages; };
  systemRoot = ./system.nix;
  imageRoot = ./image-root.nix;

  # Libraries of a wheel find those of other wheels and of the system here, after
  # their own: the image has no ld.so.cache that nixpkgs' loader would read.
  elf = { prefix, rootScripts }: {
    patchelf = "${own "patchelf"}/bin/patchelf";
    scripts = [ "${rootScripts}" "${./root}" ];
    rpath = [ "${prefix}/lib" "/usr/lib" ];
  };
  # For what is opened by name alone (ctypes, cffi).
  environment = [ "LD_LIBRARY_PATH=/usr/lib" ];
  # C.UTF-8 alone, which is glibc's own.
  locales = [ ];

  dockerTools.streamLayeredImage = import ./stream-layered-image.nix { inherit tree; };
}
