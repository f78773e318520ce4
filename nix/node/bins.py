"""Links to the commands of packages, as npm's bin-links makes them.

A command of `x/node_modules/@s/p` is the link `x/node_modules/.bin/<name>`. Of
two packages with one command the first wins, in the order of their names; real
packages come before links to members. A file that is not there has no link.
"""

import os
import re

from wheel_archive import Refused, safe_parts

HASH_BANG = re.compile(rb"(#![^\n]+)\r\n")
# In the order of the Unicode collation that npm sorts by.
ORDER = {character: rank for rank, character in enumerate("_-.@*/~0123456789")}


def collated(place):
    """A sort key that orders names as npm does."""
    lower = place.lower()
    return [ORDER.get(character, 100 + ord(character)) for character in lower], [not character.islower() for character in place]


def by_name(package):
    return collated(package[0])


def directory_of(place):
    """Where the commands of the package at `place` go."""
    above, _, name = place.rpartition("node_modules/")
    if not name or (above and not above.endswith("/")):
        raise Refused(f"{place!r} is no place of a package")
    return f"{above}node_modules/.bin"


def link(root, packages, members=()):
    """Makes the links of (place, bin) below root; says what files they lead to.

    The packages of members are not there yet, so their commands are trusted.
    """
    taken, targets = set(), []
    in_order = [*sorted(packages, key=by_name), *sorted(members, key=by_name)]
    for place, commands in in_order:
        for name, path in sorted(commands.items()):
            if "/" in name:
                raise Refused(f"the command {name!r} of {place!r} is no file name")
            safe_parts(name, "command")
            safe_parts(path, "command")
            command = f"{directory_of(place)}/{name}"
            target = os.path.join(root, place, path)
            if command in taken:
                continue
            taken.add(command)
            if not os.path.lexists(target) and (place, commands) not in members:
                continue
            at = os.path.join(root, command)
            os.makedirs(os.path.dirname(at), exist_ok=True)
            os.symlink(os.path.relpath(target, os.path.dirname(at)), at)
            if os.path.isfile(target):
                os.chmod(target, 0o755)
                targets.append(target)
    return targets


def unix_hash_bangs(targets):
    """A first line `#!…` that ends as on Windows ends as on Unix."""
    for target in targets:
        with open(target, "rb") as file:
            start = file.read(2048)
        if HASH_BANG.match(start):
            with open(target, "rb") as file:
                content = file.read()
            with open(target, "wb") as file:
                file.write(HASH_BANG.sub(rb"\1\n", content, count=1))
