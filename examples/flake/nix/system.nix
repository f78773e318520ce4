# The system part of an image's root; root/system.py says what it makes.
#
#   out      generated files (alternatives, certificates, caches)
#   tree     JSON: the packages put together
#   loader   JSON: the libraries that the loader finds by itself
#   account  JSON: what met at one path, and what the store cannot hold
#   own      store paths that an image has for it at its root, above the packages
{ pkgs, rootScripts }:
{ packages, winners, missingLibraries }:
let
  bytecode = pkgs.bytecode packages;
  state = pkgs.runPython {
    name = "system-state";
    outputs = [ "out" "tree" "loader" "account" ];
    script = "${rootScripts}/system.py";
    spec = {
      inherit winners;
      missing_libraries = missingLibraries;
      bytecode = "${bytecode}";
      debs = map
        (deb: {
          name = deb.pname;
          path = "${deb}";
          deb = "${deb.src}";
          special = "${deb.special}";
          requested_by = deb.requestedBy;
        })
        packages;
    };
  };
in
state // { own = [ "${bytecode}" "${state}" ]; }
