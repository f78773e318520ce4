#!/usr/bin/env bash
# Enters a bare Debian: what `debootstrap --variant=minbase` gives and nothing else, to see what a newcomer sees.
#
#   tests/bare-root.sh [OPTIONS] bookworm|trixie [COMMAND [ARGUMENT…]]     (as root; without a command: a shell)
#
#   --checkout    the last commit of this repository, cloned to /src, where the command starts
#   --rust        this host's Rust, read-only; what Cargo downloads is the root's own
#   --user        the command runs as the ordinary user `magus` (1000, in no group, without sudo), not as root
#   --keep DIR    the root lies at DIR and stays: when it is there, it is entered as it was left
#
# Every other run has a new root, which goes with it. What an ordinary user needs installed is therefore two runs:
#
#   tests/bare-root.sh --keep /var/tmp/root --checkout --rust trixie sh -c 'apt-get update && apt-get install -y make && make prepare-test'
#   tests/bare-root.sh --keep /var/tmp/root --user --rust trixie make test
#
# The root is made once (with mmdebstrap or debootstrap) and kept as a tar file below $BARE_ROOT_CACHE (target/bare-root
# when it is not set). It is entered by `pivot_root` in a mount and process namespace of its own, for in a `chroot`
# user namespaces are refused. It has the host's network and kernel, its own /proc, /dev, /run and /tmp, and of the host
# how to reach package archives: name servers, apt's settings for downloads, proxies, certificates, and the
# configuration of pip, npm and Cargo.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
cache=${BARE_ROOT_CACHE:-$here/target/bare-root}
cargo_home=${CARGO_HOME:-$HOME/.cargo}
rustup_home=${RUSTUP_HOME:-$HOME/.rustup}

fail() { echo "bare-root: $*" >&2; exit 2; }

checkout='' rust='' user=root kept=''
while [ "${1#--}" != "${1-}" ]; do
    case $1 in
        --checkout) checkout=1 ;;
        --rust) rust=1 ;;
        --user) user=magus ;;
        --keep) kept=${2:?--keep needs a directory}; shift ;;
        *) fail "unknown option $1" ;;
    esac
    shift
done
suite=${1-}
case $suite in
    bookworm | trixie) shift ;;
    *) fail "name bookworm or trixie" ;;
