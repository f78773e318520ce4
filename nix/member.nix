# A member of the workspace: built from its source tree by its own backend, in
# its locked build environment, then installed as any wheel is.
#
#   hash  the NAR hash of the tree ("sha256-…"): another tree does not build
{ pkgs, installWheel }:
{ id, name, version ? null, source, hash, environment, backend, requestedBy ? [ id ] }:
let
  tree = builtins.path {
    name = "${name}-source";
    path = source;
    sha256 = hash;
  };
  wheel = pkgs.runPython {
    name = "${name}-wheel";
    script = ./build_wheel.py;
    spec = {
      inherit name backend;
      source = "${tree}";
      site_packages = environment.sitePackages;
      requested_by = requestedBy;
    };
  };
in
installWheel { inherit name version wheel requestedBy; } // { inherit id; }
