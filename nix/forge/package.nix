# The program with its completions and manual pages. It refers to the C library it was linked with, and to nothing else.
{ cargo, toolchain, version }:
cargo {
  name = "lychd-forge-${version}";
  allowedReferences = toolchain.runtime ++ [ "out" ];
  script = ''
    cargo build --release --frozen
    install -D -m 0755 target/release/lychd-forge $out/bin/lychd-forge
    install -D -m 0644 LICENSE $out/share/doc/lychd-forge/copyright
    forge=$out/bin/lychd-forge
    completions() {
      mkdir -p $out/share/$2
      $forge completions $1 > $out/share/$2/$3
    }
    completions bash bash-completion/completions lychd-forge
    completions zsh zsh/site-functions _lychd-forge
    completions fish fish/vendor_completions.d lychd-forge.fish
    $forge man --out $out/share/man/man1
  '';
}
