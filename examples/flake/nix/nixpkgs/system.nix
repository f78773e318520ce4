# The system part of an image's root out of packages of nixpkgs, as ../system.nix
# is of Debian's; root/nixpkgs.py says what it makes.
{ pkgs, rootScripts }:
{ packages, ... }:
let
  state = pkgs.runPython {
    name = "system-state";
    outputs = [ "out" "tree" "loader" ];
    script = "${./root}/nixpkgs.py";
    PYTHONPATH = "${rootScripts}";
    spec.packages = map (package: { inherit (package) paths; name = package.pname; requested_by = package.requestedBy; }) packages;
  };
in
state // { own = [ "${state}" ]; }
