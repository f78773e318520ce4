# The root of an image on nixpkgs, as ../root.nix is on Debian; its packages stay in
# the store, and root/linked_image.py makes links to them.
{ pkgs, rootScripts }:
{ name, spec, state, contents }:
pkgs.runPython {
  inherit name;
  script = "${./root}/linked_image.py";
  PYTHONPATH = "${rootScripts}";
  # Whatever the root points at is in a layer.
  allowedReferences = contents;
  spec = spec // {
    tree = "${state.tree}";
    loader = "${state.loader}";
  };
}
