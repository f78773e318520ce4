# Installs a wheel file, or the one wheel in a directory; see wheel.nix.
{ pkgs, prefix, rootScripts }:
let
  scripts = builtins.path {
    name = "install-wheel";
    path = ./.;
    filter = path: _: builtins.elem (baseNameOf path) [ "bytecode.py" "install_wheel.py" "wheel_archive.py" ];
  };
in
{ name, version, wheel, requestedBy }:
pkgs.runPython {
  name = if version == null then name else "${name}-${version}";
  outputs = [ "out" "meta" ];
  script = "${scripts}/install_wheel.py";
  # An installed wheel stands alone; a path of the store in it would be a leak
  # of the build, or miss its layer.
  allowedReferences = [ ];
  spec = {
    inherit name version prefix;
    wheel = "${wheel}";
    python = pkgs.python.version;
    # Not requestedBy: one more requester must not install the wheel anew.
  } // (if pkgs ? elf then { elf = pkgs.elf { inherit prefix rootScripts; }; } else { });
} // {
  pname = name;
  inherit version requestedBy;
}
