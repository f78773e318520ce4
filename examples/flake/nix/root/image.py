"""The customisation layer: the image's root as links, and what the store cannot
hold. It is written as a tar at once, because a store path loses modes such as
the 1777 of /tmp and a tar in a store path does not; upstream's streamer copies
this tar as the last layer.

Reads from $specPath

    {"tree", "loader": files of system.py, "prefix", "python",
     "wheels": [{"name", "path", "meta", "requested_by"}],
     "user": {"name", "uid"}, "directories": [...], "working_directory",
     "share": whether wheels look into the environment's lib/,
     "form": "layer" or "tree"}

and writes $out/layer.tar and $out/checksum; or as "tree", for a streamer that
makes its own tar, $out/root, $out/modes (a line `MODE PATH` for each directory)
and $out/files (the paths of small files).
"""

import hashlib
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from check_elf import Checker, reaches_out
from elf import read_elf
from farm import Farm, Package, graft
from packages import fail, read_spec
from share import links
from tree import Root, directory, put, write_layer, write_to_disk


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def virtual_environment(spec, wheels):
    """The tree of a virtual environment: all wheels merged, nothing copied."""
    farm = Farm([package for package, _ in wheels])
    for package, meta in wheels:
        for path in meta["elf"]:
            elf = read_elf(f"{package.path}/{path}")
            inside = lambda place: os.path.isdir(f"{package.path}/{place}")
            if elf is not None and reaches_out(elf, path, inside):
                farm.open_up(os.path.dirname(path))
    python = f"python{spec['python']}"
    for path in ("bin", f"lib/{python}/site-packages"):
        farm.open_up(path)
    tree = farm.tree()
    own = {
        "pyvenv.cfg": f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {spec['python']}\n".encode(),
        "bin/python": f"/usr/bin/{python}",
        "bin/python3": "python",
        f"bin/{python}": "python",
    }
    for path, node in own.items():
        head, _, name = path.rpartition("/")
        if name in directory(tree, head):
            farm.errors.append(f"{spec['prefix']}/{path} belongs to the environment and is provided by a wheel")
        put(tree, path, node)
    directory(tree, f"lib/{python}/site-packages")
    fail(sorted(farm.errors))
    return tree


def accounts(spec):
    user, uid = spec["user"]["name"], spec["user"]["uid"]
    home = next((path for path in spec["directories"] if path == f"/home/{user}"), "/nonexistent")
    passwd = [("root", 0, "/root", "/bin/sh"), ("nobody", 65534, "/nonexistent", "/usr/sbin/nologin")]
    group = [("root", 0), ("nogroup", 65534)]
    if uid not in (0, 65534):
        passwd.insert(1, (user, uid, home, "/bin/sh"))
        group.insert(1, (user, uid))
    return {
        "/etc/passwd": "".join(f"{name}:x:{number}:{number}:{name}:{place}:{shell}\n" for name, number, place, shell in passwd).encode(),
        "/etc/group": "".join(f"{name}:x:{number}:\n" for name, number in group).encode(),
    }


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
    write_to_disk(tree, f"{out}/root", "")


def main():
    spec = read_spec()
    tree = load(spec["tree"])
    prefix = spec["prefix"]
    wheels = [
        (Package(wheel["path"], f"wheel {wheel['name']}", wheel["requested_by"]), load(wheel["meta"]))
        for wheel in spec["wheels"]
    ]
    graft(tree, prefix, virtual_environment(spec, wheels))
    for path, content in accounts(spec).items():
        put(tree, path, content)
    for path in [*spec["directories"], spec["working_directory"]]:
        directory(tree, path)
    python = f"/usr/bin/python{spec['python']}"
    root = Root(tree)
    if root.real(python) is None:
        fail([f"{python} is not among the system packages of the image"])

    loader = load(spec["loader"])
    if spec["share"]:
        shared, notes = links(prefix, wheels, Checker(root, loader))
        for note in notes:
            print(f"note: {note}", file=sys.stderr)
        for name, place in shared.items():
            put(tree, f"{prefix}/lib/{name}", place)
        root = Root(tree)
    checker = Checker(root, loader, spec["missing_libraries"])
    for package, meta in wheels:
        siblings = {os.path.basename(path) for path in meta["elf"]}
        for path in meta["elf"]:
            checker.check(f"{prefix}/{path}", package, siblings)
    for message in checker.notes + checker.unneeded():
        print(f"note: {message}", file=sys.stderr)
    fail(sorted(checker.errors))

    # The user that a container runs as is not known here (a rootless engine maps
    # any), so its directories are open to all, with those that lie between them.
    # /app is closed, to its owner too.
    modes = {"/root": 0o700, "/tmp": 0o1777, "/var/tmp": 0o1777}
    closed = "/" + prefix.strip("/").split("/")[0]

    def is_in(path, directory):
        return path == directory or path.startswith(directory + "/")

    def mode_of(path):
        if is_in(path, closed):
            return 0o555
        if any(is_in(path, directory) for directory in spec["directories"]):
            return 0o777
        return modes.get(path, 0o755)

    out = os.environ["out"]
    os.mkdir(out)
    if spec["form"] == "tree":
        write_tree(tree, out, mode_of)
        return
    with open(f"{out}/layer.tar", "wb") as file:
        write_layer(tree, file, int(os.environ["SOURCE_DATE_EPOCH"]), mode_of)
    with open(f"{out}/layer.tar", "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with open(f"{out}/checksum", "w", encoding="ascii") as file:
        file.write(digest + "\n")


main()
