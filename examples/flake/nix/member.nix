# A member of the workspace: built from its source tree by its own backend, in
# its locked build environment, then installed as any wheel is.
#
#   hash    the NAR hash of the tree ("sha256-…"): another tree does not build
#   assets  of forge.asset: laid over the tree, each at its `output`
#   native  whether there is a compiler
{ buildWheel, installWheel }:
{ id, name, version ? null, source, hash, environment, backend, assets ? [ ], native ? false, requestedBy ? [ id ] }:
let
  tree = builtins.path {
    name = "${name}-source";
    path = source;
    sha256 = hash;
  };
  wheel = buildWheel {
    inherit name environment backend assets native requestedBy;
    derivationName = "${name}-wheel";
    source = tree;
  };
in
installWheel { inherit name version wheel requestedBy; } // { inherit id; }
