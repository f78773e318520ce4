# The outputs of a federation's own flake: its body, built from the flake that `lychd-forge transmute` wrote into it, and the
# forge at work on its Codex and its Crypt. No other input and no registry is asked.
#
#   self                  the federation's flake
#   codex, crypt, flake   where its parts lie, relative to it
{ system, package, app, pkgs, toolchain }:
{
  self,
  codex ? "codex",
  crypt ? "crypt",
  flake ? "flake",
}:
let
  written = self + "/${flake}/flake.nix";
  body =
    if builtins.pathExists written then
      ((import written).outputs { inherit self; }).packages.${system}
    else
      let
        missing = throw "there is no ${flake}/ yet: run `nix run .#lychd-forge -- transmute --out ${flake}`, and have git know it";
      in
      { lychd-image = missing; default = missing; };
  # Relative: what is written is the working copy, not the store's.
  at = app "--codex ${codex} --crypt ${crypt}";
in
{
  packages.${system} = { lychd-forge = package; } // body;

  apps.${system} = {
    default = at "";
    lychd-forge = at "";
    bind = at "bind";
    rebirth = at "rebirth";
  };

  # The body evaluates; nothing of it is built.
  checks.${system}.lychd-image = pkgs.runCommand "lychd-image-check" {
    image = builtins.unsafeDiscardStringContext body.lychd-image.drvPath;
  } ''
    echo $image > $out
  '';

  # `nix develop`: the forge and its pages, beside whatever is on PATH.
  devShells.${system}.default = derivation {
    name = "lychd-shell";
    inherit system;
    builder = toolchain.bash;
    args = [ "-c" "echo > $out" ];
    outputs = [ "out" ];
    PATH = "${package}/bin";
    XDG_DATA_DIRS = "${package}/share:/usr/local/share:/usr/share";
  };
}
