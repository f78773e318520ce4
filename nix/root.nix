# The root of an image on Debian; root/image.py says what it makes and what is in
# `spec`.
#
#   out   the image's own files
#   plan  JSON: how packages become layers, for the streamer
{ pkgs, rootScripts }:
{ name, spec, state, contents }:
pkgs.runPython {
  inherit name;
  outputs = [ "out" "plan" ];
  script = "${rootScripts}/image.py";
  # Whatever the plan speaks of is in a layer.
  allowedReferences = contents;
  spec = spec // {
    tree = "${state.tree}";
    loader = "${state.loader}";
    account = "${state.account}";
  };
}
