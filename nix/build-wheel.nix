# A wheel, built by PEP 517 in a locked build environment.
#
#   source   a directory, or a source archive that holds one
#   assets   of forge.asset: laid over the source, each at its `output`
#   native   whether there is a compiler
{ pkgs, scripts }:
{ name, derivationName, source, environment, backend, subdirectory ? null, assets ? [ ], native ? false, requestedBy ? [ ] }:
pkgs.runPython {
  name = derivationName;
  script = "${scripts}/build_wheel.py";
  spec = {
    inherit name backend;
    source = "${source}";
    environment = environment.spec // (if native then { inherit (pkgs.compiler) headers; } else { });
    requested_by = requestedBy;
  }
  // (if assets == [ ] then { } else { assets = map (asset: { inherit (asset) output; path = "${asset}"; }) assets; })
  // (if subdirectory == null then { } else { inherit subdirectory; })
  // (if native then { compiler = pkgs.compiler.environment; } else { });
}
