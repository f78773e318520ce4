"""Lays out node_modules of one npm workspace, as `npm ci` does, from tarballs.

Run by modules.nix in the hermetic Python; reads from $specPath

    {"packages": [{"name", "version", "archive", "places", "bin", "scripts"}],
     "bundled": [{"place", "bin"}], "links": [{"place", "target", "bin"}],
     "toolchain": directory or null}

and writes below $out what npm puts below the workspace's root, without npm's
own `.package-lock.json`. With a toolchain, programs are made to start in a
sandbox that has no /usr/bin/env and no /lib64, and the install scripts run of
the packages that have "scripts".
"""

import json
import os
import sys

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]

import bins
from tarball import Tarball
from wheel_archive import Refused, safe_parts


def checked(place):
    """A place of a package: plain parts, and below some node_modules."""
    parts = safe_parts(place, "place")
    if "node_modules" not in parts[:-1] or ".bin" in parts:
        raise Refused(f"{place!r} is no place of a package")
    return place


def write(root, place, package):
    """One package at one place; what lay there, out of another's tarball, goes."""
    directory = os.path.join(root, place)
    if os.path.lexists(directory):
        remove(directory)
    os.makedirs(directory)
    made = {""}

    def make(path):
        if path not in made:
            make(path.rpartition("/")[0])
            os.mkdir(os.path.join(directory, path))
            made.add(path)

    for path in sorted(package.directories):
        make(path)
    for path, file in package.files.items():
        make(path.rpartition("/")[0])
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        descriptor = os.open(os.path.join(directory, path), flags, 0o755 if file.executable else 0o644)
        with open(descriptor, "wb", buffering=0) as out:
            out.write(file.content)


def remove(directory):
    for entry in os.scandir(directory):
        if entry.is_dir(follow_symlinks=False):
            remove(entry.path)
        else:
            os.unlink(entry.path)
    os.rmdir(directory)


def lay_out(spec, root):
    """The tree below root; gives the files that commands lead to."""
    os.makedirs(os.path.join(root, "node_modules"))
    by_place = {}
    for package in spec["packages"]:
        for place in package["places"]:
            if by_place.setdefault(checked(place), package) is not package:
                raise Refused(f"two packages go to {place!r}: {by_place[place]['name']!r} and {package['name']!r}")
    read = {}
    # parents first: a tarball may bring packages of its own
    for place in sorted(by_place, key=lambda place: (place.count("/"), place)):
        package = by_place[place]
        label = f"{package['name']}@{package['version']}"
        try:
            # a package of several places is read once
            tarball = read.get(package["archive"])
            if tarball is None:
                with open(package["archive"], "rb") as file:
                    tarball = Tarball(file.read())
                if len(package["places"]) > 1:
                    read[package["archive"]] = tarball
            write(root, place, tarball)
        except (Refused, OSError) as error:
            raise Refused(f"{label}: {error}") from None
    for link in spec["links"]:
        at = os.path.join(root, checked(link["place"]))
        safe_parts(link["target"], "target")
        if os.path.lexists(at):
            raise Refused(f"the link {link['place']!r} has the place of a package")
        os.makedirs(os.path.dirname(at), exist_ok=True)
        os.symlink(os.path.relpath(os.path.join(root, link["target"]), os.path.dirname(at)), at)
    return by_place


def main():
    with open(os.environ["specPath"], encoding="utf-8") as file:
        spec = json.load(file)
    root = os.environ["out"]
    try:
        by_place = lay_out(spec, root)
        packages = [(place, package["bin"]) for place, package in by_place.items()]
        packages += [(checked(bundled["place"]), bundled["bin"]) for bundled in spec["bundled"]]
        scripts = [(place, package) for place, package in sorted(by_place.items()) if package["scripts"]]
        if scripts and not spec["toolchain"]:
            raise Refused("install scripts need a toolchain")
        if scripts:
            import sandbox

            sandbox.adapt(root, spec["toolchain"])
            tools = sandbox.Tools(spec["toolchain"])
            for place, package in scripts:
                tools.install_script(os.path.join(root, place), package, "preinstall")
        members = [(link["place"], link["bin"]) for link in spec["links"]]
        bins.unix_hash_bangs(bins.link(root, packages, members))
        if scripts:
            for event in ("install", "postinstall"):
                for place, package in scripts:
                    tools.install_script(os.path.join(root, place), package, event)
        if spec["toolchain"]:
            import sandbox

            sandbox.adapt(root, spec["toolchain"])
    except Refused as error:
        sys.exit(f"node_modules: {error}")


if __name__ == "__main__":
    main()
