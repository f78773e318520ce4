# The program as an app, at work with these options. With `verb` it is that verb alone: `nix run .#bind -- --dry-run` is
# `lychd-forge bind --dry-run`.
{ pkgs, package }:
options: verb:
let
  name = if verb == "" then "lychd-forge" else "lychd-forge-${verb}";
  script = pkgs.runCommand name { } ''
    mkdir -p $out/bin
    printf '#!%s sh\nexec %s %s %s "$@"\n' ${pkgs.seed.busybox} ${package}/bin/lychd-forge "${options}" "${verb}" > $out/bin/${name}
    chmod 0755 $out/bin/${name}
  '';
in
{
  type = "app";
  program = if options == "" && verb == "" then "${package}/bin/lychd-forge" else "${script}/bin/${name}";
}
