"""The image's root as a value: nested dictionaries.

A directory is a dict of names, a symbolic link is its target (str), a small
file that is made here is its content (bytes), any other file is a `Stored`.
"""

import os

MAX_LINKS = 40


class Stored:
    """A file whose bytes lie elsewhere on disk: in the store path of its package."""

    __slots__ = ("path",)

    def __init__(self, path):
        self.path = path

    def __eq__(self, other):
        return isinstance(other, Stored) and self.path == other.path

    def __hash__(self):
        return hash(self.path)

    def __repr__(self):
        return f"Stored({self.path!r})"


def parts(path):
    return [part for part in path.split("/") if part not in ("", ".")]


def directory(tree, path):
    """The directory at `path`, made where it is missing."""
    for part in parts(path):
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise SystemExit(f"{path}: {part} is not a directory")
    return tree


def put(tree, path, node):
    head, _, name = path.rpartition("/")
    directory(tree, head)[name] = node


def walk(tree, path=""):
    """Yields (path, node) of everything in a tree, sorted, directories before what is in them."""
    for name in sorted(tree):
        below = f"{path}/{name}"
        yield below, tree[name]
        if isinstance(tree[name], dict):
            yield from walk(tree[name], below)


def plain(tree):
    """The tree as JSON can hold it: of a stored file, a list of its path."""
    return {name: plain(node) if isinstance(node, dict) else [node.path] if isinstance(node, Stored) else node for name, node in tree.items()}


def from_plain(tree):
    return {name: from_plain(node) if isinstance(node, dict) else Stored(*node) if isinstance(node, list) else node for name, node in tree.items()}


def write_to_disk(tree, root, base, stays="\0"):
    """Writes a tree below `root`, stored files as links to where they lie. Absolute
    links are turned into `base`, so that they work before the root is one; those
    that begin with `stays` are left as they are."""
    os.makedirs(root, exist_ok=True)
    for name, node in tree.items():
        path = f"{root}/{name}"
        if isinstance(node, dict):
            write_to_disk(node, path, base, stays)
        elif isinstance(node, bytes):
            with open(path, "wb") as file:
                file.write(node)
        elif isinstance(node, Stored):
            os.symlink(node.path, path)
        elif node.startswith("/") and not node.startswith(stays):
            os.symlink(base + node, path)
        else:
            os.symlink(node, path)


class Root:
    """Looks paths up as a process would whose root the tree is."""

    def __init__(self, tree):
        self.tree = tree
        self.known = {}

    def node(self, real):
        """What is at a path without links, or None."""
        node = self.tree
        for part in parts(real):
            if not isinstance(node, dict):
                return None
            node = node.get(part)
        return node

    def real(self, path):
        """The path without links ("/" for the root), or None if nothing is there."""
        if path in self.known:
            return self.known[path]
        todo, at, links = parts(path)[::-1], "", 0
        while todo:
            name = todo.pop()
            if name == "..":
                at = at.rpartition("/")[0]
                continue
            node = self.node(f"{at}/{name}")
            if node is None or (todo and isinstance(node, (bytes, Stored))):
                self.known[path] = None
                return None
            if isinstance(node, str):
                links += 1
                if links > MAX_LINKS:
                    self.known[path] = None
                    return None
                if node.startswith("/"):
                    at = ""
                todo += parts(node)[::-1]
                continue
            at = f"{at}/{name}"
        self.known[path] = at or "/"
        return self.known[path]

    def place(self, path):
        """Where a path would lie: without links as far as there is something."""
        head, _, name = path.rstrip("/").rpartition("/")
        return self.real(path) or (f"{self.place(head).rstrip('/')}/{name}" if head else path)

    def on_disk(self, real):
        """Where the bytes of the file at a path without links lie, or None."""
        node = self.node(real)
        return node.path if isinstance(node, Stored) else None

    def read(self, path):
        """A file's bytes, or None."""
        real = self.real(path)
        if real is None:
            return None
        place = self.on_disk(real)
        if place is not None:
            with open(place, "rb") as file:
                return file.read()
        node = self.node(real)
        return node if isinstance(node, bytes) else None

    def names(self, path):
        """The sorted names in a directory; none if it is not one."""
        real = self.real(path)
        node = None if real is None else self.node(real)
        return sorted(node) if isinstance(node, dict) else []
