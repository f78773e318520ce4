# A member that is no package: its source tree as it is, with bytecode, at a place
# of the image that is its own.
#
#   place  where it lies
#   hash   the NAR hash of the tree ("sha256-…"): another tree is none
{ pkgs, prefix, rootScripts }:
let
  scripts = builtins.path {
    name = "plain-tree";
    path = ./.;
    filter = path: _: builtins.elem (baseNameOf path) [ "bytecode.py" "plain_tree.py" ];
  };
in
{ id, name, place, source, hash, requestedBy ? [ id ] }:
pkgs.runPython {
  name = "${name}-tree";
  outputs = [ "out" "meta" ];
  script = "${scripts}/plain_tree.py";
  # It stands alone, as an installed wheel does.
  allowedReferences = [ ];
  spec = {
    inherit name place;
    source = "${builtins.path { name = "${name}-source"; path = source; sha256 = hash; }}";
  } // (if pkgs ? elf then { elf = pkgs.elf { inherit prefix rootScripts; }; } else { });
} // {
  inherit id place requestedBy;
  pname = name;
}
