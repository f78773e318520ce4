# A fixed-output download. The store path is a function of `name` and `sha256`
# alone, so a mirror is configuration and never identity.
{ name, url, sha256 }:
derivation {
  inherit name url;
  urls = [ url ];
  builder = "builtin:fetchurl";
  system = "builtin";
  preferLocalBuild = true;
  unpack = false;
  executable = false;
  outputHashMode = "flat";
  outputHashAlgo = "sha256";
  outputHash = sha256;
}
