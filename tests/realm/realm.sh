#!/usr/bin/env bash
# The realm: a Debian 13 with systemd 257 and rootless podman 5.4 that is booted, used from outside, and powered off.
# $REALM_SUITE names another suite of Debian's; $REALM_PODMAN one from which podman alone comes, with what it needs, such as
# `forky`: the systemd of a newer Debian may want a newer kernel than there is.
#
#   realm.sh able                  says why this machine cannot boot one, or nothing
#   realm.sh build ROOT            a new root at ROOT; what Debian gives for it is kept as a tar file in $REALM_CACHE
#                                  (target/realm when it is not set)
#   realm.sh hold ROOT             boots it, prints `ready`, and powers it off when standard input ends; a line `reboot`
#                                  there reboots it, `cut` boots it after a power cut: `ready` again
#   realm.sh root|user ROOT CMD…   a command in it, as root or as `lych` (1000), beside that user's systemd; its exit
#                                  code is the script's
#
# Whoever holds the pipe to `hold` holds the machine: it goes with its holder, however that ends. It has no network but
# its own loopback. As root.
set -euo pipefail

here=$(cd "$(dirname "$0")/../.." && pwd)
cache=${REALM_CACHE:-$here/target/realm}
suite=${REALM_SUITE:-trixie}
podman_suite=${REALM_PODMAN:-$suite}
# What comes from there: without its C library apt refuses the rest.
of_podman=(podman crun conmon netavark aardvark-dns passt libc6 libc-bin)
user=lych
packages=(systemd systemd-sysv dbus dbus-user-session libpam-systemd podman crun passt netavark aardvark-dns nftables
    uidmap catatonit curl strace sudo btrfs-progs)

fail() { echo "realm: $*" >&2; exit 2; }

# Where control groups of this script's own can be made.
own_group() {
    local mount below
    mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
    below=$(sed -n 's/^0:://p' /proc/self/cgroup)
    [ -z "$mount" ] || echo "$mount${below%/}"
}

able() {
    local program group
    if [ "$(id -u)" != 0 ]; then echo "only root can boot one"; return; fi
    # What can be installed is no reason.
    for program in systemd-nspawn mmdebstrap nsenter setpriv flock; do
        command -v "$program" > /dev/null || fail "$program is missing: \`make prepare-test\` installs it"
    done
    group=$(own_group)
    if [ -z "$group" ]; then echo "no unified hierarchy of control groups is mounted"; return; fi
    if ! { mkdir "$group/lychd-realm-$$" && rmdir "$group/lychd-realm-$$"; } 2> /dev/null; then
        echo "no control group can be made in $group"
        return
    fi
    if ! unshare --mount --pid --fork true 2> /dev/null; then echo "no namespace can be made"; fi
}

