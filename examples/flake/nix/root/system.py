"""The system part of the root: packages of Debian put together, and what their
maintainer scripts and triggers made (configure.py, read_scripts.py).

Reads {"debs": [{"name", "path", "deb", "special", "requested_by"}], "bytecode", "made",
"made_account", "winners", "missing_libraries"} from $specPath. Writes

    $out     the loader's cache, at its place
    $tree    JSON: the tree (tree.py)
    $loader  JSON: name -> path of every library the loader finds by itself
    $account JSON: what met at one path, and what a store path cannot hold (image.py)

and fails when a library that a package needs is not in the root.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import caches
import ld_cache
import special
from check_elf import Checker
from packages import Package, dump, fail, load, note, read_spec
from system_packages import SystemPackages
from tree import Root, Stored, plain, put


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
    packages = SystemPackages(spec["debs"], spec["winners"])
    scripts = load(spec["made_account"])
    made = [Package(spec["made"], "what maintainer scripts make", made=True)]
    if spec["bytecode"]:
        made.append(Package(spec["bytecode"], "the bytecode of the standard library"))
    union = packages.union(more=made)
    for place in scripts["removed"]:
        union.remove(place)

    # the cache of the loader comes last: it lists what is there
    root, out = Root(union.tree), os.environ["out"]
    cached = ld_cache.libraries(root, ld_cache.directories(root))
    caches.place(f"{out}/etc/ld.so.cache", ld_cache.cache(cached))
    put(union.tree, "/etc/ld.so.cache", Stored(f"{out}/etc/ld.so.cache"))
    libraries = ld_cache.loadable(root, cached)
    waived = check(union.tree, union, packages.controls, libraries, spec["missing_libraries"])

    account = {
        "left_out": union.left_out,
        "shared": union.shared,
        "replaced": union.replaced,
        "decided": sorted(union.decisions.used),
        "waived": waived,
        "notes": scripts["notes"],
        **special.account(spec["debs"], union),
    }
    account["modes"].update(scripts["modes"])
    for name, value in (("tree", plain(union.tree)), ("loader", libraries), ("account", account)):
        dump(value, os.environ[name])


if __name__ == "__main__":
    main()
