# The system part of an image's root; root/system.py says what it makes.
#
#   out     generated files (alternatives, certificates, caches): a layer's path
#   tree    JSON: the merged tree of links
#   loader  JSON: the libraries that the loader finds by itself
#   own     store paths that an image has for it, above the packages
{ pkgs, rootScripts }:
debs:
let
  bytecode = pkgs.bytecode debs;
  state = pkgs.runPython {
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
  };
in
state // { own = [ "${bytecode}" "${state}" ]; }
