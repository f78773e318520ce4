"""Packages put together at their places, as dpkg and pip leave them: one tree, each
file of one package, and an account of what met at one path.

* A directory that several packages have belongs to none.
* A path that leads through a directory link of the root (`/lib`) is the place
  behind it, and such a link is nobody's.
* Two files at one path with one content are one file, of the first package.
* A diversion (dpkg-divert) moves the others' file away.
* Anything else that meets at one path is decided by collision.py, or is an error.
"""

import filecmp
import os

from tree import Stored

# Of many collisions, so that what matters is among the last lines of a failed build.
MOST_SHOWN = 12

# What the files of a root have always been reached by (base-files, and its postinst).
LINKS = {
    "bin": "usr/bin",
    "sbin": "usr/sbin",
    "lib": "usr/lib",
    "lib64": "usr/lib64",
    "var/run": "run",
    "var/lock": "run/lock",
}


class Union:
    """The tree of some packages, which are added one by one, the first first.

    links      path -> path of the root's directory links; none has a slash in front
    decisions  of collision.py
    diversions path in a package -> (the package that keeps it, where others' goes)
    """

    def __init__(self, links, decisions, diversions=()):
        self.tree, self.links, self.decisions = {}, links, decisions
        self.diversions = dict(diversions)
        self.owners = {}  # place -> (package, path in it); places have no slash in front
        self.left_out = {}  # store path -> paths in it that are not in the root
        self.shared, self.replaced = {}, {}  # place -> labels
        self.diverted = {}  # place -> Stored
        self.collisions = {}  # path in the root -> name of one of the packages that have a file there
        self.folders = {}  # place of a directory -> store path of the package that has it first
        self.pending = {}  # place -> package that met another, neither of them the one that is to win
        self.errors = []

    def add_all(self, packages):
        """Adds packages; Debian's base-files, which the archive unpacks before all others, is the first."""
        for package in sorted(packages, key=lambda package: package.name != "base-files"):
            place = self.place(package.at)
            if not place or self._make(package, place):
                self._directory(package, "", place)
        for place, package in self.pending.items():
            if "/" + place not in self.decisions.used:
                self._collide(place, package)

    def place(self, place):
        """Where a path really lies, behind the directory links of the root."""
        for _ in range(8):
            link = next((link for link in self.links if place == link or place.startswith(link + "/")), None)
            if link is None:
                return place
            place = self.links[link] + place[len(link) :]
        raise SystemExit(f"/{place}: directory links in a circle")

    def _directory(self, package, below, place):
        """Adds what a directory of a package holds. `below` and `place` end in a slash or are empty."""
        with os.scandir(f"{package.path}/{below}") as found:
            entries = sorted(found, key=lambda entry: entry.name)
        place = place and place.rstrip("/") + "/"
        for entry in entries:
            path, target = below + entry.name, place + entry.name
            if entry.is_dir(follow_symlinks=False):
                target = self.place(target)
                if self._make(package, target):
                    self._directory(package, path + "/", target)
            elif entry.is_symlink():
                self._leaf(package, path, target, os.readlink(entry.path))
            else:
                self._leaf(package, path, target, Stored(entry.path))

    def _make(self, package, place):
        node = self.tree
        names = place.split("/")
        for depth, name in enumerate(names, 1):
            child = node.setdefault(name, {})
            if not isinstance(child, dict):
                self._collide("/".join(names[:depth]), package, is_choice=False)
                return False
            node = child
        self.folders.setdefault(place, package.path)
        return True

    def _leaf(self, package, path, place, node):
        above, slash, name = place.rpartition("/")
        folder = self.tree
        for part in above.split("/") if slash else []:
            folder = folder[part]
        diverted = self.diversions.get(path)
        if diverted and diverted[0] != package.name and not package.made:
            self.diverted[diverted[1]] = node
            self._leave_out(package, path)
            return
        known = folder.get(name)
        if known is None:
            folder[name] = node
            self.owners[place] = (package, path)
        elif isinstance(known, dict):
            self._collide(place, package)
        else:
            self._meet(package, path, place, folder, name, node)

    def _meet(self, package, path, place, folder, name, node):
        if place not in self.owners:
            self._collide(place, package)
            return
        other, other_path = self.owners[place]
        if self._same(folder[name], node):
            self.shared.setdefault(place, [other.label]).append(package.label)
            self._leave_out(package, path)
            return
        winner = self.decisions.winner("/" + place, other, package)
        if winner is None:
            if "/" + place in self.decisions.winners:
                # who wins may come later
                self.pending.setdefault(place, package)
                self._leave_out(package, path)
            else:
                self._collide(place, package)
        elif winner is package:
            self._leave_out(other, other_path)
            self.pending.pop(place, None)
            self.replaced[place] = [package.label, other.label]
            folder[name] = node
            self.owners[place] = (package, path)
        else:
            self._leave_out(package, path)
            self.replaced[place] = [other.label, package.label]

    def remove(self, place):
        """Takes a package's file away."""
        package, path = self.owners.pop(place)
        above, _, name = place.rpartition("/")
        del self._node(above)[name]
        self._leave_out(package, path)

    def packages_at(self, place):
        """Who has something at a place: labels of the packages with a file there or below it."""
        return sorted({str(package) for path, (package, _) in self.owners.items() if path == place or path.startswith(place + "/")})

    def file_on(self, place):
        """The first part of a place that is something else than a directory, or None."""
        names = place.split("/")
        steps = ("/".join(names[: depth + 1]) for depth in range(len(names)))
        return next((step for step in steps if not isinstance(self._node(step), (dict, type(None)))), None)

    def _node(self, place):
        node = self.tree
        for part in place.split("/"):
            node = node.get(part) if isinstance(node, dict) else None
        return node

    def _leave_out(self, package, path):
        self.left_out.setdefault(package.path, []).append(path)

    @staticmethod
    def _same(one, other):
        if isinstance(one, str) or isinstance(other, str):
            return one == other
        return filecmp.cmp(one.path, other.path, shallow=False)

    def _collide(self, place, package, is_choice=True):
        """Told once of each path. What is there may be a directory of several. No word of the operator's chooses
        between a file and a directory."""
        other = self.owners.get(place, (None, None))[0] or next((owner for path, (owner, _) in self.owners.items() if path.startswith(place + "/")), None)
        both = f"by {other} and by {package}" if other else f"by {package}, and is a directory"
        error = f"/{place} is provided twice: {both}"
        if error not in self.errors:
            self.errors.append(error)
        if is_choice and other and not isinstance(self._node(place), dict):
            self.collisions.setdefault("/" + place, other.name)

    def directory_of(self, package, path):
        """The place of a directory that a store path is the first to have, or None."""
        place = self.place(path)
        return place if self.folders.get(place) == package else None

    def undecided(self):
        """The errors, and how the operator decides: a line to paste."""
        if not self.collisions:
            return sorted(self.errors)
        shown = dict(list(sorted(self.collisions.items()))[:MOST_SHOWN])
        more = f" (and {len(self.collisions) - MOST_SHOWN} more)" if len(self.collisions) > MOST_SHOWN else ""
        line = ", ".join(f'"{path}" = "{name}"' for path, name in shown.items())
        return [*sorted(self.errors)[-MOST_SHOWN:], f"whose file it is can be said in forge.toml under [policy]: collisions = {{ {line} }}{more}"]
