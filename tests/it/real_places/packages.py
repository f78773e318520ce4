"""Holds the root of an image against what `dpkg -x` puts there.

    packages.py ROOT EXCLUDES SCRATCH < [paths of .deb files]

Prints {"compared": paths, "different": [lines]}.
"""

import concurrent.futures
import filecmp
import json
import os
import stat
import subprocess
import sys

ROOT, EXCLUDES, SCRATCH = sys.argv[1:]
LINKS = [link for link in ("bin", "sbin", "lib", "lib64", "var/run", "var/lock") if os.path.islink(f"{ROOT}/{link}")]


def excludes():
    """(path, name that is kept or None) of each line of the table."""
    with open(EXCLUDES, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                path, word, name, *_ = line.split()
                yield path, name if word == "but" else None


TABLE = list(excludes())


def excluded(path):
    for place, name in TABLE:
        if path == place or path.startswith(place + "/"):
            # of what is kept, the directories above it are kept as well
            return name is None or os.path.basename(path) != name
    return False


def place(path):
    """Where a path lies once the directory links of the root are followed."""
    for link in LINKS:
        if path.startswith(link + "/"):
            target = os.path.join("/", os.path.dirname(link), os.readlink(f"{ROOT}/{link}"))
            return place(os.path.normpath(target).lstrip("/") + path[len(link) :])
    return path


def same(here, there):
    one, other = os.lstat(here), os.lstat(there)
    if stat.S_IFMT(one.st_mode) != stat.S_IFMT(other.st_mode):
        return "is of another kind"
    if stat.S_ISLNK(one.st_mode):
        return None if os.readlink(here) == os.readlink(there) else "leads elsewhere"
    if stat.S_ISREG(one.st_mode):
        if not filecmp.cmp(here, there, shallow=False):
            return "has other bytes"
        if one.st_mode & 0o777 != other.st_mode & 0o777:
            return f"has mode {other.st_mode & 0o7777:o}, not {one.st_mode & 0o7777:o}"
    return None


def judge(deb):
    name = os.path.basename(deb)
    base = f"{SCRATCH}/{name}"
    os.mkdir(base)
    subprocess.run(["dpkg", "-x", deb, base], check=True)
    compared, different = 0, []
    for directory, folders, files in os.walk(base):
        for entry in folders + files:
            here = f"{directory}/{entry}"
            path = os.path.relpath(here, base)
            if excluded(path) or path in LINKS and not os.path.islink(here):
                continue
            there = f"{ROOT}/{place(path)}"
            compared += 1
            wrong = same(here, there) if os.path.lexists(there) else "is not there"
            if wrong:
                different.append(f"{name}: /{path} {wrong}")
    subprocess.run(["rm", "-rf", base], check=True)
    return compared, different


with concurrent.futures.ThreadPoolExecutor(2) as pool:
    found = list(pool.map(judge, json.load(sys.stdin)))
print(json.dumps({"compared": sum(count for count, _ in found), "different": [line for _, lines in found for line in lines]}))
