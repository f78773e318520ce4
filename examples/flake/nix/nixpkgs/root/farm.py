"""Merges the trees of several packages into one tree of links.

A directory that one package alone provides is linked as a whole, so that a root
of 300 packages has a few thousand links, not a hundred thousand. A directory is
opened up where a link as a whole would change what something in it means:

* a relative link in it that leads out of it, to what another package provides;
* a library in it that is found or finds others by `$ORIGIN/..` (see `open_up`).
"""

import os

from check_elf import Checker
from collision import Decisions
from tree import directory, parts


class Leaf:
    """A file or link of one package: what a link says in the package, and what
    it has to say where it is put."""

    __slots__ = ("package", "source", "raw", "target")

    def __init__(self, package, source, raw, target):
        self.package, self.source, self.raw, self.target = package, source, raw, target


class Folder:
    """A directory: who provides it, and where it is in their store paths."""

    __slots__ = ("children", "sources", "whole")

    def __init__(self):
        self.children, self.sources, self.whole = {}, [], True


class Farm:
    """The union of packages at their places, below `at` in the image. Collisions that
    `decisions` (collision.py) do not decide are collected in `errors`."""

    def __init__(self, packages, decisions=None, at=""):
        self.top, self.errors = Folder(), []
        self.decisions, self.at = decisions or Decisions(), at
        self.aliases = {}
        scanned = [(package, self._scan(package)) for package in packages]
        self._find_aliases(scanned)
        for package, entries in scanned:
            for path, target in entries:
                self._add(package, path, target)

    @staticmethod
    def _scan(package):
        """(path, None) of a file, (path, target) of a link, (path + "/", None) of
        a directory; sorted, parents first."""
        entries, stack = [], [""]
        while stack:
            below = stack.pop()
            with os.scandir(f"{package.path}/{below}") as found:
                for entry in found:
                    path = below + entry.name
                    if entry.is_symlink():
                        entries.append((path, os.readlink(entry.path)))
                    elif entry.is_dir():
                        entries.append((path + "/", None))
                        stack.append(path + "/")
                    else:
                        entries.append((path, None))
        entries.sort()
        return entries

    def _find_aliases(self, scanned):
        """Links that stand for a directory which another package has: the merged
        /usr (`lib -> usr/lib`) when a package still ships /lib."""
        placed = [(os.path.join(package.at, path), target) for package, entries in scanned for path, target in entries]
        folders = {path.rstrip("/") for path, _ in placed if path.endswith("/")}
        for path, target in placed:
            if target is not None and path in folders:
                base = "" if target.startswith("/") else os.path.dirname(path)
                self.aliases[path] = os.path.normpath(os.path.join("/", base, target)).lstrip("/")

    def _place(self, path):
        """Where a path really goes, through the aliases above it."""
        for _ in range(8):
            for alias, target in self.aliases.items():
                if path.startswith(alias + "/"):
                    path = f"{target}/{path[len(alias) + 1:]}"
                    break
            else:
                return path
        raise SystemExit(f"{path}: directory links in a circle")

    def _add(self, package, path, target):
        if path.endswith("/"):
            if os.path.join(package.at, path).rstrip("/") in self.aliases:
                return
            place = self._place(os.path.join(package.at, path)).rstrip("/")
            folder = self._folder(place, package)
            if folder is not None:
                folder.sources.append((package, f"{package.path}/{path.rstrip('/')}"))
            return
        here = os.path.join(package.at, path)
        place, raw = self._place(here), target
        if target is not None and place != here and not target.startswith("/"):
            target = os.path.normpath(os.path.join("/", os.path.dirname(here), target))
        above, _, name = place.rpartition("/")
        folder = self._folder(above, package)
        if folder is None:
            return
        leaf = Leaf(package, f"{package.path}/{path}", raw, target)
        taken = folder.children.get(name)
        if taken is None:
            folder.children[name] = leaf
        elif isinstance(taken, Folder):
            self._collide(place, package, taken.sources[0][0] if taken.sources else package)
        elif not self._same(taken, leaf):
            winner = self.decisions.winner(f"{self.at}/{place}", taken.package, package)
            if winner is None:
                self._collide(place, package, taken.package)
            elif winner is package:
                folder.children[name] = leaf

    def _folder(self, path, package):
        folder, names = self.top, parts(path)
        for depth, part in enumerate(names, 1):
            child = folder.children.setdefault(part, Folder())
            if isinstance(child, Leaf):
                self._collide("/".join(names[:depth]), package, child.package)
                return None
            folder = child
        return folder

    def _collide(self, path, one, other):
        error = f"{self.at}/{path} is provided twice: by {other} and by {one}"
        if error not in self.errors:
            self.errors.append(error)

    @staticmethod
    def _same(one, other):
        if one.target is not None or other.target is not None:
            return one.target == other.target
        with open(one.source, "rb") as a, open(other.source, "rb") as b:
            return a.read() == b.read()

    def folder(self, path):
        folder = self.top
        for part in parts(path):
            folder = folder.children.get(part) if isinstance(folder, Folder) else None
        return folder if isinstance(folder, Folder) else None

    def open_up(self, path):
        """Makes the directory `path`, and those above it, directories of their own."""
        folder = self.top
        folder.whole = False
        for part in parts(path):
            folder = folder.children.get(part)
            if not isinstance(folder, Folder):
                return
            folder.whole = False

    def open_all(self, path=""):
        """Makes every directory below `path` one of its own."""
        stack = [self.folder(path)]
        while stack:
            folder = stack.pop()
            if folder is not None:
                folder.whole = False
                stack += [child for child in folder.children.values() if isinstance(child, Folder)]

    def tree(self):
        """The merged tree, in the form of tree.py."""
        self.top.whole = False
        return self._emit(self.top)

    def _emit(self, folder):
        if folder.whole and len(folder.sources) == 1 and self._contained(folder):
            return folder.sources[0][1]
        return {
            name: self._emit(child) if isinstance(child, Folder) else child.source if child.target is None else child.target
            for name, child in folder.children.items()
        }

    @staticmethod
    def _contained(folder):
        """Whether every relative link below means the same inside the package."""
        package, top = folder.sources[0]
        stack = [folder]
        while stack:
            here = stack.pop()
            # a directory that its package does not list, or a second owner below
            if len(here.sources) != 1 or here.sources[0][0] is not package:
                return False
            for child in here.children.values():
                if isinstance(child, Folder):
                    stack.append(child)
                elif child.package is not package:
                    return False
                elif child.raw is not None and not child.raw.startswith("/"):
                    end = os.path.normpath(os.path.join(os.path.dirname(child.source), child.raw))
                    if not end.startswith(top + "/") and not os.path.lexists(end):
                        return False
        return True


def graft(tree, path, below):
    """Merges the tree `below` into `tree` at `path`; `below` wins."""
    place = directory(tree, path)
    for name, node in below.items():
        if isinstance(node, dict) and isinstance(place.get(name), dict):
            graft(place, name, node)
        else:
            place[name] = node


def reaches_out(elf, path, inside):
    """Whether a library at `path` of a package looks for others by `$ORIGIN/..`
    where the package itself has nothing (`inside(directory)` tells)."""
    for part in elf.runpath + elf.rpath:
        if part.startswith(("$ORIGIN", "${ORIGIN}")):
            place = os.path.normpath(Checker._expand(part, os.path.dirname(path)))
            if not inside(place):
                return True
    return False
