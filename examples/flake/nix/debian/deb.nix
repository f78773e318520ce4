# One store path per Debian package: its files as they are at `/`, but for what
# path-excludes names. Nothing of a maintainer script runs here (nix/system.nix).
#
#   out      the files. Permissions come out as the store has them, so setuid bits
#            are dropped before they are set: the sandbox refuses the system call.
#   special  what the store cannot hold, as lines of `tar tv`: modes other than
#            0644 and 0755, owners other than root, hard links (root/special.py)
#   listing  every path of the package, as its archive has them
{ runCommand, fetchurl }:
name:
{ version, file, url, sha256, requestedBy ? [ ] }:
let
  src = fetchurl { name = file; inherit url sha256; };
in
runCommand "deb-${name}"
{
  inherit src;
  outputs = [ "out" "special" "listing" ];
  excludes = ./path-excludes;
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
  ar p $src $member | $decompress > $NIX_BUILD_TOP/data.tar
  tar x --no-same-permissions --no-same-owner -f $NIX_BUILD_TOP/data.tar
  tar t -f $NIX_BUILD_TOP/data.tar > $listing
  tar tv -f $NIX_BUILD_TOP/data.tar | awk '
    /^l/ { next }
    /^-/ && / -> \.\// { print; next }
    / root\/root / && (/^[-d]rwxr-xr-x / || /^-rw-r--r-- /) { next }
    { print }' > $special
  while read -r path except name why; do
    case $path in
      "#"* | "") continue ;;
    esac
    if [ "$except" = but ]; then
      if [ -d $path ]; then
        find $path -mindepth 2 ! -type d ! -name $name -exec rm -f {} +
        find $path -mindepth 1 -depth -type d -empty -exec rmdir {} ';'
      fi
    else
      rm -rf $path
    fi
  done < $excludes
'' // {
  pname = name;
  inherit version requestedBy src;
}
