# Wires what is built of this repository, logic is in ./nix. No input is ever reached: there is none.
{
  description = "lychd-forge: many manifests, one proven body";

  outputs =
    { self }:
    let
      system = "x86_64-linux";
      # The example's body, from its committed locks and its committed flake.
      example = ((import ./examples/flake/flake.nix).outputs { inherit self; }).packages.${system};
      forge = import ./nix/forge { image = example.lychd-image; };
    in
    {
      packages.${system} = example // forge.packages;
      apps.${system} = forge.apps;
      devShells.${system} = forge.devShells;
      checks.${system} = forge.checks;

      # What a federation's own flake is made of: `nix flake init -t` gives one.
      lib.federation = forge.federation;

      overlays.default = final: _: { lychd-forge = final.callPackage ./nix/forge/nixpkgs.nix { }; };

      templates.default = {
        path = ./templates/init;
        description = "A Codex and a Crypt to start from";
      };
    };
}