# What only the archive can give. Everything else is done to the root itself, and needs no new tar.
make_tar() {
    local work
    # shellcheck source=tests/apt.sh
    . "$here/tests/apt.sh"
    work=$(mktemp -d "$cache/.new-XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    apt_settings > "$work/apt.conf"
    local include=("${packages[@]}") more=()
    if [ "$podman_suite" != "$suite" ]; then
        include+=("${of_podman[@]/%//$podman_suite}")
        printf 'Package: *\nPin: release n=%s\nPin-Priority: %d\n\n' "$suite" 990 "$podman_suite" 100 > "$work/pins"
        more=(--setup-hook="install -D -m 644 '$work/pins' \"\$1/etc/apt/preferences.d/realm\"")
        set -- "$1" "deb $(apt_mirror) $podman_suite main"
    fi
    mmdebstrap --quiet --variant=minbase --aptopt="$work/apt.conf" --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        "${more[@]}" --include="$(IFS=,; echo "${include[*]}")" "$suite" "$work/root.tar" "$(apt_mirror)" "${@:2}"
    mv "$work/root.tar" "$1"
    rm -rf "$work"
    trap - EXIT
}

# Takes the root for this script alone, once the machine of another has gone.
take() {
    # What has no such directory is no root of ours.
    [ -d "$state" ] || [ ! -e "$root" ] || fail "$root is there, and no realm"
    mkdir -p "$state"
    exec {held}> "$state/lock"
    flock --timeout 60 "$held" || fail "another machine runs in $root"
}

build() {
    local tar units=$root/etc/systemd/system unit
    tar=$(printf '%s\n' "${packages[@]}" | sha256sum | cut -c1-12)
    if [ "$podman_suite" != "$suite" ]; then tar=$podman_suite-$tar; fi
    tar=$cache/$suite-$tar.tar
    mkdir -p "$cache"
    exec {lock}> "$cache/lock"
    flock "$lock"
    [ -f "$tar" ] || make_tar "$tar"
    exec {lock}>&-

    take
    if [ -e "$root" ]; then rm -rf --one-file-system "$root"; fi
    mkdir -p "$root"
    tar --numeric-owner -C "$root" --exclude='./dev/*' -xpf "$tar"
    chmod 755 "$root"
    # With its subordinate numbers.
    chroot "$root" useradd --create-home --shell /bin/bash --uid 1000 --user-group "$user"
    # Its systemd runs from boot on, as after `loginctl enable-linger`.
    mkdir -p "$root/var/lib/systemd/linger"
    touch "$root/var/lib/systemd/linger/$user"
    # The host's devices are root's alone; these are the realm's own.
    cat > "$root/etc/tmpfiles.d/realm.conf" <<-'CONF'
	c! /dev/fuse 0666 root root - 10:229
	d /dev/net 0755 root root -
	c! /dev/net/tun 0666 root root - 10:200
	c! /dev/loop-control 0660 root root - 10:237
	CONF
    for unit in 0 1 2 3 4 5 6 7; do
        echo "b! /dev/loop$unit 0660 root root - 7:$unit" >> "$root/etc/tmpfiles.d/realm.conf"
    done
    echo "$user ALL=(ALL) NOPASSWD: ALL" > "$root/etc/sudoers.d/realm"
    # Without the controller of processes podman's default limit of them fails every container.
    mkdir -p "$root/etc/containers"
    printf '[containers]\npids_limit=0\n' > "$root/etc/containers/containers.conf"
    # A container gets a /proc of its own only where one is seen that nothing lies upon; systemd-nspawn covers parts of
    # the machine's.
    echo 'proc /run/proc proc nosuid,nodev,noexec 0 0' >> "$root/etc/fstab"
    # All that is said is kept, over a reboot too.
    mkdir -p "$root/var/log/journal" "$root/etc/systemd/journald.conf.d"
    printf '[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\n' > "$root/etc/systemd/journald.conf.d/realm.conf"
    for unit in systemd-modules-load.service systemd-networkd-wait-online.service console-getty.service \
        getty@tty1.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
    do ln -sf /dev/null "$units/$unit"; done
    : > "$root/etc/machine-id"
    echo realm > "$root/etc/hostname"
}

children() { cat "/proc/$1/task/$1/children" 2> /dev/null || :; }

# The supervisor that runs, and the first process of its machine; nothing while there is none.
supervisor() { children "$(cat "$state/pid")"; }
first() {
    local above child
    for above in $(supervisor); do
        for child in $(children "$above"); do
            if [ "$(cat "/proc/$child/comm" 2> /dev/null || :)" = systemd ]; then echo "$child"; fi
        done
    done
}

within() {
    local pid
    pid=$(first)
    [ -n "$pid" ] || fail "no machine runs in $root"
    exec nsenter --target "$pid" --all "$@"
}

# A process that only entered would be in none of the machine's control groups, where podman cannot work.
as_root() {
    within systemd-run --quiet --pipe --wait --collect "$@"
}

as_user() {
    within systemd-run --user --machine="$user@.host" --quiet --pipe --wait --collect \
        --working-directory="/home/$user" "$@"
}

# Waits until the machine and its user's systemd are up.
await() {
    local pid deadline=$((SECONDS + 180)) said
    while :; do
        [ -d "/proc/$(cat "$state/pid")" ] || { cat "$state/console" >&2; fail "the boot failed"; }
        [ "$SECONDS" -lt "$deadline" ] || { cat "$state/console" >&2; fail "the boot takes too long"; }
        pid=$(first)
        if [ -n "$pid" ] &&
            nsenter --target "$pid" --all test -S /run/systemd/private -a -S /run/dbus/system_bus_socket 2> /dev/null
        then break; fi
        sleep 0.05
    done
    said=$( (within timeout 120 systemctl is-system-running --wait) ) || {
        (within systemctl --failed --no-legend --plain) >&2
        fail "the machine is $said"
    }
    (within timeout 60 bash -c 'until systemctl --quiet is-active user@1000.service; do sleep 0.05; done')
}

# Takes the machine's control groups away: nspawn leaves them, in each hierarchy that it found.
remove_groups() {
    local mount group
    awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/self/mounts | while read -r mount; do
        find "$mount" -type d -name "$name" -prune | while read -r group; do
            find "$group" -depth -type d -exec rmdir {} \;
        done
    done
}

# The supervisor, in namespaces of its own: no mount of it is the host's. What it keeps of its machines below /run it
# wants in memory.
supervise='
mkdir -p /run/systemd/nspawn
mount -t tmpfs -o mode=755 nspawn /run/systemd/nspawn
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 SYSTEMD_SECCOMP=0
exec systemd-nspawn --quiet --boot --directory="$1" --machine="$2" --register=no --keep-unit --console=pipe \
    --resolv-conf=off --private-network --capability=all
'

# Boots the machine, and waits until it is up.
boot() {
    remove_groups
    mkdir "$group"
    (
        # In a control group of its own, which becomes the root of the machine's.
        echo "$BASHPID" > "$group/cgroup.procs"
        exec {held}>&-
        # If this script is killed, so is all that the namespaces hold.
        exec setpriv --pdeathsig KILL setsid unshare --mount --pid --fork --kill-child --mount-proc \
            bash -euc "$supervise" supervise "$root" "$name"
    ) < /dev/null > "$state/console" 2>&1 &
    echo $! > "$state/pid"
    await
}

# Ends the supervisor by a signal (0 for none), and by force after half a minute; its exit code is in `ended`.
stop() {
    local pid above deadline=$((SECONDS + 30))
    pid=$(cat "$state/pid")
    above=$(supervisor)
    : > "$state/pid"
    if [ -n "$above" ]; then kill -"$1" "$above" || :; fi
    if [ -z "$pid" ]; then return; fi
    while [ -d "/proc/$pid" ] && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.05; done
    if [ -d "/proc/$pid" ]; then
        echo "realm: the machine did not power off" >&2
        kill -KILL "$pid"
    fi
    ended=0
    wait "$pid" || ended=$?
    remove_groups
}

hold() {
    local wish
    take
    : > "$state/pid"
    group=$(own_group)
    [ -n "$group" ] || fail "no unified hierarchy of control groups is mounted"
    name=lychd-realm-$(echo "$root" | sha256sum | cut -c1-12)
    group=$group/$name
    # SIGTERM is by what it stops its machine in order.
    trap 'trap "" INT TERM HUP; stop TERM' EXIT
    trap 'exit 1' INT TERM HUP
    boot
    echo ready
    while read -r wish; do
        case $wish in
            reboot)
                # The command may go with its machine, whose supervisor ends by a code for those who start it again.
                (within systemctl reboot) || :
                stop 0
                [ "$ended" = 133 ] || fail "a reboot ended by code $ended"
                boot
                ;;
            cut)
                stop KILL
                boot
                ;;
            *) fail "what is held can be asked for a reboot or to be cut, not for \`$wish\`" ;;
        esac
        echo ready
    done
}

verb=${1-}
case $verb in
    able)
        able
        exit
        ;;
    build | hold | root | user)
        root=${2:?a root is to be named}
        # Where the booted machine is told of: its supervisor's process in `pid`, what its console says in `console`.
        state=$root.realm
        shift 2
        ;;
    *) fail "one of: able, build, hold, root, user" ;;
esac
case $verb in
    root) as_root "$@" ;;
    user) as_user "$@" ;;
    *) "$verb" ;;
esac
