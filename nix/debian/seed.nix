# A static busybox from nothing but Nix's own two builders:
#
#   slice.tgz.uu (text)  -> builtin:unpack-channel -> slice, a 278-byte ELF
#   a pinned .deb        -> slice                  -> its data.tar.xz
#   data.tar.xz          -> builtin:unpack-channel -> busybox
#
# builtin:unpack-channel is libarchive (uu, gzip, xz, zstd; tar, cpio, zip, ar)
# under one condition: the archive has exactly one top-level entry, named
# `channelName`. A .deb is an `ar` of three members and breaks it, hence slice.
{ system, fetchurl }:
let
  pin = import ./busybox-static.nix;

  unpack = { name, src, entry }: derivation {
    inherit name src;
    channelName = entry;
    builder = "builtin:unpack-channel";
    system = "builtin";
    preferLocalBuild = true;
  };
in
rec {
  slice = unpack {
    name = "slice";
    entry = "slice";
    src = builtins.toFile "slice.tgz.uu" (builtins.readFile ./slice.tgz.uu);
  };

  deb = fetchurl { name = pin.file; inherit (pin) url sha256; };

  data = derivation {
    name = "busybox-static-data.tar.xz";
    inherit system;
    builder = "${slice}/slice";
    args = [ "${deb}" (toString pin.offset) (toString pin.length) (placeholder "out") ];
    preferLocalBuild = true;
  };

  tree = unpack { name = "busybox-static"; entry = "usr"; src = data; };

  # The path of the program.
  busybox = "${tree}/usr/bin/busybox";

  # A directory of applet names, for PATH.
  applets = derivation {
    name = "busybox";
    inherit system;
    builder = busybox;
    args = [
      "sh"
      "-euc"
      ''
        b=${busybox}
        $b mkdir -p $out/bin
        for applet in $($b --list); do $b ln -s $b $out/bin/$applet; done
      ''
    ];
    preferLocalBuild = true;
  };
}
