"""Tables of paths with a reason: PATTERN [WORD PACKAGE] because REASON."""

import fnmatch
import re

# `PATH [but NAME] because REASON`, of what is not unpacked.
EXCLUDE = re.compile(r"(\S+)(?: but \S+)? because (.+)")
ROW = re.compile(r"(\S+)(?: unless (\S+))? because (.+)")


class Row:
    def __init__(self, pattern, unless, reason):
        self.pattern, self.unless, self.reason = pattern, unless, reason

    def has(self, place):
        """Whether a place is meant, or lies below one that is."""
        return fnmatch.fnmatchcase(place, self.pattern) or fnmatch.fnmatchcase(place, f"{self.pattern}/*")


def matches(path, shape):
    """The rows of a file, each of one shape."""
    with open(path, encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    for line in lines:
        match = shape.fullmatch(line)
        if not match:
            raise SystemExit(f"{path}: not a row: {line}")
        yield match


def read(path, packages):
    """The rows that hold for an image of these packages."""
    return [Row(*match.groups()) for match in matches(path, ROW) if match[2] not in packages]


def excludes(path):
    """The rows of the table of what is not unpacked."""
    return [Row(match[1], None, match[2]) for match in matches(path, EXCLUDE)]
