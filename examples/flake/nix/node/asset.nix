# A member's front end: what one script of its package.json writes. The member's
# wheel is built with it (../member.nix).
#
#   id         of the member
#   source     the member's tree, `hash` its NAR hash, `name` its distribution's
#   root       where the member is in the workspace, "extensions/altar"
#   directory  where package.json is in the workspace, "extensions/altar/web"
#   script     what npm runs there
#   output     what that writes, below the member's root
#   modules    of forge.nodeModules, with the same `toolchain`
#   others     { root; name; source; hash; } of members whose trees it reads as well
{ pkgs, scripts }:
{ id, name, source, hash, root, directory, script, output, modules, toolchain, others ? [ ] }:
let
  safe = builtins.replaceStrings [ "/" ] [ "__" ];
  tree = member: "${builtins.path { name = "${member.name}-source"; path = member.source; sha256 = member.hash; }}";
in
pkgs.runPython {
  name = "${safe id}-asset";
  script = "${scripts}/node/asset.py";
  allowedReferences = [ ];
  spec = {
    inherit id root directory script output;
    modules = "${modules}";
    toolchain = "${toolchain}";
    trees = map
      (member: { inherit (member) root; path = tree member; })
      ([{ inherit name root source hash; }] ++ others);
  };
} // { inherit id output; }
