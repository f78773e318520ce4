# nixpkgs' own dockerTools.streamLayeredImage, called as ../debian's is. Its
# layers are the closure's paths, the most wanted first; `layers` has no say.
#
#   root  of root/linked_image.py: root/ is the tree; `modes` and `files` say what
#         the store cannot hold
{ tree }:
{ name, tag, layers, root, config, created }:
let
  stream = tree.dockerTools.streamLayeredImage;
  # A function that was made overridable may hide what it takes; those are the
  # later ones. 20.09's takes no fakeRootCommands, and its image has the modes of
  # the store.
  takes = (tree.lib.functionArgs or builtins.functionArgs) stream;
  late = takes == { } || takes ? fakeRootCommands;
  rooted = {
    # Generated files become files again, not links to a path of their own, and
    # directories get their modes.
    fakeRootCommands = ''
      while read -r path; do
        cp --remove-destination --no-preserve=all "${root}/root$path" ".$path"
        chmod 0444 ".$path"
      done < ${root}/files
      while read -r mode path; do
        chmod "$mode" ".$path"
      done < ${root}/modes
    '';
  };
  image = stream ({
    inherit name tag config created;
    contents = [ "${root}/root" ];
    # podman takes 127
    maxLayers = 120;
  } // (if late then rooted else { }));
in
image // {
  conf = image.conf or (throw "this nixpkgs is too old: its streamLayeredImage does not tell its conf.json");
}
