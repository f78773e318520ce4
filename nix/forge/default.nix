# The forge's own build on the embedded substrate, and what the flake says of it. Needs nothing but Nix.
#
#   image   the example's, for its check
{ image }:
let
  root = ../..;
  pins = import ./toolchain/debian.nix;
  # What the toolchain's manifest asks for, with all that it needs.
  asked = name: builtins.elem "core" pins.packages.${name}.requestedBy;
  pkgs = import ../debian {
    debian = pins // { compiler = builtins.filter asked (builtins.attrNames pins.packages); };
  };

  inherit (builtins.fromTOML (builtins.readFile (root + "/Cargo.toml"))) package;
  inherit (package) version;

  toolchain = import ./toolchain.nix { inherit pkgs; };
  crates = import ./crates.nix { inherit (pkgs) fetchurl; } (root + "/Cargo.lock");
  vendor = import ./vendor.nix { inherit (pkgs) runCommand; } crates;
  source = import ./source.nix { inherit root; };
  # Unit tests hold the documentation against the code.
  tested = import ./source.nix { inherit root; also = [ "docs" ]; };
  cargo = import ./cargo.nix { inherit pkgs toolchain source vendor; };
  lychd-forge = import ./package.nix { inherit cargo toolchain version; };
  app = import ./app.nix { inherit pkgs; package = lychd-forge; };
  apps = {
    lychd-forge = app "" "";
    default = app "" "";
    bind = app "" "bind";
    rebirth = app "" "rebirth";
  };
in
{
  inherit apps;
  federation = import ./federation.nix { inherit app pkgs toolchain; inherit (pkgs) system; package = lychd-forge; };
  packages = { inherit lychd-forge; default = lychd-forge; };
  devShells.default = import ./shell.nix { inherit pkgs toolchain; };
  checks = import ./checks.nix { inherit pkgs cargo tested apps image version; package = lychd-forge; };
}
