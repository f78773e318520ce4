# One store path per Debian package: its files as they are at `/`. Nothing of a
# maintainer script runs here (nix/system.nix does declaratively what an image
# needs of them). Left out: manuals, translations, lintian's and documentation
# files; kept: usr/share/doc/*/copyright.
#
# Permissions come out as the store has them, so setuid bits are dropped before
# they are set: the sandbox refuses the system call.
{ runCommand, fetchurl }:
name:
{ version, file, url, sha256, requestedBy ? [ ] }:
let
  src = fetchurl { name = file; inherit url sha256; };
in
runCommand "deb-${name}"
{
  inherit src;
  allowedReferences = [ ];
} ''
  mkdir $out
  cd $out
  member=$(ar t $src | grep '^data\.tar')
  case $member in
    *.xz) decompress=xzcat ;;
    *.gz) decompress=zcat ;;
    *.bz2) decompress=bzcat ;;
    *.tar) decompress=cat ;;
    *) echo "deb-${name}: cannot read $member" >&2; exit 1 ;;
  esac
  ar p $src $member | $decompress | tar x --no-same-permissions --no-same-owner
  rm -rf usr/share/man usr/share/info usr/share/locale usr/share/lintian usr/share/doc-base
  if [ -d usr/share/doc ]; then
    find usr/share/doc -mindepth 2 ! -type d ! -name copyright -exec rm -f {} +
    find usr/share/doc -mindepth 1 -depth -type d -empty -exec rmdir {} ';'
  fi
'' // {
  pname = name;
  inherit version requestedBy src;
}
