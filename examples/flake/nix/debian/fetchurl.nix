# A fixed-output download. The store path is a function of `name` and the hash
# alone, so a mirror is configuration and never identity. The hash is `sha256`
# in hex or `hash`, one SRI (of a list Nix would read the first and no more).
{ name, url, sha256 ? null, hash ? null }:
assert (sha256 == null) != (hash == null) || throw "fetchurl ${name}: exactly one of sha256 and hash";
assert hash == null || builtins.match "sha(256|512)-[A-Za-z0-9+/]+=*" hash != null || throw "fetchurl ${name}: ${hash} is not one SRI of sha256 or sha512";
derivation {
  inherit name url;
  urls = [ url ];
  builder = "builtin:fetchurl";
  system = "builtin";
  preferLocalBuild = true;
  unpack = false;
  executable = false;
  outputHashMode = "flat";
  outputHashAlgo = if hash == null then "sha256" else null;
  outputHash = if hash == null then sha256 else hash;
}
