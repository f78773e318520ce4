# node_modules of the one workspace of all members; layout.py makes it.
#
#   packages   { name; version; file; url; hash; places; bin; scripts; } each: a
#              tarball, the places where it is unpacked, its commands, and
#              whether its install scripts run
#   bundled    { place; bin; }: a package inside another's tarball
#   links      { place; target; bin; }: a member's own package
#   toolchain  of forge.node; null gives the tree to the byte as npm makes it,
#              where no program starts in a sandbox
{ pkgs, scripts }:
{ packages, bundled ? [ ], links ? [ ], toolchain ? null }:
pkgs.runPython {
  name = "node-modules";
  script = "${scripts}/node/layout.py";
  spec = {
    inherit bundled links;
    toolchain = if toolchain == null then null else "${toolchain}";
    packages = map
      (package: {
        inherit (package) name version places bin scripts;
        archive = "${pkgs.fetchurl { name = package.file; inherit (package) url hash; }}";
      })
      packages;
  };
}
