# A pinned file: a download, or one that lies in the flake. The store path is the
# same for both.
{ pkgs }:
{ file, sha256, url ? null, path ? null }:
if path == null then pkgs.fetchurl { name = file; inherit url sha256; }
else builtins.path { name = file; inherit path sha256; recursive = false; }
