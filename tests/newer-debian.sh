#!/usr/bin/env bash
# What a newer Debian has of podman's generator and of systemd-analyze, unpacked and with a script for each that starts it:
# DIR/quadlet and DIR/systemd-analyze.
#
#   tests/newer-debian.sh forky|experimental DIR
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/apt.sh
. "$here/apt.sh"
suite=$1 directory=$2
mirror=$(apt_mirror)
case $suite in
    forky) podman=podman from=(forky "deb $mirror forky main") ;;
    # What experimental has not is sid's.
    experimental) podman=podman/experimental from=(sid "deb $mirror sid main" "deb $mirror experimental main") ;;
    *) echo "newer-debian: name forky or experimental" >&2; exit 2 ;;
esac
mkdir -p "$directory"
apt_settings > "$directory/apt.conf"
mmdebstrap --quiet --variant=extract --aptopt="$directory/apt.conf" --aptopt='APT::Install-Recommends "false"' \
    --include="$podman,systemd,libc6" "${from[0]}" "$directory/root" "${from[@]:1}"
libraries=$(dirname "$(find "$directory/root/usr/lib" -name 'ld-linux-*.so.*' -path '*-linux-gnu/*' | head -n 1)")
loader=$(find "$libraries" -maxdepth 1 -name 'ld-linux-*.so.*')
for program in libexec/podman/quadlet bin/systemd-analyze; do
    script=$directory/${program##*/}
    printf '#!/bin/sh\nexec %s --library-path %s %s "$@"\n' "$loader" "$libraries:$libraries/systemd" \
        "$directory/root/usr/$program" > "$script"
    chmod +x "$script"
done
