# The image of a body: an executable file that streams the docker archive, with
# `conf`, the store path of its conf.json.
#
#   system       names of system packages
#   wheels       of forge.wheel
#   members      of forge.member, and of forge.tree: those that are no packages, in the
#                order in which Python looks into them
#   layers       bottom first; each { system = [ name … ]; }, { wheels = [ name … ]; }
#                or { members = [ id … ]; }. Every name occurs in exactly one.
#   config       of the OCI image configuration; its Env wins over the library's
#   user         { name; uid; }, for /etc/passwd
#   directories  writable by any user of the container
#   python       whether there is a virtual environment; without one there are no
#                wheels and no members
#   starts       key of the contract -> program that it starts, for the check that the
#                image has it
#   entry        name of a file below ./entry that is started before the command
#   configure    names of packages that are there besides where maintainer scripts
#                run; null when they are read alone
#   collisions        path -> name of the package whose file it is, where two have one
#   missingLibraries  name of a package -> libraries that it does without
{ pkgs, prefix, makeSystem, makeRoot, entries }:
{ name
, tag
, system
, wheels ? [ ]
, members ? [ ]
, layers
, config
, user
, directories
, python ? true
, starts ? { }
, entry ? null
, configure ? null
, collisions ? { }
, missingLibraries ? { }
}:
let
  inherit (builtins) all attrNames concatLists concatMap concatStringsSep elem elemAt filter genList hasAttr head length listToAttrs split sort;

  packages = map pkgs.package system;
  state = makeSystem {
    inherit packages missingLibraries;
    winners = collisions;
    configure = if configure == null then null else map pkgs.package configure;
  };

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
  # Where what a package holds lies in the image.
  places = { system = "/"; wheels = prefix; members = prefix; };
  placeOf = kind: content: content.place or places.${kind};
  at = place: map (path: { at = place; inherit path; });
  ownLayer = { comment = "system: generated"; contents = at "/" own; };
  packageLayers = (if lastSystem == -1 then [ ownLayer ] else [ ])
    ++ concatLists (genList
    (i:
      let
        layer = elemAt layers i;
        kind = kindOf layer;
        contents = concatMap (name: let it = known.${kind}.${name}; in at (placeOf kind it) (it.paths or [ "${it}" ])) layer.${kind};
      in
      [{ inherit contents; comment = "${kind}: ${concatStringsSep " " layer.${kind}}"; }]
        ++ (if i == lastSystem then [ ownLayer ] else [ ]))
    count);
  imageLayers = packageLayers ++ [{ comment = "root"; contents = at "/" [ "${root}" ]; }];

  installed = wheels ++ members;
  root = makeRoot {
    name = "${baseNameOf name}-root";
    inherit state;
    contents = map (content: content.path) (concatMap (layer: layer.contents) packageLayers);
    spec = {
      inherit user directories starts;
      image = name;
      prefix = if python then prefix else null;
      path = head (filter (value: value != null) (map (entry: let found = builtins.match "PATH=(.*)" entry; in if found == null then null else head found) env));
      entry = if entry == null then null else { path = entryPlace; file = "${entries}/${entry}"; };
      winners = collisions;
      missing_libraries = missingLibraries;
      working_directory = config.WorkingDir or "/";
      python = pkgs.python.version;
      trees = map (member: member.place) (filter (member: member ? place) members);
      wheels = map
        (wheel: {
          name = wheel.pname;
          path = "${wheel}";
          at = placeOf "wheels" wheel;
          meta = "${wheel.meta}";
          requested_by = wheel.requestedBy;
        })
        installed;
    };
  };

  entryPlace = "/usr/local/bin/lychd-entry";
  variable = entry: head (split "=" entry);
  given = config.Env or [ ];
  base = [
    "PATH=${if python then "${prefix}/bin:" else ""}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    "LANG=${if pkgs.locales == [ ] then "C.UTF-8" else head pkgs.locales}"
    "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"
  ] ++ (if python then [ "PYTHONDONTWRITEBYTECODE=1" ] else [ ]) ++ pkgs.environment;
  env = filter (entry: !(elem (variable entry) (map variable given))) base ++ given;
in
assert python || wheels ++ members == [ ] || throw "wheels and members want an environment";
assert faults == [ ] || throw "the layers do not fit the image: ${concatStringsSep "; " faults}";
assert all (layer: layer.contents != [ ]) imageLayers || throw "a layer is empty";
assert length imageLayers <= 120 || throw "${toString (length imageLayers)} layers; the limit is 120";
pkgs.dockerTools.streamLayeredImage {
  inherit name tag root;
  layers = imageLayers;
  config = config // { Env = env; } // (if entry == null then { } else { Entrypoint = [ entryPlace ]; });
  created = pkgs.created;
} // {
  inherit root state;
}
