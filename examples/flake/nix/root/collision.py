"""Whose file it is when two packages have different ones at one path."""

import os
import re

# At the top of a Python environment (wheels' data): for people, and in the wheel's own metadata as well.
IDLE = re.compile(r"(?:LICEN[CS]E|COPYING|NOTICE|AUTHORS|README|CHANGELOG|CHANGES)[^/]*", re.IGNORECASE)


class Decisions:
    """winners  path in the root ("/…") -> name of the package that the operator
    wants there; prefix  of the Python environment, where there is one."""

    def __init__(self, winners=(), prefix=None):
        self.winners, self.prefix = dict(winners), prefix
        self.used = set()

    def winner(self, path, one, other):
        """Which of two packages has its file at a path of the root, or None.

        Debian's `Replaces` decides as dpkg does. What is made here goes before all.
        A licence or readme at the top of the environment carries nothing."""
        named = self.winners.get(path)
        for package in (one, other):
            if named is not None and package.name == named:
                self.used.add(path)
                return package
        pairs = ((one, other), (other, one))
        for package, loser in pairs:
            if package.made and not loser.made:
                return package
        replacing = [package for package, loser in pairs if package.control and loser.control and package.control.replaces(loser.control)]
        if len(replacing) == 1:
            return replacing[0]
        if os.path.dirname(path) == self.prefix and IDLE.fullmatch(os.path.basename(path)):
            return one
        return None

    def unused(self, elsewhere=()):
        """Notes on what the operator decided and nothing asked for, here or `elsewhere`."""
        return [
            f"[policy] collisions: no two packages have a different {path}, or {self.winners[path]} is none of them"
            for path in sorted(set(self.winners) - self.used - set(elsewhere))
        ]
