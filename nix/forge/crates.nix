# The crates of Cargo.lock: each one a download pinned by the lock's own checksum.
{ fetchurl }:
lockFile:
let
  inherit (builtins) filter fromTOML map readFile;

  registry = "registry+https://github.com/rust-lang/crates.io-index";
  # The packages without a source are the workspace's own.
  foreign = filter (package: package ? source) (fromTOML (readFile lockFile)).package;

  crate = { name, version, source, checksum ? null, ... }:
    assert source == registry || throw "Cargo.lock: ${name} ${version} is from ${source}, not from crates.io";
    assert checksum != null || throw "Cargo.lock: ${name} ${version} has no checksum";
    {
      inherit name version checksum;
      file = fetchurl {
        name = "${name}-${version}.crate";
        url = "https://static.crates.io/crates/${name}/${version}/download";
        sha256 = checksum;
      };
    };
in
map crate foreign