esac
[ $# -gt 0 ] || set -- bash
[ "$(id -u)" = 0 ] || fail "mounting needs root"

# shellcheck source=tests/apt.sh
. "$here/tests/apt.sh"

# The tar of the bare root.
make_tar() {
    work=$(mktemp -d "$cache/.new-XXXXXX")
    trap 'rm -rf "$work"' EXIT
    if command -v mmdebstrap >/dev/null; then
        apt_settings > "$work/apt.conf"
        mmdebstrap --quiet --variant=minbase --aptopt="$work/apt.conf" "$suite" "$work/root.tar" "$(apt_mirror)"
    elif command -v debootstrap >/dev/null; then
        debootstrap --variant=minbase "$suite" "$work/root" "$(apt_mirror)" >&2
        tar --numeric-owner -C "$work/root" -cf "$work/root.tar" .
    else
        fail "mmdebstrap or debootstrap is needed"
    fi
    mv "$work/root.tar" "$cache/$suite.tar"
    rm -rf "$work"
}

mkdir -p "$cache"
exec {lock}> "$cache/$suite.lock"
flock "$lock"
[ -f "$cache/$suite.tar" ] || make_tar
exec {lock}>&-

root=$kept
if [ -z "$root" ]; then
    root=$(mktemp -d "$cache/.root-XXXXXX")
    trap 'rm -rf --one-file-system "$root"' EXIT
fi
if [ ! -e "$root/etc/debian_version" ]; then
    mkdir -p "$root"
    tar --numeric-owner -C "$root" --exclude='./dev/*' -xpf "$cache/$suite.tar"
    chmod 755 "$root"
    chroot "$root" useradd --create-home --shell /bin/bash --uid 1000 --user-group magus
    apt_settings > "$root/etc/apt/apt.conf.d/99host"
    [ -z "$checkout" ] || git clone --quiet --no-hardlinks "file://$here" "$root/src"
fi
for file in /etc/resolv.conf /etc/hosts /etc/hostname /etc/pip.conf /etc/npmrc; do
    if [ -e "$file" ]; then cp --dereference "$file" "$root$file"; fi
done
home=/root
[ "$user" = root ] || home=/home/$user
environment=(HOME="$home" USER="$user" LOGNAME="$user" TERM="${TERM:-dumb}" LANG=C.UTF-8)
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# taken FILE PLACE: a file of the host's in the home directory.
taken() {
    if [ -e "$1" ]; then mkdir -p "$root$home/$(dirname "$2")" && cp --dereference "$1" "$root$home/$2"; fi
}
for file in .npmrc .config/npm/npmrc .pip/pip.conf .config/pip/pip.conf .config/uv/uv.toml; do
    taken "$HOME/$file" "$file"
done
if [ -n "$rust" ]; then
    path=$cargo_home/bin:$path
    environment+=(RUSTUP_HOME="$rustup_home" CARGO_HOME="$home/.cargo")
    mkdir -p "$root$home/.cargo"
    for file in config.toml config credentials.toml; do taken "$cargo_home/$file" ".cargo/$file"; done
fi
environment+=(PATH="$path")
# Proxies and indexes as they are; a file of certificates has a place in the root.
while IFS='=' read -r -d '' name value; do
    case $name in
        *_proxy | *_PROXY | *_INDEX_URL | *_INDEX | npm_config_registry | CARGO_HTTP_* | CARGO_NET_* | CARGO_SOURCE_* | \
            CARGO_REGISTRIES_* | RUSTUP_AUTO_INSTALL | RUSTUP_TOOLCHAIN | RUSTUP_DIST_SERVER)
            environment+=("$name=$value")
            ;;
        *CERT* | *_CA_* | *CAINFO*)
            if [ -f "$value" ]; then
                install -D --mode=644 "$value" "$root/etc/host-certificates/$name"
                environment+=("$name=/etc/host-certificates/$name")
            fi
            ;;
    esac
done < <(env --null)
if [ "$user" != root ]; then
    chown -R 1000:1000 "$root$home"
    if [ -e "$root/src" ]; then chown -R 1000:1000 "$root/src"; fi
fi

# Runs in namespaces of its own: $1 the root, $2 the user, $3 the number of directories to show read-only, these, and
# then what `env` gets.
enter='
root=$1 user=$2 shown=$3
shift 3
mount --make-rprivate /
mount --bind "$root" "$root"
while [ "$shown" -gt 0 ]; do
    mkdir -p "$root$1"
    mount --bind "$1" "$root$1"
    mount -o remount,bind,ro "$root$1"
    # An ordinary user must get there.
    above=$1
    while above=$(dirname "$above"); [ "$above" != / ]; do chmod o+x "$root$above"; done
    shift
    shown=$((shown - 1))
done
cd "$root"
mount -t proc -o nosuid,nodev,noexec proc proc
mount --rbind /sys sys
mount -t tmpfs -o mode=755,nosuid dev dev
for device in null zero full random urandom tty fuse net/tun kvm; do
    [ -e "/dev/$device" ] || continue
    mkdir -p "dev/$(dirname "$device")"
    mknod --mode=666 "dev/$device" c "0x$(stat --format=%t "/dev/$device")" "0x$(stat --format=%T "/dev/$device")"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t tmpfs -o mode=755,nosuid,nodev run run
mkdir --mode=1777 run/lock
chmod 1777 tmp
pivot_root . .
umount --lazy .
cd /src 2> /dev/null || cd /
as=()
[ "$user" = root ] || as=(setpriv --reuid=1000 --regid=1000 --init-groups)
exec "${as[@]}" env --ignore-environment "$@"
'
shown=()
[ -z "$rust" ] || shown=("$cargo_home/bin" "$rustup_home")
status=0
# Whatever runs in the root ends with this script, however that ends.
setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child bash -euo pipefail -c "$enter" bare-root \
    "$root" "$user" "${#shown[@]}" "${shown[@]}" "${environment[@]}" "$@" || status=$?
exit "$status"
