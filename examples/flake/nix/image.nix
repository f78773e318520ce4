# The image of a body: an executable file that streams the docker archive, with
# `conf`, the store path of its conf.json.
#
#   system       names of system packages
#   wheels       of forge.wheel
#   members      of forge.member
#   layers       bottom first; each { system = [ name … ]; }, { wheels = [ name … ]; }
#                or { members = [ id … ]; }. Every name occurs in exactly one.
#   config       of the OCI image configuration; its Env wins over the library's
#   user         { name; uid; }, for /etc/passwd
#   directories  writable by any user of the container
#   collisions   path of the image -> the package whose file it is
#   missingLibraries  package -> sonames that its files may lack
{ pkgs, prefix, makeSystem, rootScripts }:
{ name
, tag
, system
, wheels
, members
, layers
, config
, user
, directories
, collisions ? { }
, missingLibraries ? { }
}:
let
  inherit (builtins) all attrNames concatLists concatMap concatStringsSep elem elemAt filter genList hasAttr head length listToAttrs split sort;

  packages = map pkgs.package system;
  state = makeSystem packages;

  # kind -> name -> what has the store paths
  named = nameOf: list: listToAttrs (map (value: { name = nameOf value; inherit value; }) list);
  known = {
    system = named (package: package.pname) packages;
    wheels = named (wheel: wheel.pname) wheels;
    members = named (member: member.id) members;
  };
  kinds = attrNames known;

  kindOf = layer:
    let found = filter (kind: hasAttr kind layer) kinds;
    in if length found == 1 && length (attrNames layer) == 1 then head found
    else throw "a layer has exactly one of ${concatStringsSep ", " kinds}, not ${concatStringsSep ", " (attrNames layer)}";

  planned = kind: concatMap (layer: if kindOf layer == kind then layer.${kind} else [ ]) layers;
  twice = list:
    let sorted = sort (a: b: a < b) list;
    in filter (name: name != null) (genList (i: if elemAt sorted i == elemAt sorted (i + 1) then elemAt sorted i else null)
      (if sorted == [ ] then 0 else length sorted - 1));
  faults = concatMap
    (kind:
      let
        plan = planned kind;
        inPlan = listToAttrs (map (name: { inherit name; value = true; }) plan);
        missing = filter (name: !(hasAttr name inPlan)) (attrNames known.${kind});
        unknown = filter (name: !(hasAttr name known.${kind})) plan;
        several = twice plan;
        say = what: names: if names == [ ] then [ ] else [ "${kind} ${what}: ${concatStringsSep ", " names}" ];
      in
      say "in no layer" missing ++ say "in a layer but not in the image" unknown ++ say "in two layers" several)
    kinds;

  # What the library adds goes above the packages it was made from.
  inherit (state) own;
  count = length layers;
  lastSystem = builtins.foldl' (last: i: if kindOf (elemAt layers i) == "system" then i else last) (-1) (genList (i: i) count);
  storeLayers = (if lastSystem == -1 then [ own ] else [ ])
    ++ concatLists (genList
    (i:
      let
        layer = elemAt layers i;
        kind = kindOf layer;
      in
      [ (concatMap (name: let it = known.${kind}.${name}; in it.paths or [ "${it}" ]) layer.${kind}) ] ++ (if i == lastSystem then [ own ] else [ ]))
    count);

  installed = wheels ++ members;
  root = pkgs.runPython {
    name = "${baseNameOf name}-root";
    script = "${rootScripts}/image.py";
    # Whatever the root points at is in a layer.
    allowedReferences = concatLists storeLayers;
    spec = {
      inherit prefix user directories;
      missing_libraries = missingLibraries;
      working_directory = config.WorkingDir or "/";
      python = pkgs.python.version;
      # nixpkgs' streamer takes a tree; and its wheels look into the environment
      inherit (pkgs.imageRoot) form share;
      tree = "${state.tree}";
      loader = "${state.loader}";
      wheels = map
        (wheel: {
          name = wheel.pname;
          path = "${wheel}";
          meta = "${wheel.meta}";
          requested_by = wheel.requestedBy;
        })
        installed;
    };
  };

  variable = entry: head (split "=" entry);
  given = config.Env or [ ];
  base = [
    "PATH=${prefix}/bin:/usr/local/bin:/usr/bin:/bin"
    "LANG=C.UTF-8"
    "PYTHONDONTWRITEBYTECODE=1"
    "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"
  ] ++ pkgs.environment;
  env = filter (entry: !(elem (variable entry) (map variable given))) base ++ given;
in
assert faults == [ ] || throw "the layers do not fit the image: ${concatStringsSep "; " faults}";
assert all (layer: layer != [ ]) storeLayers || throw "a layer is empty";
assert length storeLayers < 120 || throw "${toString (length storeLayers + 1)} layers; the limit is 120";
pkgs.dockerTools.streamLayeredImage {
  inherit name tag;
  layers = storeLayers;
  customisationLayer = root;
  config = config // { Env = env; };
  created = pkgs.created;
} // {
  inherit root state;
}
