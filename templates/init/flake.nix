# The body of ./codex and ./crypt, from the flake that `lychd-forge` writes into ./flake.
{
  description = "A living application, forged into one container image";

  outputs =
    { self }:
    if builtins.pathExists ./flake/flake.nix then
      (import ./flake/flake.nix).outputs { inherit self; }
    else
      throw "there is no flake/ yet: run `lychd-forge --codex codex --crypt crypt transmute --out flake`";
}
