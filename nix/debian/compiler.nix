# The compiler of native builds: Debian packages merged into one tree, every
# program of which is started through the tree's own loader.
#
#   environment   variables for a build
{ seed, runPython, python, version, debs }:
let
  triplet = "x86_64-linux-gnu";
  tree = runPython {
    name = "compiler";
    script = ./compiler.py;
    spec = {
      inherit triplet;
      debs = map (deb: "${deb}") debs;
      inherit (seed) busybox;
      applets = "${seed.applets}/bin";
    };
  };
in
tree // {
  environment = {
    PATH = "${tree}/usr/bin";
    # Debian's Python names its compiler with the triplet, which is there, but
    # looks for its own headers beside itself, where they are not.
    CPATH = "${tree}/usr/include/python${version}";
    PKG_CONFIG_LIBDIR = "${tree}/usr/lib/${triplet}/pkgconfig:${tree}/usr/share/pkgconfig";
    PKG_CONFIG_SYSROOT_DIR = "${tree}";
  };
}
