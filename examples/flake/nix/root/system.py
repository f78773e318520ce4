"""The system part of the root: packages merged, and what their maintainer
scripts and triggers would have left behind.

Reads {"debs": [{"name", "path", "deb", "requested_by"}], "bytecode"} from
$specPath. Writes

    $out     the generated files, at their places
    $tree    JSON: the merged tree (tree.py), with $out in it
    $loader  JSON: name -> path of every library the loader finds by itself

and fails when a library that a package needs is not in the root.
"""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import alternatives
import caches
import ld_cache
from check_elf import Checker
from control import Control
from farm import Farm, Package
from packages import debs, fail, read_spec
from tree import Root, put, write_to_disk


def note(message):
    print(f"note: {message}", file=sys.stderr)


def certificates(root):
    """ca-certificates.crt: every certificate, in the order of the names."""
    found = []

    def walk(path):
        for name in root.names(path):
            if name.endswith(".crt"):
                found.append((f"{path}/{name}", root.read(f"{path}/{name}")))
            else:
                walk(f"{path}/{name}")

    walk("/usr/share/ca-certificates")
    return b"".join(content.rstrip(b"\n") + b"\n" for _, content in sorted(found))


def generated(root, controls):
    """path -> node of what no tool is needed for."""
    made = {}
    if bundle := certificates(root):
        made["/etc/ssl/certs/ca-certificates.crt"] = bundle
    scripts = [
        alternative
        for name, control in controls.items()
        for alternative in alternatives.parse(control.postinst, name, note)
    ]
    for path, target in alternatives.links(scripts, lambda path: root.real(path) is not None).items():
        # a script may say /lib for what is now /usr/lib
        folder, name = os.path.split(path)
        made[os.path.join(root.real(folder) or folder, name)] = target
    if root.real("/bin/sh") is None:
        shell = next((name for name in ("dash", "bash") if root.real(f"/usr/bin/{name}") or root.real(f"/bin/{name}")), None)
        if shell:
            made["/usr/bin/sh"] = shell
    if root.real("/etc/localtime") is None and root.real("/usr/share/zoneinfo/Etc/UTC"):
        made["/etc/localtime"] = "/usr/share/zoneinfo/Etc/UTC"
    if root.read("/etc/nsswitch.conf") is None:
        made["/etc/nsswitch.conf"] = b"passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\nprotocols: files\nservices: files\n"
    if root.read("/etc/ld.so.conf") is None:
        made["/etc/ld.so.conf"] = b"include /etc/ld.so.conf.d/*.conf\n"
    return made


def skeleton(tree):
    """The directories of any root, and /usr merged where no package says so."""
    for name in ("bin", "sbin", "lib", "lib64"):
        if name not in tree and name in tree.get("usr", {}):
            tree[name] = f"usr/{name}"
    for path in ("/dev", "/etc", "/home", "/opt", "/proc", "/root", "/run", "/srv", "/sys", "/tmp", "/usr/local/bin", "/var/cache", "/var/lib", "/var/log", "/var/tmp"):
        here = tree
        for part in path.strip("/").split("/"):
            here = here.setdefault(part, {})
    tree["var"].setdefault("run", "/run")
    tree["var"].setdefault("lock", "/run/lock")
    tree["run"].setdefault("lock", {})


def merge(packages, whole):
    """The tree of some packages; with `whole`, directories are linked as such."""
    farm = Farm(packages)
    fail(farm.errors)
    if whole:
        for name, child in farm.top.children.items():
            if not hasattr(child, "target"):
                farm.open_up(name)
        # written to by whatever runs as root in a writable container
        for name in ("dev", "etc", "home", "proc", "root", "run", "srv", "sys", "tmp", "var"):
            farm.open_all(name)
    else:
        farm.open_all()
    tree = farm.tree()
    skeleton(tree)
    return tree


def check(tree, packages, controls, libraries):
    """Every ELF file of every package, as it is seen in the root.

    A plugin is a library outside the loader's directories. Debian ships some
    whose libraries their package deliberately does not depend on (libcaca0's
    for OpenGL): the program does without. Such a plugin gets a note, but only
    when every library package that its own package does depend on is there."""
    root = Root(tree)
    checker = Checker(root, libraries)
    present = set().union(*(control.names() for control in controls.values()))
    folders_of_loader = set(map(root.real, ld_cache.directories(root)))
    for package in packages:
        control = controls.get(package.label.removeprefix("package "))
        promised = control is not None and not control.missing_libraries(present)
        siblings = set()
        for _, _, files in os.walk(package.path):
            siblings.update(files)
        for directory, folders, files in os.walk(package.path):
            folders.sort()
            for name in sorted(files):
                path = os.path.join(directory, name)
                if not os.path.islink(path):
                    seen = path[len(package.path) :]
                    plugin = root.real(os.path.dirname(seen)) not in folders_of_loader
                    checker.check(seen, package, siblings if plugin else (), promised and plugin)
    for message in checker.notes:
        note(message)
    fail(sorted(checker.errors))


def main():
    spec = read_spec()
    packages = debs(spec)
    controls = {deb["name"]: Control(deb["deb"]) for deb in spec["debs"]}
    if spec["bytecode"]:
        packages.append(Package(spec["bytecode"], "the bytecode of the standard library"))

    # First as a directory on disk, in which the packages' own tools can work.
    tree = merge(packages, whole=False)
    found = generated(Root(tree), controls)
    for path, node in found.items():
        put(tree, path, node)
    made = os.path.join(os.getcwd(), "root")
    write_to_disk(tree, made, made)
    caches.run_all(made, note)
    out = os.environ["out"]
    os.mkdir(out)
    for path, node in found.items():
        caches.place(out + path, node)
    caches.collect(made, out)

    # Then for the image, with directories linked as a whole. The cache of the
    # loader comes last: it lists what is there.
    packages.append(Package(out, "the generated system files", wins=True))
    whole = Root(merge(packages, whole=True))
    cached = ld_cache.libraries(whole, ld_cache.directories(Root(tree)))
    caches.place(f"{out}/etc/ld.so.cache", ld_cache.cache(cached))
    libraries = ld_cache.loadable(whole, cached)
    tree = merge(packages, whole=True)
    check(tree, packages, controls, libraries)

    for name, value in (("tree", tree), ("loader", libraries)):
        with open(os.environ[name], "w", encoding="utf-8") as file:
            json.dump(value, file, sort_keys=True, indent=0)


if __name__ == "__main__":
    main()
