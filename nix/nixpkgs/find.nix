# A package of nixpkgs by its attribute path, or an error that says who wants it,
# where that is written, and which names are near.
{ tree }:
let
  inherit (builtins) addErrorContext attrNames concatStringsSep filter foldl' hasAttr isAttrs isString split;
  near = import ./near.nix;

  quoted = names: concatStringsSep ", " (map (name: "`${name}`") names);
in
{ attribute, name, requestedBy, at }:
let
  wanted = (if name == attribute then "`${attribute}`" else "`${attribute}` (for `${name}`)")
    + (if requestedBy == [ ] then ", which every image needs" else ", requested by ${concatStringsSep ", " requestedBy}")
    + (if at == [ ] then "" else " at ${concatStringsSep ", " at}");

  step = set: part:
    if isAttrs set && hasAttr part set then set.${part}
    else
      let
        names = if isAttrs set then near part (attrNames set) else [ ];
        hint = if names == [ ] then "." else "; did you mean ${quoted names}?";
      in
      throw ("this nixpkgs has no ${wanted}: there is no `${part}`${hint}"
        + (if requestedBy == [ ] then "" else " Say which one is meant in system-dependencies: { name = \"${name}\", nixpkgs = \"…\" }"));

  found = foldl' step tree (filter isString (split "\\." attribute));
in
addErrorContext "while looking up the system package ${wanted}" (
  if (found.type or null) == "derivation" then found
  else throw "${wanted} is no package of this nixpkgs"
)
