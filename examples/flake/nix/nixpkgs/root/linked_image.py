"""The root of an image of nixpkgs: links to where the packages stay, in the store.

Reads from $specPath what root/image.py does, but for "account", and writes the tree
as $out/root, $out/modes (a line `MODE PATH` for each directory) and $out/files (the
paths of small files): the streamer of nixpkgs makes its own tar.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import environment
from accounts import accounts
from check_elf import Checker
from collision import Decisions
from elf import read_elf
from farm import Farm, graft, reaches_out
from modes import is_in, mode_of, sealed
from packages import fail, installed, load, note, read_spec
from share import links
from started import absent
from store_root import STORE, StoreRoot
from tree import directory, put, write_to_disk


def application(spec, wheels, decisions):
    """The tree of a virtual environment and of what lies beside it: all wheels and
    members merged, nothing copied."""
    prefix = spec["prefix"].strip("/")
    farm = Farm([package for package, _ in wheels], decisions)
    for package, meta in wheels:
        for path in meta["elf"]:
            elf = read_elf(f"{package.path}/{path}")
            inside = lambda place: os.path.isdir(f"{package.path}/{place}")
            if elf is not None and reaches_out(elf, path, inside):
                farm.open_up(f"{package.at}/{os.path.dirname(path)}")
    site = f"{prefix}/lib/python{spec['python']}/site-packages"
    for path in (f"{prefix}/bin", site):
        farm.open_up(path)
    tree = farm.tree()
    for path, node in environment.own(spec["python"], spec["trees"]).items():
        head, _, name = f"{prefix}/{path}".rpartition("/")
        if name in directory(tree, head):
            farm.errors.append(f"/{head}/{name} belongs to the environment and is provided by a wheel")
        put(tree, f"{head}/{name}", node)
    directory(tree, site)
    fail(sorted(farm.errors))
    return tree


def write_tree(tree, out, mode_of):
    """A tree on disk, and what the store cannot hold of it as two lists."""
    modes, files = [], []

    def walk(node, path):
        modes.append(f"{mode_of(path or '/'):o} {path or '/'}\n")
        for name, child in sorted(node.items()):
            if isinstance(child, dict):
                walk(child, f"{path}/{name}")
            elif isinstance(child, bytes):
                files.append(f"{path}/{name}\n")

    walk(tree, "")
    # what is below a closed directory comes before it
    modes.reverse()
    for name, lines in (("modes", modes), ("files", files)):
        with open(f"{out}/{name}", "w", encoding="utf-8") as file:
            file.writelines(lines)
    write_to_disk(tree, f"{out}/root", "", STORE + "/")


def main():
    spec = read_spec()
    tree = load(spec["tree"])
    prefix = spec["prefix"]
    wheels = installed(spec)
    decisions = Decisions(spec["winners"], prefix)
    graft(tree, "/", application(spec, wheels, decisions))
    for message in decisions.unused():
        note(message)
    for path, content in accounts(spec["user"]["name"], spec["user"]["uid"], spec["directories"]).items():
        put(tree, path, content)
    for path in [*spec["directories"], spec["working_directory"]]:
        directory(tree, path)
    python = f"/usr/bin/python{spec['python']}"
    root = StoreRoot(tree)
    if root.real(python) is None:
        fail([f"{python} is not among the system packages of the image"])
    fail(absent(spec["image"], root, spec["starts"], spec["path"], spec["working_directory"]))

    loader = load(spec["loader"])
    shared, notes = links(prefix, wheels, Checker(root, loader))
    for message in notes:
        note(message)
    for name, place in shared.items():
        put(tree, f"{prefix}/lib/{name}", place)
    checker = Checker(StoreRoot(tree), loader, spec["missing_libraries"])
    for package, meta in wheels:
        siblings = {os.path.basename(path) for path in meta["elf"]}
        for path in meta["elf"]:
            checker.check(f"/{package.at}/{path}", package, siblings)
    for message in checker.notes + checker.unneeded():
        note(message)
    fail(sorted(checker.errors))

    out = os.environ["out"]
    os.mkdir(out)
    write_tree(tree, out, lambda path: 0o555 if is_in(path, sealed(prefix)) else mode_of(path, spec["directories"]))


if __name__ == "__main__":
    main()
