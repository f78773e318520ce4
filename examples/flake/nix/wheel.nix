# A wheel of an index: a pinned download, installed into a store path of its own.
#
#   out   what it puts below /app/.venv: lib/python3.x/site-packages/…, bin/…
#   meta  JSON: its scripts and its ELF files
{ pkgs, installWheel }:
{ name, version, file, url, sha256, requestedBy ? [ ] }:
installWheel {
  inherit name version requestedBy;
  wheel = pkgs.fetchurl { name = file; inherit url sha256; };
}
