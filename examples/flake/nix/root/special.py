"""What a store path cannot hold of a package: modes other than 0644 and 0755, owners
other than root, and hard links.

A list of them lies beside each package: lines of busybox's `tar tv` as they
stand. In the image there are no setuid and setgid bits: its containers have no
new privileges (podman's --security-opt), and many a host takes them off.
"""

import re

LINE = re.compile(r"([-d])([r-][w-][xsS-][r-][w-][xsS-][r-][w-][xtT-]) ([^/\s]+)/(\S+) +\d+ \S+ \S+ \./(.*)")
TWIN = " -> ./"
# base-files and base-passwd: the only users and groups that a package can ship files of.
USERS = {"root": 0, "daemon": 1, "bin": 2, "sys": 3, "games": 5, "man": 6, "lp": 7, "mail": 8, "news": 9, "uucp": 10, "proxy": 13, "www-data": 33, "backup": 34, "list": 38, "irc": 39, "nobody": 65534}
GROUPS = {
    **{"root": 0, "daemon": 1, "bin": 2, "sys": 3, "adm": 4, "tty": 5, "disk": 6, "lp": 7, "mail": 8, "news": 9, "uucp": 10, "man": 12, "proxy": 13, "kmem": 15, "dialout": 20, "fax": 21, "voice": 22, "cdrom": 24, "floppy": 25, "tape": 26},
    **{"sudo": 27, "audio": 29, "dip": 30, "www-data": 33, "backup": 34, "operator": 37, "list": 38, "irc": 39, "src": 40, "shadow": 42, "utmp": 43, "video": 44, "sasl": 45, "plugdev": 46, "staff": 50, "games": 60, "users": 100, "nogroup": 65534},
}


# What is not worth a line: by kind and whether the owner may run it.
USUAL = {"-x": (0o755, 0, 0), "--": (0o644, 0, 0), "dx": (0o755, 0, 0)}


def number(name, table):
    if name.isdigit():
        return int(name)
    return table.get(name)


def mode_of(letters):
    """The mode of nine letters, with the sticky bit, without setuid and setgid."""
    mode = 0
    for index, letter in enumerate(letters):
        if letter not in "-ST":
            mode |= 0o400 >> index
    return mode | (0o1000 if letters[8] in "tT" else 0)


def read(text, label):
    """(path -> (mode, uid, gid), path -> the path that it is a hard link of) of a list.
    All names of one file have the mode and owner of the entry that has its bytes."""
    modes, twins = {}, {}
    for line in text.splitlines():
        match = LINE.fullmatch(line)
        uid, gid = (number(match[3], USERS), number(match[4], GROUPS)) if match else (None, None)
        if uid is None or gid is None:
            raise SystemExit(f"error: {label}: mode or owner cannot be read: {line}")
        path, twin, first = match[5].partition(TWIN)
        path = path.rstrip("/")
        if twin and match[1] == "-":
            twins[path] = first
        if path and (mode_of(match[2]), uid, gid) != USUAL.get(match[1] + match[2][2]):
            modes[path] = (mode_of(match[2]), uid, gid)
    return modes, twins


def account(debs, union):
    """Of all packages, for the places that they have in the root: "modes" (place ->
    mode in octal, uid, gid) and "hard_links" (place -> place of the first name)."""
    places = {(package.path, path): place for place, (package, path) in union.owners.items()}
    modes, links = {}, {}
    for deb in debs:
        with open(deb["special"], encoding="utf-8", errors="surrogateescape") as file:
            known, twins = read(file.read(), f"package {deb['name']}")
        for path, (mode, uid, gid) in known.items():
            # of a directory, what its first package says, as dpkg makes it once
            place = places.get((deb["path"], path)) or union.directory_of(deb["path"], path)
            if place is not None:
                modes[place] = [f"{mode:o}", uid, gid]
        groups = {}
        for path, first in twins.items():
            groups.setdefault(first, {first}).add(path)
        for first, group in groups.items():
            # in the order of a layer, in which the bytes come before their other names
            present = sorted((places[deb["path"], path] for path in group if (deb["path"], path) in places), key=lambda place: place.split("/"))
            for place in present[1:]:
                links[place] = present[0]
            if present and first in known:
                mode, uid, gid = known[first]
                modes.update({place: [f"{mode:o}", uid, gid] for place in present})
    return {"modes": modes, "hard_links": links}
