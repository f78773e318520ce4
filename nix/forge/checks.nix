# What `nix flake check` builds.
{ pkgs, cargo, tested, package, apps, image, version }:
{
  # The installed program starts, and its completions and pages are there.
  package = pkgs.runCommand "lychd-forge-package-check" { } ''
    forge=${package}/bin/lychd-forge
    test "$($forge --version)" = "lychd-forge ${version}"
    cd ${package}/share
    for completions in bash-completion/completions/lychd-forge zsh/site-functions/_lychd-forge fish/vendor_completions.d/lychd-forge.fish; do
      grep -q synthesize $completions
    done
    pages=0
    for heading in $($forge man | awk '$1 == ".TH" { print $2 }'); do
      grep -q "^\.TH $heading 1" man/man1/$heading.1
      pages=$((pages + 1))
    done
    test $pages -ge 10
    test $(ls man/man1 | wc -l) = $pages
    # the app is the verb: arguments go in, words and exit codes come out
    cd $TMPDIR
    try() {
      code=0
      "$@" "a b" --no-such-option > said 2>&1 || code=$?
      echo exit $code >> said
      cat said
    }
    try $forge bind > verb
    try ${apps.bind.program} > app
    cmp verb app
    grep -q "exit 2" app
    echo $pages pages > $out
  '';

  # The example's image evaluates; nothing of it is built.
  image = pkgs.runCommand "lychd-image-check" { image = builtins.unsafeDiscardStringContext image.drvPath; } ''
    echo $image > $out
  '';

  # All of `cargo test --lib`; they need no program that is not there. Optimized, they would take twice as long to build.
  unit-tests = cargo {
    name = "lychd-forge-unit-tests";
    from = tested;
    CARGO_PROFILE_DEV_OPT_LEVEL = "0";
    CARGO_PROFILE_DEV_DEBUG = "none";
    script = ''
      cargo test --frozen --lib
      touch $out
    '';
  };
}
