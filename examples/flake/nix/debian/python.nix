# The Python that builders run: a copy of the pinned Debian packages, started
# through its own loader, so that no path of the host takes part.
#
# pyvenv.cfg beside `bin/python3` is what tells an interpreter in isolated mode
# (-I, which ignores PYTHONHOME) where its library is.
#
#   raw       without bytecode: it compiles the library once (bytecode.nix)
#   bytecode  that library's bytecode, or null
{ seed, runCommand, version, debs, bytecode }:
let
  triplet = "x86_64-linux-gnu";
  out = runCommand (if bytecode == null then "python${version}-raw" else "python${version}") { inherit debs; } ''
    mkdir -p $out/bin $out/usr
    # directories of the store cannot be written to, nor can their copies
    writable() { find $out -type d ! -perm -200 -exec chmod u+w {} +; }
    for deb in $debs; do
      # bookworm keeps /lib apart from /usr, trixie does not
      for part in lib lib64 bin; do
        if [ -d $deb/$part ] && ! [ -L $deb/$part ]; then
          mkdir -p $out/usr/$part
          cp -a $deb/$part/. $out/usr/$part/
          writable
        fi
      done
      if [ -d $deb/usr ]; then cp -a $deb/usr/. $out/usr/; fi
      writable
    done
    rm -rf $out/usr/share/doc
    ${if bytecode == null then "" else "cp -a ${bytecode}/usr/lib/. $out/usr/lib/"}
    printf 'home = %s/usr/bin\ninclude-system-site-packages = false\n' $out > $out/pyvenv.cfg
    printf '#!%s sh\nexec %s --library-path %s --argv0 %s %s "$@"\n' ${seed.busybox} \
      $out/usr/lib/${triplet}/ld-linux-x86-64.so.2 \
      $out/usr/lib/${triplet} $out/bin/python3 $out/usr/bin/python${version} > $out/bin/python3
    chmod 0755 $out/bin/python3
    $out/bin/python3 -I -S -B -c 'import encodings'
  '';
  library = "${out}/usr/lib/${triplet}";
in
out // rec {
  inherit version;
  loader = "${library}/ld-linux-x86-64.so.2";
  libraries = [ library ];
  program = "${out}/usr/bin/python${version}";
  # Arguments of `loader` that start the interpreter without a shell.
  arguments = [ "--library-path" library "--argv0" "${out}/bin/python3" program ];
}
