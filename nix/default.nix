# The library that every emitted flake calls. `pkgs` is the substrate
# (./debian); README.md has the contract.
{ pkgs }:
let
  # The virtual environment of the image. Bytecode and console scripts name it.
  prefix = "/app/.venv";

  rootScripts = builtins.path { name = "root-scripts"; path = ./root; };
  installWheel = import ./install-wheel.nix { inherit pkgs prefix; };
  makeSystem = import ./system.nix { inherit pkgs rootScripts; };
in
{
  wheel = import ./wheel.nix { inherit pkgs installWheel; };
  environment = import ./environment.nix { inherit pkgs; };
  member = import ./member.nix { inherit pkgs installWheel; };
  image = import ./image.nix { inherit pkgs prefix makeSystem rootScripts; };
}
