# What the program is built from, and no more: an edit of the documentation, the tests or the examples builds nothing anew.
#
#   also   paths that are wanted besides
{ root, also ? [ ] }:
let
  inherit (builtins) any path stringLength substring;

  # Cargo wants to find the benches that Cargo.toml names.
  taken = [ "Cargo.toml" "Cargo.lock" "LICENSE" "build.rs" "src" "benches" "templates/init/codex" "templates/init/crypt" "nix" ] ++ also;
  # What build.rs leaves out of the embedded library.
  leftOut = [ "nix/forge" "nix/tests" "nix/README.md" ];

  startsWith = prefix: text: substring 0 (stringLength prefix) text == prefix;
  within = below: place: below == place || startsWith "${place}/" below;
in
path {
  name = "lychd-forge-source";
  path = root;
  filter = file: _:
    let below = substring (stringLength (toString root) + 1) (-1) file;
    in
    # a directory on the way to something that is taken, or what is below it
    any (place: within below place || within place below) taken && !(any (within below) leftOut);
}
