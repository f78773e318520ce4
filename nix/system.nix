# The system part of an image's root; root/system.py says what it makes.
#
#   out     generated files (alternatives, certificates, caches): a layer's path
#   tree    JSON: the merged tree of links
#   loader  JSON: the libraries that the loader finds by itself
{ pkgs, rootScripts }:
{ debs, bytecode }:
pkgs.runPython {
  name = "system-state";
  outputs = [ "out" "tree" "loader" ];
  script = "${rootScripts}/system.py";
  spec = {
    bytecode = "${bytecode}";
    debs = map
      (deb: {
        name = deb.pname;
        path = "${deb}";
        deb = "${deb.src}";
        requested_by = deb.requestedBy;
      })
      debs;
  };
}
