# The embedded substrate: the part of nixpkgs' interface that ../default.nix
# needs, every binary of it out of a Debian package pinned by sha256. Nothing of
# the host takes part but Nix and its kernel.
#
#   debian            what debian.nix holds: { python = { version; packages; }; packages; },
#                     and, names of packages, compiler when something is compiled;
#                     locales when maintainer scripts make some; strict when the build
#                     is to end for what they would make where they do not run
#   sourceDateEpoch   seconds; the time of everything built
{ system ? "x86_64-linux", sourceDateEpoch ? 1, debian }:
assert system == "x86_64-linux" || throw "the embedded substrate has packages for x86_64-linux, not for ${system}";
let
  fetchurl = import ./fetchurl.nix;
  seed = import ./seed.nix { inherit system fetchurl; };
  runCommand = import ./run-command.nix { inherit system seed sourceDateEpoch; };
  runPythonWith = import ./run-python.nix { inherit system seed sourceDateEpoch; };
  deb = import ./deb.nix { inherit runCommand fetchurl; };

  inherit (debian.python) version;

  # `sourceDateEpoch` as conf.json spells a time.
  created = import ./iso-time.nix sourceDateEpoch;
  debs = builtins.mapAttrs deb debian.packages;
  pythonDebs = map (name: debs.${name} or (throw "debian.nix: python needs ${name}, which is not among packages")) debian.python.packages;

  # The packages among `list` that hold files of the standard library.
  library = builtins.filter (package: builtins.match "(lib)?python3?(${builtins.replaceStrings [ "." ] [ "\\." ] version})?(-.*)?" package.pname != null);

  # The bytecode that fits some packages; equal lists share one.
  bytecode = list: import ./bytecode.nix { runPython = runPythonWith raw; inherit version; debs = library list; };

  interpreter = code: import ./python.nix { inherit seed runCommand version; debs = pythonDebs; bytecode = code; };
  raw = interpreter null;
  python = interpreter (bytecode pythonDebs);

  # Trees with what programs in npm packages and wheels are linked to, and their loader.
  programLibraries = map
    (name: debs.${name} or (throw "debian.nix: programs need ${name}, which is not among packages"))
    [ "libc6" "libgcc-s1" "libstdc++6" ];
in
{
  # The tools of native builds; nobody asks for them when debian.nix has none.
  compiler = import ./compiler.nix {
    inherit seed;
    runPython = runPythonWith python;
    debs = map (name: debs.${name}) (debian.compiler or (throw "debian.nix has no compiler, and something is compiled"));
  };
  inherit system sourceDateEpoch created fetchurl runCommand debs python bytecode seed programLibraries;
  runPython = runPythonWith python;
  # The locales that are made for an image; the first is its LANG.
  locales = debian.locales or [ ];
  # Whether a build ends where scripts do not run and would make more than is made otherwise.
  strict = debian.strict or false;
  # What ../image.nix asks of a substrate.
  package = name: debs.${name} or (throw "system package ${name} is not in debian.nix");
  systemRoot = ../system.nix;
  imageRoot = ../root.nix;
  environment = [ ];
  dockerTools.streamLayeredImage = import ./stream-layered-image.nix { inherit runCommand seed python sourceDateEpoch; };
}
