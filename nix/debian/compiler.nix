# The compiler of native builds: Debian packages merged into one tree, every
# program of which is started through the tree's own loader.
#
#   environment   variables for a build
#   headers       the directory where Python's are; Debian's Python looks for them beside itself
{ seed, runPython, debs }:
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
  headers = "${tree}/usr/include";
  environment = {
    PATH = "${tree}/usr/bin";
    # For programs that a build makes and starts.
    LD_LIBRARY_PATH = "${tree}/usr/lib/${triplet}";
    PKG_CONFIG_LIBDIR = "${tree}/usr/lib/${triplet}/pkgconfig:${tree}/usr/share/pkgconfig";
    PKG_CONFIG_SYSROOT_DIR = "${tree}";
  };
}
