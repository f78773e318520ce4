"""The root of an image on Debian: what the packages do not bring, checked as a whole.

Reads from $specPath

    {"tree", "loader", "account": files of system.py, "prefix" (null without an
     environment), "python", "path", "image" (its name), "starts": {key: program},
     "entry": {"path", "file"} or null,
     "wheels": [{"name", "path", "at", "meta", "requested_by"}], members among them,
     "trees": places of those that are no packages, for Python's path,
     "user": {"name", "uid"}, "directories": [...], "working_directory",
     "winners": {path: name}, "missing_libraries": {name: [soname]}}

and writes $out, the image's own files at their places, and $plan, the root's say in
how packages become layers (JSON; places have no slash in front):

    links       place -> place of the directory links: a layer writes what it has
                there behind them, for a directory would replace the link
    sealed      what is at or below it can be written by nobody
    modes       place -> [mode in octal, uid, gid], where it is not 0644, 0755 and root's
    hard_links  place -> place of the same package's file that it is another name of
    left_out    store path -> paths in it that are not in the image
    shared, replaced   place -> what had a file there, the one that is kept first
    notes       what the operator said of files and libraries that nothing needed, and
                what maintainer scripts made and the image has not
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import caches
import environment
from accounts import accounts, numbers, renumbered
from check_elf import Checker
from collision import Decisions
from modes import mode_of, sealed
from packages import dump, fail, installed, load, note, read_spec
from started import absent
from tree import Root, Stored, directory, from_plain, put, walk
from union import LINKS, Union


def own_files(spec, root):
    """path -> node of what no package has, directories, and the numbers that the root has for the image's user."""
    user = spec["user"]
    passwd, group = (content and content.decode(errors="surrogateescape") for content in map(root.read, ("/etc/passwd", "/etc/group")))
    found = accounts(user["name"], user["uid"], spec["directories"], passwd, group)
    empty = [*spec["directories"], spec["working_directory"]]
    if spec["prefix"]:
        found.update({f"{spec['prefix']}/{path}": node for path, node in environment.own(spec["python"], spec["trees"]).items()})
        empty.append(f"{spec['prefix']}/lib/python{spec['python']}/site-packages")
    if spec["entry"]:
        found[spec["entry"]["path"]] = Stored(spec["entry"]["file"])
    return found, empty, numbers(passwd, group, user["name"])


def united(spec, wheels):
    """The whole root, the image's own files, and the numbers that its user had."""
    prefix = spec["prefix"] and spec["prefix"].strip("/")
    links = {**LINKS, **{f"{prefix}/{link}": f"{prefix}/{to}" for link, to in environment.LINKS.items() if prefix}}
    union = Union(links, Decisions(spec["winners"], spec["prefix"]))
    union.tree = from_plain(load(spec["tree"]))
    union.add_all([package for package, _ in wheels])
    own, empty, was = own_files(spec, Root(union.tree))
    for path, node in own.items():
        if prefix and path.startswith(f"/{prefix}/") and (there := union.packages_at(path.lstrip("/"))):
            union.errors.append(f"{path} belongs to the environment and is provided by {' and by '.join(there)}")
    fail(union.undecided())
    for path, node in own.items():
        put(union.tree, path, node)
    for path in empty:
        # a directory of the image may be written as one that a link of the root leads to
        real = "/" + union.place(path.lstrip("/"))
        if file := union.file_on(real.lstrip("/")):
            whose = "".join(f" of {owner}" for owner in union.packages_at(file))
            fail([f"{path} is to be a directory of the image, and /{file} is a file{whose}"])
        directory(union.tree, real)
        own.setdefault(real, {})
    return union, own, was


def check(spec, union, wheels, waived):
    root = Root(union.tree)
    python = f"/usr/bin/python{spec['python']}"
    if spec["prefix"] and root.real(python) is None:
        fail([f"{python} is not among the system packages of the image"])
    fail(absent(spec["image"], root, spec["starts"], spec["path"], spec["working_directory"]))
    checker = Checker(root, load(spec["loader"]), spec["missing_libraries"])
    for package, meta in wheels:
        siblings = {os.path.basename(path) for path in meta["elf"]}
        for path in meta["elf"]:
            checker.check(f"/{package.at}/{path}", package, siblings)
    for message in checker.notes:
        note(message)
    fail(sorted(checker.errors))
    return checker.unneeded(waived)


def modes(union, directories):
    """place -> mode and owner of the image's own directories that are not 0755."""
    # one may be written as one that a link of the root leads to
    real = ["/" + union.place(path.lstrip("/")) for path in directories]
    found = {path.lstrip("/"): mode_of(path, real) for path, node in walk(union.tree) if isinstance(node, dict)}
    return {place: [f"{mode:o}", 0, 0] for place, mode in found.items() if mode != 0o755}


def main():
    spec = read_spec()
    prefix, account = spec["prefix"], load(spec["account"])
    wheels = installed(spec)
    union, own, was = united(spec, wheels)
    notes = account["notes"] + check(spec, union, wheels, account["waived"]) + union.decisions.unused(account["decided"])
    out = os.environ["out"]
    os.mkdir(out)
    for path, node in own.items():
        caches.place(out + path, node)
    dump(
        {
            "links": union.links,
            "sealed": sealed(prefix).lstrip("/") if prefix else "",
            "modes": {**renumbered(account["modes"], was, spec["user"]["uid"]), **modes(union, spec["directories"])},
            "hard_links": account["hard_links"],
            "left_out": {**account["left_out"], **union.left_out},
            "shared": {**account["shared"], **union.shared},
            "replaced": {**account["replaced"], **union.replaced},
            "notes": notes,
        },
        os.environ["plan"],
    )


if __name__ == "__main__":
    main()
