"""Lays out the source tree of a member that is no package, with bytecode.

Run by plain-tree.nix in the hermetic Python; reads from $specPath

    {"name", "source": a directory, "place": "/app",
     "elf": {"patchelf", "scripts", "rpath"}, where ELF files have to be changed}

and writes the tree to $out, and to $meta what the image needs to know of it, as of
an installed wheel: {"name", "version", "scripts", "elf"}.
"""

import json
import os
import sys
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bytecode import cached, compiled


def entries(source, below=""):
    """Yields the paths of the files and links of a tree, sorted by name, without bytecode:
    that is made here from the source beside it, so never taken from elsewhere."""
    with os.scandir(os.path.join(source, below)) as found:
        known = sorted(found, key=lambda entry: entry.name)
    for entry in known:
        path = os.path.join(below, entry.name)
        if not entry.is_dir(follow_symlinks=False):
            yield path
        elif entry.name != "__pycache__":
            yield from entries(source, path)


def write(path, content, executable=False):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o755 if executable else 0o644)
    with open(descriptor, "wb") as file:
        file.write(content)


def lay_out(source, place, root, patch=None):
    """Copies a tree to `root`; returns the paths of its ELF files."""
    elf = []
    for path in entries(source):
        origin, target = os.path.join(source, path), os.path.join(root, path)
        if os.path.islink(origin):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.symlink(os.readlink(origin), target)
            continue
        with open(origin, "rb") as file:
            content = file.read()
        if content[:4] == b"\x7fELF":
            elf.append(path)
            content = patch(path, content) if patch else content
        write(target, content, os.stat(origin).st_mode & 0o100)
        code = compiled(content, f"{place}/{path}") if path.endswith(".py") else None
        if code:
            write(cached(target), code)
    return elf


def main():
    with open(os.environ["specPath"], encoding="utf-8") as file:
        spec = json.load(file)
    patch = None
    if "elf" in spec:
        sys.path[:0] = spec["elf"]["scripts"]
        from patch_elf import Patcher

        patch = Patcher(spec["elf"]["patchelf"], spec["elf"]["rpath"])
    warnings.simplefilter("ignore")
    elf = lay_out(spec["source"], spec["place"], os.environ["out"], patch)
    with open(os.environ["meta"], "w", encoding="utf-8") as file:
        json.dump({"name": spec["name"], "version": None, "scripts": {}, "elf": elf}, file, indent=1, sort_keys=True)
        file.write("\n")


if __name__ == "__main__":
    main()
