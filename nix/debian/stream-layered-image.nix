# dockerTools.streamLayeredImage for this substrate: an executable file that
# writes the docker archive to stdout. It starts on any host that has the store,
# whatever else the host has, and takes upstream's `--repo_tag`.
#
# Unlike upstream the layers are explicit: `layers` is a list of lists of store
# paths, bottom first, and `customisationLayer` a store path that holds
# `layer.tar` and `checksum`. Without `layers`, each of `contents` has a layer of
# its own until maxLayers, and the rest share one.
{ runCommand, seed, python, sourceDateEpoch }:
{ name
, tag ? "latest"
, contents ? [ ]
, layers ? null
, customisationLayer
, config ? { }
, architecture ? "amd64"
, created ? "1970-01-01T00:00:01+00:00"
, mtime ? created
, maxLayers ? 100
, fromImage ? null
, uid ? 0
, gid ? 0
, uname ? "root"
, gname ? "root"
}:
let
  count = builtins.length contents;
  own = if count < maxLayers then count else maxLayers - 2;
  take = from: n: builtins.genList (i: builtins.elemAt contents (from + i)) n;
  automatic = map (path: [ path ]) (take 0 own)
    ++ (if own < count then [ (take own (count - own)) ] else [ ]);

  # The file that upstream's stream_layered_image.py reads.
  conf = runCommand "${baseNameOf name}-conf.json"
    {
      conf = builtins.toJSON {
        inherit architecture config created mtime uid gid uname gname;
        customisation_layer = "${customisationLayer}";
        from_image = if fromImage == null then null else "${fromImage}";
        repo_tag = "${name}:${tag}";
        store_dir = builtins.storeDir;
        store_layers = map (map toString) (if layers == null then automatic else layers);
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
