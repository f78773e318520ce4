# A wheel: a pinned file, installed into a store path of its own.
#
#   out   what it puts below /app/.venv: lib/python3.x/site-packages/…, bin/…
#   meta  JSON: its scripts and its ELF files
{ download, installWheel }:
{ name, version, file, sha256, url ? null, path ? null, requestedBy ? [ ] }:
installWheel {
  inherit name version requestedBy;
  wheel = download { inherit file sha256 url path; };
}
