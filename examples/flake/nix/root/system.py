"""The system part of the root: packages of Debian put together, and what their
maintainer scripts and triggers would have left behind.

Reads {"debs": [{"name", "path", "deb", "special", "requested_by"}], "bytecode",
"winners", "missing_libraries"} from $specPath. Writes

    $out     what is made here, at its places
    $tree    JSON: the tree (tree.py), with $out in it
    $loader  JSON: name -> path of every library the loader finds by itself
    $account JSON: what met at one path, and what a store path cannot hold (image.py)

and fails when a library that a package needs is not in the root.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import caches
import diversions
import ld_cache
import special
from check_elf import Checker
from collision import Decisions
from control import Control
from generated import generated, skeleton
from packages import Package, dump, fail, note, read_spec
from tree import Root, plain, put, write_to_disk
from union import LINKS, Union


def united(packages, winners, diverted):
    union = Union(LINKS, Decisions(winners), diverted)
    union.add_all(packages)
    fail(union.undecided())
    return union


def check(tree, union, controls, libraries, waivers):
    """Every ELF file of every package, as it is seen in the root.

    A plugin is a library outside the loader's directories. Debian ships some
    whose libraries their package deliberately does not depend on (libcaca0's
    for OpenGL): the program does without. Such a plugin gets a note, but only
    when every library package that its own package does depend on is there."""
    root = Root(tree)
    checker = Checker(root, libraries, waivers)
    present = set().union(*(control.names() for control in controls.values()))
    folders_of_loader = set(map(root.real, ld_cache.directories(root)))
    siblings = {}
    for place, (package, _) in union.owners.items():
        siblings.setdefault(package.path, set()).add(os.path.basename(place))
    for place, (package, _) in sorted(union.owners.items()):
        seen = "/" + place
        if root.on_disk(seen) is None:
            continue
        promised = package.control is not None and not package.control.missing_libraries(present)
        plugin = root.real(os.path.dirname(seen)) not in folders_of_loader
        checker.check(seen, package, siblings[package.path] if plugin else (), promised and plugin)
    for message in checker.notes:
        note(message)
    fail(sorted(checker.errors))
    return checker.used()


def main():
    spec = read_spec()
    controls = {deb["name"]: Control(deb["deb"]) for deb in spec["debs"]}
    packages = [Package(deb["path"], f"package {deb['name']}", deb["requested_by"], deb["name"], control=controls[deb["name"]]) for deb in spec["debs"]]
    if spec["bytecode"]:
        packages.append(Package(spec["bytecode"], "the bytecode of the standard library"))

    diverted = {}
    for name, control in controls.items():
        diverted.update(diversions.parse(control.preinst, name, note))

    # First as a directory on disk, in which the packages' own tools can work.
    union = united(packages, spec["winners"], diverted)
    found = skeleton(union.tree, LINKS)
    found += generated(Root(union.tree), controls, note).items()
    found += (("/" + place, node) for place, node in union.diverted.items())
    for path, node in found:
        put(union.tree, path, node)
    made = os.path.join(os.getcwd(), "root")
    write_to_disk(union.tree, made, made)
    caches.run_all(made, note)
    out = os.environ["out"]
    os.mkdir(out)
    for path, node in found:
        caches.place(out + path, node)
    caches.collect(made, out)

    # Then for the image. The cache of the loader comes last: it lists what is there.
    packages.append(Package(out, "what maintainer scripts would make", made=True))
    union = united(packages, spec["winners"], diverted)
    root = Root(union.tree)
    cached = ld_cache.libraries(root, ld_cache.directories(root))
    caches.place(f"{out}/etc/ld.so.cache", ld_cache.cache(cached))
    libraries = ld_cache.loadable(root, cached)
    union = united(packages, spec["winners"], diverted)
    waived = check(union.tree, union, controls, libraries, spec["missing_libraries"])

    account = {
        "left_out": union.left_out,
        "shared": union.shared,
        "replaced": union.replaced,
        "decided": sorted(union.decisions.used),
        "waived": waived,
        **special.account(spec["debs"], union),
    }
    for name, value in (("tree", plain(union.tree)), ("loader", libraries), ("account", account)):
        dump(value, os.environ[name])


if __name__ == "__main__":
    main()
