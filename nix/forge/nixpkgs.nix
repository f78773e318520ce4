# The program on nixpkgs, with its Rust: what the overlay gives to `callPackage`.
{ lib, stdenv, rustPlatform, installShellFiles }:
let
  manifest = (builtins.fromTOML (builtins.readFile ../../Cargo.toml)).package;
in
rustPlatform.buildRustPackage {
  pname = manifest.name;
  inherit (manifest) version;

  # The documentation is for the unit tests.
  src = import ./source.nix { root = ../..; also = [ "docs" ]; };
  cargoLock.lockFile = ../../Cargo.lock;

  nativeBuildInputs = [ installShellFiles ];

  # The others want Nix, podman and the package registries.
  cargoTestFlags = [ "--lib" ];

  # A program for another machine cannot be asked.
  postInstall = lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    for shell in bash zsh fish; do
      $out/bin/lychd-forge completions $shell > lychd-forge.$shell
      installShellCompletion --cmd lychd-forge --$shell lychd-forge.$shell
    done
    $out/bin/lychd-forge man --out manual
    installManPage manual/*.1
  '';

  meta = {
    inherit (manifest) description;
    license = lib.licenses.mpl20;
    mainProgram = "lychd-forge";
    platforms = [ "x86_64-linux" ];
  };
}
