# The program as an app. With `verb` it is that verb alone: `nix run .#bind -- --dry-run` is `lychd-forge bind --dry-run`.
{ pkgs, package }:
verb:
let
  name = "lychd-forge-${verb}";
  script = pkgs.runCommand name { } ''
    mkdir -p $out/bin
    printf '#!%s sh\nexec %s %s "$@"\n' ${pkgs.seed.busybox} ${package}/bin/lychd-forge ${verb} > $out/bin/${name}
    chmod 0755 $out/bin/${name}
  '';
in
{
  type = "app";
  program = if verb == null then "${package}/bin/lychd-forge" else "${script}/bin/${name}";
}
