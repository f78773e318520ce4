"""The system part of a root made of packages of nixpkgs: their bin, lib, share
and so on meet below /usr, their etc at /etc, so that the root is laid out like
one of Debian's. Only what was asked for is linked; what that needs in turn is
found by its store path.

Reads {"packages": [{"name", "paths", "requested_by"}]} from $specPath; writes
$out, $tree and $loader as system.py does.
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import caches
from farm import Farm, Folder, Leaf
from generated import generated, skeleton
from packages import Package, dump, fail, note, read_spec
from store_root import StoreRoot
from tree import directory, put
from union import LINKS

# For people and compilers, and nixpkgs' own notes; packages disagree on some.
LEFT_OUT = ("nix-support/", "include/", "lib/pkgconfig/", "share/doc/", "share/gtk-doc/", "share/info/", "share/man/", "share/pkgconfig/")
# What an image has at its root, not below /usr.
AT_ROOT = ("etc", "var")
LIBRARY = re.compile(r".+\.so(?:\.\d+)*")
FONTS = b"""<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
"""


class StoreFarm(Farm):
    """Packages of nixpkgs, without what no image needs."""

    @staticmethod
    def _scan(package):
        return [(path, target) for path, target in Farm._scan(package) if not path.startswith(LEFT_OUT)]


def move_links(folder, path):
    """Turns relative links below /etc and /var, which leave /usr, absolute."""
    for name, child in folder.children.items():
        below = f"{path}/{name}"
        if isinstance(child, Folder):
            move_links(child, below)
        elif isinstance(child, Leaf) and child.target is not None and not child.target.startswith("/"):
            end = os.path.normpath(os.path.join(os.path.dirname(below), child.target))
            child.target = end if end.startswith(tuple(f"/{top}/" for top in AT_ROOT)) else f"/usr{end}"


def merged(packages):
    farm = StoreFarm([Package(path, f"package {package['name']}", package["requested_by"]) for package in packages for path in package["paths"]])
    fail(farm.errors)
    for name, child in farm.top.children.items():
        if isinstance(child, Folder):
            farm.open_up(name)
    for name in AT_ROOT:
        farm.open_all(name)
        if isinstance(farm.top.children.get(name), Folder):
            move_links(farm.top.children[name], f"/{name}")
    found = farm.tree()
    tree = {name: found.pop(name) for name in AT_ROOT if isinstance(found.get(name), dict)}
    tree["usr"] = found
    # nixpkgs links one to the other where a package has both
    for alias, name in (("lib64", "lib"), ("sbin", "bin")):
        place = directory(tree, f"usr/{name}")
        if isinstance(found.get(alias), dict):
            for entry, node in found[alias].items():
                place.setdefault(entry, node)
        found[alias] = name
    skeleton(tree, LINKS)
    return tree


def own_files(root):
    """What no package has: path -> node."""
    made = generated(root, {}, note)
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    if root.real(bundle) is None and root.real("/etc/ssl/certs/ca-bundle.crt"):
        made[bundle] = "ca-bundle.crt"
    if root.real("/usr/share/fonts") and root.real("/etc/fonts/fonts.conf") is None:
        made["/etc/fonts/fonts.conf"] = FONTS
    # nixpkgs' loader reads neither
    made.pop("/etc/ld.so.conf", None)
    return made


def main():
    spec = read_spec()
    tree = merged(spec["packages"])
    out = os.environ["out"]
    os.mkdir(out)
    for path, node in own_files(StoreRoot(tree)).items():
        if isinstance(node, bytes):
            caches.place(out + path, node)
            node = out + path
        put(tree, path, node)
    root = StoreRoot(tree)
    libraries = {name: f"/usr/lib/{name}" for name in root.names("/usr/lib") if LIBRARY.fullmatch(name) and root.real(f"/usr/lib/{name}")}
    for name, value in (("tree", tree), ("loader", libraries)):
        dump(value, os.environ[name])


if __name__ == "__main__":
    main()
