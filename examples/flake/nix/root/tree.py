"""The image's root as a value: nested dictionaries.

A directory is a dict of names, a symbolic link is its target (str), a small
file is its content (bytes). Everything large is a link into the store.
"""

import io
import os
import stat
import tarfile

STORE = "/nix/store"
MAX_LINKS = 40


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


def write_to_disk(tree, root, base):
    """Writes a tree below `root`. Absolute links that do not lead into the
    store are turned into `base`, so that they work before the root is one."""
    os.makedirs(root, exist_ok=True)
    for name, node in tree.items():
        path = f"{root}/{name}"
        if isinstance(node, dict):
            write_to_disk(node, path, base)
        elif isinstance(node, bytes):
            with open(path, "wb") as file:
                file.write(node)
        elif node.startswith("/") and not node.startswith(STORE + "/"):
            os.symlink(base + node, path)
        else:
            os.symlink(node, path)


def write_layer(tree, stream, mtime, mode_of):
    """Writes a tree as a layer's tar. `mode_of(path)` is a directory's mode:
    the store would lose it, a tar in the store does not."""
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:

        def add(name, kind, mode, content=b"", target=""):
            header = tarfile.TarInfo(name)
            header.type, header.mode, header.linkname = kind, mode, target
            header.mtime, header.uname, header.gname, header.size = mtime, "root", "root", len(content)
            archive.addfile(header, io.BytesIO(content) if content else None)

        def walk(node, path):
            add(path or ".", tarfile.DIRTYPE, mode_of("/" + path))
            for name in sorted(node):
                child, below = node[name], f"{path}/{name}" if path else name
                if isinstance(child, dict):
                    walk(child, below)
                elif isinstance(child, bytes):
                    add(below, tarfile.REGTYPE, 0o444, child)
                else:
                    add(below, tarfile.SYMTYPE, 0o777, target=child)

        walk(tree, "")


class Root:
    """Looks paths up as a process would whose root the tree is. The store is
    the real one."""

    def __init__(self, tree):
        self.tree = tree
        self.known = {}

    def _step(self, at, name):
        """The kind of `name` in the real directory `at`: dict, str, "file" or None."""
        path = f"{at}/{name}"
        if path == STORE or STORE.startswith(path + "/"):
            return {}
        if at == STORE or at.startswith(STORE + "/"):
            try:
                mode = os.lstat(path).st_mode
            except (FileNotFoundError, NotADirectoryError):
                return None
            if stat.S_ISLNK(mode):
                return os.readlink(path)
            return {} if stat.S_ISDIR(mode) else b""
        node = self.tree
        for part in parts(path):
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
            node = self._step(at, name)
            if node is None or (todo and isinstance(node, bytes)):
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

    def read(self, path):
        """A file's bytes, or None."""
        real = self.real(path)
        if real is None:
            return None
        if real.startswith(STORE + "/"):
            if os.path.isdir(real):
                return None
            with open(real, "rb") as file:
                return file.read()
        node = self.tree
        for part in parts(real):
            node = node[part]
        return node if isinstance(node, bytes) else None

    def names(self, path):
        """The sorted names in a directory; none if it is not one."""
        real = self.real(path)
        if real is None:
            return []
        if real.startswith(STORE + "/"):
            return sorted(os.listdir(real)) if os.path.isdir(real) else []
        node = self.tree
        for part in parts(real):
            node = node[part]
        return sorted(node) if isinstance(node, dict) else []
