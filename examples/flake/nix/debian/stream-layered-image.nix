# dockerTools.streamLayeredImage for this substrate: an executable file that
# writes the docker archive to stdout. It starts on any host that has the store,
# whatever else the host has, and takes upstream's `--repo_tag`.
#
# Unlike upstream the layers are explicit, and of packages at their places:
#
#   layers  bottom first; each { comment; contents; }, contents of { path; at; }:
#           what the store path holds lies at the directory `at` of the image; or
#           a list of store paths, which lie where they are
#   root    its output `plan` is the root's say in them (root/image.py)
{ runCommand, seed, python, sourceDateEpoch }:
{ name
, tag ? "latest"
, layers
, root
, config ? { }
, architecture ? "amd64"
, created ? "1970-01-01T00:00:01+00:00"
, mtime ? created
, uid ? 0
, gid ? 0
, uname ? "root"
, gname ? "root"
}:
let
  # The file that upstream's stream_layered_image.py reads, with layers that it does not know.
  conf = runCommand "${baseNameOf name}-conf.json"
    {
      conf = builtins.toJSON {
        inherit architecture config created mtime uid gid uname gname;
        customisation_layer = null;
        from_image = null;
        root_plan = "${root.plan}";
        repo_tag = "${name}:${tag}";
        store_dir = builtins.storeDir;
        store_layers = layers;
      };
      passAsFile = [ "conf" ];
    } ''cp $confPath $out'';
in
runCommand "stream-${baseNameOf name}"
{
  inherit conf;
  script = ./stream.py;
} ''
  {
    echo "#!${seed.busybox} sh"
    echo 'unset LD_PRELOAD LD_LIBRARY_PATH'
    echo "exec ${python.loader} ${builtins.concatStringsSep " " python.arguments} -I -S -B -X utf8 $script $conf \"\$@\""
  } > $out
  chmod 0755 $out
'' // {
  inherit conf;
  imageName = name;
  imageTag = tag;
}
