# The example's body, from its committed locks and its committed flake: no input is ever reached.
{
  description = "lychd-forge: many manifests, one proven body";

  outputs =
    { self }:
    let
      example = (import ./examples/flake/flake.nix).outputs { inherit self; };
    in
    {
      inherit (example) packages;
    };
}
