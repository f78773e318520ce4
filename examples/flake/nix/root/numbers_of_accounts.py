"""Numbers of the users and groups that maintainer scripts make. Left to themselves they take
the next free one, so that a new package would move those of others, and what a volume holds
would belong to somebody else. Here the number goes with the name.

Debian's own accounts (base-passwd) have theirs; 100 to 999 are for the scripts (Debian Policy 9.2.2)."""

import hashlib

FIRST, LAST = 100, 999
MASTERS = "/usr/share/base-passwd"
FILES = {"passwd": "passwd.master", "group": "group.master"}


def lines(text):
    """Name -> fields."""
    return {fields[0]: fields for fields in (line.split(":") for line in text.splitlines()) if fields[0]}


def number_of(name, taken):
    """The number that goes with a name; the next free one when another name has it."""
    number = FIRST + int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % (LAST - FIRST + 1)
    while number in taken:
        number = FIRST + (number + 1 - FIRST) % (LAST - FIRST + 1)
    return number


def numbered(made):
    """name -> number of what was made, so that a user and the group of one name have one."""
    found = {}
    for name in sorted({name for names in made.values() for name in names}):
        found[name] = number_of(name, set(found.values()))
    return found


def made(root, masters):
    """{"passwd": name -> fields, "group": …} of the accounts that are in a root on disk and not among the
    masters; empty when there is none."""
    found = {}
    for file in FILES:
        with open(f"{root}/etc/{file}", encoding="utf-8", errors="surrogateescape") as text:
            now = lines(text.read())
        known = lines(masters[file])
        if new := {name: fields for name, fields in now.items() if name not in known}:
            found[file] = new
    return found


def seeded(masters, accounts):
    """path -> bytes of passwd(5) and group(5): Debian's accounts, and those of `accounts` with their numbers."""
    numbers = numbered(accounts)
    groups = {fields[2]: name for name, fields in accounts.get("group", {}).items()}
    # a password that is elsewhere is none yet: pwconv moves what it finds
    locked = lambda fields: [fields[0], "!" if fields[1] == "x" else fields[1]]
    text = dict(masters)
    for name, fields in sorted(accounts.get("group", {}).items()):
        text["group"] += ":".join([*locked(fields), str(numbers[name]), *fields[3:]]) + "\n"
    for name, fields in sorted(accounts.get("passwd", {}).items()):
        group = groups.get(fields[3])
        text["passwd"] += ":".join([*locked(fields), str(numbers[name]), str(numbers[group]) if group else fields[3], *fields[4:]]) + "\n"
    return {f"/etc/{file}": content.encode(errors="surrogateescape") for file, content in text.items()}


def masters(root):
    """file -> text, of base-passwd."""
    return {file: root.read(f"{MASTERS}/{master}").decode(errors="surrogateescape") for file, master in FILES.items()}
