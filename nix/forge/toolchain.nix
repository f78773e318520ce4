# Rust, its linter and formatter, a C compiler and bash: the Debian packages of ./toolchain in one tree, whose programs
# start through the tree's own loader.
#
#   bin       for PATH: all that a build needs
#   beside    for PATH before it, at work: `cargo clippy` and `cargo fmt`
#   linker    makes programs that start on any host, with the loader and the libraries of `runtime`
#   runtime   the packages that such a program refers to
{ pkgs }:
let
  inherit (pkgs) debs seed runCommand;
  tree = pkgs.compiler;
  triplet = "x86_64-linux-gnu";
  libraries = deb: "${deb}/usr/lib/${triplet}";
  loader = "ld-linux-x86-64.so.2";

  runtime = [ debs.libc6 debs.libgcc-s1 ];

  # DT_RPATH and not DT_RUNPATH: a library of the host in LD_LIBRARY_PATH would not fit this loader.
  linker = runCommand "lychd-forge-linker" { } ''
    cat > $out <<'END'
    #!${seed.busybox} sh
    exec ${tree}/usr/bin/gcc -Wl,--dynamic-linker=${libraries debs.libc6}/${loader} -Wl,--disable-new-dtags \
      -Wl,-rpath,${builtins.concatStringsSep ":" (map libraries runtime)} "$@"
    END
    chmod 0755 $out
  '';

  # These look for their drivers beside the file that the kernel started, which is the loader: so there is one with the
  # drivers beside it.
  beside = runCommand "cargo-commands" { } ''
    mkdir -p $out/bin $out/libexec
    cp ${tree}/usr/lib/${triplet}/${loader} $out/libexec/
    ln -s ${tree}/usr/bin/clippy-driver ${tree}/usr/bin/rustfmt $out/libexec/
    for name in cargo-clippy cargo-fmt; do
      cat > $out/bin/$name <<END
    #!${seed.busybox} sh
    exec $out/libexec/${loader} --library-path ${tree}/usr/lib/${triplet} \
      --argv0 $out/bin/$name ${tree}/usr/bin/.$name-program "\$@"
    END
      chmod 0755 $out/bin/$name
    done
  '';
in
{
  inherit linker runtime;
  bin = "${tree}/usr/bin";
  beside = "${beside}/bin";
  bash = "${tree}/usr/bin/bash";
  # Cargo tells its children where it is; it would name the loader.
  cargo = "${tree}/usr/bin/cargo";
}
