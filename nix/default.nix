# The library that every emitted flake calls. `pkgs` is the substrate
# (./debian or ./nixpkgs); README.md has the contract.
{ pkgs }:
let
  # The virtual environment of the image. Bytecode and console scripts name it.
  prefix = "/app/.venv";

  rootScripts = builtins.path { name = "root-scripts"; path = ./root; };
  download = import ./download.nix { inherit pkgs; };
  buildWheel = import ./build-wheel.nix { inherit pkgs; scripts = buildScripts; };
  installWheel = import ./install-wheel.nix { inherit pkgs prefix rootScripts; };
  nodeScripts = builtins.path {
    name = "node-scripts";
    path = ./.;
    filter = path: type: builtins.elem (baseNameOf path) [ "node" "programs.py" "wheel_archive.py" ]
      || type == "regular" && baseNameOf (dirOf path) == "node" && builtins.match ".*\\.py" path != null;
  };
  buildScripts = builtins.path {
    name = "build-wheel";
    path = ./.;
    filter = path: _: builtins.elem (baseNameOf path)
      [ "build_environment.py" "build_wheel.py" "call_backend.py" "programs.py" "wheel_archive.py" ];
  };
  node = file: import file { inherit pkgs; scripts = nodeScripts; };
  makeSystem = import pkgs.systemRoot { inherit pkgs rootScripts; };
  makeRoot = import pkgs.imageRoot { inherit pkgs rootScripts; };
in
{
  wheel = import ./wheel.nix { inherit download installWheel; };
  source = import ./source.nix { inherit download buildWheel installWheel; };
  environment = import ./environment.nix { inherit pkgs; };
  node = node ./node/toolchain.nix;
  nodeModules = node ./node/modules.nix;
  asset = node ./node/asset.nix;
  member = import ./member.nix { inherit buildWheel installWheel; };
  tree = import ./plain-tree.nix { inherit pkgs prefix rootScripts; };
  image = import ./image.nix {
    inherit pkgs prefix makeSystem makeRoot;
    entries = builtins.path { name = "entries"; path = ./entry; };
  };
}
