# The body of ./codex and ./crypt, and the forge at work on them. `nix flake lock` writes down which forge that is.
{
  description = "A living application, forged into one container image";

  # Where you have the forge from: a directory, or a repository such as `git+https://…`.
  inputs.lychd-forge.url = "path:/path/to/lychd-forge";

  outputs = { self, lychd-forge }: lychd-forge.lib.federation { inherit self; };
}
