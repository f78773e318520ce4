"""Holds the root of an image against the one that apt makes of the same packages.

    compare.py ROOT SCRATCH EXCLUDES TABLE… < {"debs": {"name": {"path": of its .deb, "image": bool}},
                                               "answers": lines for debconf-set-selections}

The .debs become an archive of their own, for Debian's has moved on, and mmdebstrap installs
all of them from it, those too that an image only has while it is built. Then every path of
either root is compared: kind, bytes or target, permissions, owner. Prints {"compared":
paths, "different": [lines]}, without what one of the tables excepts with a reason.

EXCLUDES is the table of what is not unpacked; a TABLE has rows `PATTERN [unless PACKAGE]
because REASON`, as the forge's own of what is not kept.
"""

import fnmatch
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys

ROOT, SCRATCH, EXCLUDES, *TABLES = sys.argv[1:]
ROW = re.compile(r"(\S+)(?: unless (\S+))? because .+")
GIVEN = json.load(sys.stdin)
DEBS, ANSWERS = GIVEN["debs"], GIVEN["answers"]
ARCHIVE, APT = f"{SCRATCH}/archive", f"{SCRATCH}/apt"


def rows(path):
    with open(path, encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip() and not line.startswith("#")]


def archive():
    os.mkdir(ARCHIVE)
    stanzas = []
    for deb in DEBS.values():
        name = os.path.basename(deb["path"])
        shutil.copyfile(deb["path"], f"{ARCHIVE}/{name}")
        with open(deb["path"], "rb") as file:
            content = file.read()
        fields = subprocess.run(["dpkg-deb", "-f", deb["path"]], check=True, stdout=subprocess.PIPE, text=True).stdout
        stanzas.append(f"{fields.strip()}\nFilename: ./{name}\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n")
    with open(f"{ARCHIVE}/Packages", "w", encoding="utf-8") as file:
        file.write("\n".join(stanzas))


def options():
    """dpkg's own words for the table of what is not unpacked."""
    for row in rows(EXCLUDES):
        path, word, name, *_ = row.split()
        yield f"path-exclude=/{path}/*"
        if word == "but":
            yield f"path-include=/{path}/*/{name}"
    yield "force-unsafe-io"


def install():
    archive()
    with open(f"{SCRATCH}/dpkg.cfg", "w", encoding="utf-8") as file:
        file.writelines(f"{option}\n" for option in options())
    command = ["mmdebstrap", "--quiet", "--variant=custom", f"--include={','.join(DEBS)}", f"--dpkgopt={SCRATCH}/dpkg.cfg"]
    # dpkg makes no directory of what it does not unpack, and update-alternatives fails without those of manuals
    command += [f"--setup-hook=mkdir -p \"$1/usr/share/man/man{section}\"" for section in range(1, 9)]
    # no cluster, as in the forge's build
    command += ["--setup-hook=mkdir -p \"$1/etc/postgresql-common/createcluster.d\" && echo 'create_main_cluster = false' > \"$1/etc/postgresql-common/createcluster.d/forge.conf\""]
    if ANSWERS:
        with open(f"{SCRATCH}/answers", "w", encoding="utf-8") as file:
            file.write(ANSWERS)
        # when all files are there and nothing is configured
        command += [f"--extract-hook=chroot \"$1\" debconf-set-selections < {SCRATCH}/answers"]
    command += ["sid", APT, f"deb [trusted=yes] copy:{ARCHIVE} ./"]
    subprocess.run(command, check=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1"}, stdout=sys.stderr)


def names(root, file):
    """number -> name. The numbers that scripts give depend on what else is there; the names do not."""
    with open(f"{root}/etc/{file}", encoding="utf-8") as text:
        fields = [line.split(":") for line in text]
    return {int(field[2]): field[0] for field in reversed(fields)}


def state(root):
    """path -> what is compared of it."""
    found, users, groups = {}, names(root, "passwd"), names(root, "group")
    for directory, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(directory, name)
            known = os.lstat(path)
            mode = f"{stat.S_IMODE(known.st_mode) & 0o1777:o} {users.get(known.st_uid)}:{groups.get(known.st_gid)}"
            if stat.S_ISLNK(known.st_mode):
                what = f"link to {os.readlink(path)}"
            elif stat.S_ISDIR(known.st_mode):
                what = f"directory {mode}"
            elif stat.S_ISREG(known.st_mode):
                with open(path, "rb") as file:
                    content = file.read()
                if name in ("shadow", "gshadow"):
                    # names and passwords: accounts stand in the order of their making, and age from it
                    content = b"\n".join(sorted(b":".join(line.split(b":")[:2]) for line in content.split(b"\n")))
                what = f"file {hashlib.sha256(content).hexdigest()[:16]} {mode}"
            else:
                what = "something else"
            found[os.path.relpath(path, root)] = what
    return found


def main():
    install()
    image = {name for name, deb in DEBS.items() if deb["image"]}
    excepted = [match[1] for table in TABLES for row in rows(table) if (match := ROW.fullmatch(row)) and match[2] not in image]
    # of packages that an image does not have
    elsewhere = {path for name, deb in DEBS.items() if not deb["image"] for path in listed(deb["path"])}
    # directories and links that lead to what is not unpacked: dpkg makes them all the same
    below = tuple(row.split()[0] for row in rows(EXCLUDES))
    one, other = state(APT), state(ROOT)
    is_excepted = lambda path: any(fnmatch.fnmatchcase(path, row) or fnmatch.fnmatchcase(path, f"{row}/*") for row in excepted)
    # a link to what is excepted may have its name of it
    target = lambda path: os.path.normpath(os.path.join("/", os.path.dirname(path), os.readlink(f"{APT}/{path}"))).lstrip("/")
    different = [
        f"/{path}: apt {one.get(path, 'nothing')}, the image {other.get(path, 'nothing')}"
        for path in sorted({*one, *other})
        if one.get(path) != other.get(path)
        and not (path not in other and (path in elsewhere or path.startswith(below)))
        and not is_excepted(path)
        and not (one.get(path, "").startswith("link") and path not in other and is_excepted(target(path)))
    ]
    print(json.dumps({"compared": len(one), "different": different}))


def listed(deb):
    text = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], check=True, stdout=subprocess.PIPE).stdout
    listing = subprocess.run(["tar", "t"], input=text, check=True, stdout=subprocess.PIPE).stdout.decode(errors="surrogateescape")
    return [line.removeprefix("./").rstrip("/") for line in listing.splitlines()]


main()
