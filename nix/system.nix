# The system part of an image's root; root/system.py says what it makes.
#
#   out      the loader's cache
#   tree     JSON: the packages put together
#   loader   JSON: the libraries that the loader finds by itself
#   account  JSON: what met at one path, and what the store cannot hold
#   own      store paths that an image has for it at its root, above the packages
#   made     what maintainer scripts make (root/configure.py, or root/read_scripts.py)
{ pkgs, rootScripts }:
{ packages, winners, missingLibraries, configure }:
let
  bytecode = pkgs.bytecode packages;
  described = deb: {
    name = deb.pname;
    path = "${deb}";
    deb = "${deb.src}";
    special = "${deb.special}";
    requested_by = deb.requestedBy;
  };
  scripted = image: deb: described deb // { inherit image; listing = "${deb.listing}"; };
  debs = map described packages;

  run = pkgs.runPython {
    name = "configured";
    outputs = [ "out" "account" ];
    script = "${rootScripts}/configure.py";
    spec = {
      inherit winners;
      inherit (pkgs) locales;
      enter = "${rootScripts}/enter";
      not_kept = "${rootScripts}/not-kept";
      varying = "${rootScripts}/varying";
      excludes = "${./debian/path-excludes}";
      debs = map (scripted true) packages ++ map (scripted false) configure;
    };
  };
  read = pkgs.runPython {
    name = "configured";
    outputs = [ "out" "account" ];
    script = "${rootScripts}/read_scripts.py";
    spec = {
      inherit winners debs;
      inherit (pkgs) strict;
      known_commands = "${rootScripts}/known-commands";
    };
  };
  made = if configure == null then read else run;

  state = pkgs.runPython {
    name = "system-state";
    outputs = [ "out" "tree" "loader" "account" ];
    script = "${rootScripts}/system.py";
    spec = {
      inherit winners debs;
      missing_libraries = missingLibraries;
      bytecode = "${bytecode}";
      made = "${made}";
      made_account = "${made.account}";
    };
  };
in
state // { inherit made; own = [ "${bytecode}" "${made}" "${state}" ]; }
