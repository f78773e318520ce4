"""Tables of paths with a reason: PATTERN [WORD PACKAGE] because REASON."""

import fnmatch
import re

ROW = re.compile(r"(\S+)(?: unless (\S+))? because (.+)")


class Row:
    def __init__(self, pattern, unless, reason):
        self.pattern, self.unless, self.reason = pattern, unless, reason

    def has(self, place):
        """Whether a place is meant, or lies below one that is."""
        return fnmatch.fnmatchcase(place, self.pattern) or fnmatch.fnmatchcase(place, f"{self.pattern}/*")


def read(path, packages):
    """The rows that hold for an image of these packages."""
    with open(path, encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    rows = []
    for line in lines:
        match = ROW.fullmatch(line)
        if not match:
            raise SystemExit(f"{path}: not a row: {line}")
        if match[2] not in packages:
            rows.append(Row(*match.groups()))
    return rows
