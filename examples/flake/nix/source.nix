# A package that has no wheel: a source archive, or a source tree in the flake
# (`source`, with its NAR hash), built by its own backend, then installed as any
# wheel is.
{ download, buildWheel, installWheel }:
{ name
, version
, file ? null
, sha256 ? null
, url ? null
, path ? null
, source ? null
, hash ? null
, environment
, backend
, subdirectory ? null
, native ? false
, requestedBy ? [ ]
}:
let
  tree =
    if source == null then download { inherit file sha256 url path; }
    else builtins.path { name = "${name}-source"; path = source; sha256 = hash; };
  wheel = buildWheel {
    inherit name environment backend subdirectory native;
    derivationName = "${name}-${version}-wheel";
    source = tree;
    # Not requestedBy: one more requester must not build it anew.
  };
in
installWheel { inherit name version wheel requestedBy; }
