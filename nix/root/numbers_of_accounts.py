"""Numbers of the users and groups that maintainer scripts make. Left to themselves they take
the next free one, so that a new package would move those of others, and what a volume holds
would belong to somebody else. Here the number goes with the name.

Debian's own accounts (base-passwd) have theirs; 100 to 999 are for the scripts (Debian Policy 9.2.2)."""

import hashlib
import re

FIRST, LAST = 100, 999
MASTERS = "/usr/share/base-passwd"
FILES = {"passwd": "passwd.master", "group": "group.master"}


# What maintainer scripts may call an account, and what makes one of them (adduser(8)).
NAME = re.compile(r"(?<![\w/$.-])[a-z_][a-z0-9_-]{0,31}(?![\w/])")
MAKER = re.compile(r"\b(?:adduser|addgroup)\b")
# A variable may hold it.
VARIABLE = re.compile(rf"^\s*\w+=[\"']?({NAME.pattern})[\"']?\s*$", re.MULTILINE)


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


def pool(scripts):
    """A pool of adduser.conf(5), which gives an account its number when it is made: the words of the lines that make
    one, and what variables of these scripts hold, for one of them is its name. Of two words with one number neither is
    there."""
    words, numbers = set(), {}
    for text in (script.replace("\\\n", " ") for script in scripts if MAKER.search(script)):
        words.update(word for line in text.splitlines() if MAKER.search(line) for word in NAME.findall(line))
        words.update(VARIABLE.findall(text))
    for word in sorted(words):
        numbers.setdefault(number_of(word, ()), []).append(word)
    return spelled({names[0]: number for number, names in numbers.items() if len(names) == 1})


def spelled(numbers):
    """Numbers by name as a pool."""
    return "".join(f"{name}:{number}\n" for name, number in sorted(numbers.items()))


def have(accounts, numbers):
    """Whether these are the accounts that have numbers, and each has its own."""
    named = {name for names in accounts.values() for name in names}
    return named == set(numbers) and all(fields[2] == str(numbers[name]) for names in accounts.values() for name, fields in names.items())


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


def seeded(masters, accounts, numbers):
    """path -> bytes of passwd(5) and group(5): Debian's accounts, and those of `accounts` with the numbers of their names."""
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
