"""Writes a docker archive to stdout from a conf.json.

The same command line and container as the stream_layered_image.py of nixpkgs, for
layers of packages at their places in the root. An archive is the layers, each a
member SHA256/layer.tar, then the image's configuration, then manifest.json.
Digests are names of members and stand before the bytes, so a layer is made twice:
once to be hashed, once to be written.

src/image of the forge writes the same bytes.
"""

import argparse
import datetime
import hashlib
import io
import json
import os
import pathlib
import stat
import sys
import tarfile


class Meter:
    """Counts and hashes what is written to it."""

    def __init__(self):
        self.hash = hashlib.sha256()
        self.size = 0

    def write(self, data):
        self.hash.update(data)
        self.size += len(data)


class Member:
    """A tar member whose content is written piece by piece, not read."""

    def __init__(self, archive, name, size, mtime):
        header = tarfile.TarInfo(name)
        header.size, header.mtime = size, mtime
        block = header.tobuf(archive.format, archive.encoding, archive.errors)
        archive.fileobj.write(block)
        archive.offset += len(block)
        self.archive, self.left, self.size = archive, size, size

    def write(self, data):
        self.left -= len(data)
        self.archive.fileobj.write(data)

    def close(self):
        if self.left:
            raise SystemExit(f"a layer changed its size by {-self.left} bytes while it was read")
        padding = -self.size % tarfile.BLOCKSIZE
        self.archive.fileobj.write(bytes(padding))
        self.archive.offset += self.size + padding


class Plan:
    """The root's say in how packages become layers: root/image.py writes it."""

    def __init__(self, filename):
        with open(filename, encoding="utf-8") as file:
            plan = json.load(file)
        self.links, self.sealed = plan["links"], plan["sealed"]
        self.special = {place: (int(mode, 8), uid, gid) for place, (mode, uid, gid) in plan["modes"].items()}
        self.twins = plan["hard_links"]
        self.left_out = {f"{path}/{name}" for path, names in plan["left_out"].items() for name in names}

    def mode(self, place, executable):
        """(mode, uid, gid) of a file or directory."""
        if self.sealed and (place == self.sealed or place.startswith(self.sealed + "/")):
            return 0o555 if executable else 0o444, 0, 0
        return self.special.get(place) or (0o755 if executable else 0o644, 0, 0)


class Folder:
    """A directory of a layer: what is certainly in it, and the directories on disk
    whose entries it has."""

    def __init__(self):
        self.children, self.sources = {}, []

    def at(self, place):
        folder = self
        for name in filter(None, place.split("/")):
            folder = folder.children.setdefault(name, Folder())
        return folder


def layer_tree(contents, plan):
    """The tree of the contents of a layer, and the paths on disk that are passed over."""
    top, passed = Folder(), set(plan.left_out)
    for content in contents:
        path, at = content["path"], content["at"].strip("/")
        top.at(at).sources.append(path)
        for link, target in plan.links.items():
            if not at or link.startswith(at + "/"):
                moved = os.path.join(path, link[len(at) :].lstrip("/"))
                if os.path.isdir(moved) and not os.path.islink(moved):
                    passed.add(moved)
                    top.at(target).sources.append(moved)
    return top, passed


def write_layer(stream, contents, plan, mtime):
    """Writes what some store paths hold at its places as one tar stream, sorted."""
    top, passed = layer_tree(contents, plan)
    firsts, written = set(plan.twins.values()), set()

    with tarfile.open(fileobj=stream, mode="w|") as archive:

        def add(place, kind, mode, uid, gid, size=0, target="", content=None):
            header = tarfile.TarInfo(place or ".")
            header.type, header.mode, header.size, header.linkname, header.mtime = kind, mode, size, target, mtime
            header.uid, header.gid = uid, gid
            header.uname, header.gname = "" if uid else "root", "" if gid else "root"
            archive.addfile(header, content)

        def leaf(place, path, status):
            if stat.S_ISLNK(status.st_mode):
                add(place, tarfile.SYMTYPE, 0o777, 0, 0, target=os.readlink(path))
                return
            if not stat.S_ISREG(status.st_mode):
                raise SystemExit(f"{path} is no file, link or directory")
            owned = plan.mode(place, status.st_mode & 0o100)
            if place in plan.twins:
                if plan.twins[place] not in written:
                    raise SystemExit(f"{place} is another name of {plan.twins[place]}, which does not come before it in the layer")
                add(place, tarfile.LNKTYPE, *owned, target=plan.twins[place])
                return
            if place in firsts:
                written.add(place)
            with open(path, "rb") as content:
                add(place, tarfile.REGTYPE, *owned, status.st_size, content=content)

        def write(folder, place):
            add(place, tarfile.DIRTYPE, *plan.mode(place, True))
            found = dict(folder.children)
            for source in folder.sources:
                with os.scandir(source) as entries:
                    for entry in entries:
                        if entry.path in passed:
                            continue
                        known = found.get(entry.name)
                        if entry.is_dir(follow_symlinks=False) and (known is None or isinstance(known, Folder)):
                            found.setdefault(entry.name, Folder()).sources.append(entry.path)
                        elif known is None:
                            found[entry.name] = entry
                        else:
                            raise SystemExit(f"{entry.path}: another package of the layer has something at its place")
            for name in sorted(found):
                child, below = found[name], f"{place}/{name}" if place else name
                if isinstance(child, Folder):
                    write(child, below)
                else:
                    leaf(below, child.path, child.stat(follow_symlinks=False))

        write(top, "")


def write_store_layer(stream, paths, owner):
    """Writes store paths where they are, below /nix/store, as upstream does."""

    def normal(header):
        for key, value in owner.items():
            setattr(header, key, value)
        return header

    with tarfile.open(fileobj=stream, mode="w|") as archive:
        for name in ("/nix", "/nix/store"):
            header = tarfile.TarInfo(name)
            header.type, header.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(normal(header))
        for path in map(pathlib.Path, paths):
            below = [] if path.is_symlink() else path.rglob("*")
            for file in sorted([path, *below]):
                header = archive.gettarinfo(file)
                header.name = "/" + header.name
                if header.islnk():
                    # a twin of an optimised store: written out as a file
                    header.type, header.linkname = tarfile.REGTYPE, ""
                    header.size = file.stat().st_size
                normal(header)
                if header.isfile():
                    with open(file, "rb") as content:
                        archive.addfile(header, content)
                else:
                    archive.addfile(header)


class Image:
    """The archive being written, and what its configuration will say."""

    def __init__(self, archive, mtime):
        self.archive, self.mtime = archive, mtime
        # (diff ID, member name, comment)
        self.layers = []

    def bytes(self, name, content):
        header = tarfile.TarInfo(name)
        header.size, header.mtime = len(content), self.mtime
        self.archive.addfile(header, io.BytesIO(content))

    def layer(self, write, comment):
        """Adds the layer that `write` writes to a stream."""
        print(f"layer {len(self.layers) + 1}: {comment}", file=sys.stderr)
        meter = Meter()
        write(meter)
        digest = meter.hash.hexdigest()
        name = f"{digest}/layer.tar"
        member = Member(self.archive, name, meter.size, self.mtime)
        write(member)
        member.close()
        self.layers.append((digest, name, comment))


def moment(text):
    """A time in ISO 8601, or `now`."""
    if text == "now":
        return datetime.datetime.now(tz=datetime.timezone.utc)
    return datetime.datetime.fromisoformat(text)


def main():
    parser = argparse.ArgumentParser(description="Writes a docker archive to stdout.")
    parser.add_argument("conf", help="conf.json of the image")
    parser.add_argument("--repo_tag", "-t", help="the archive's NAME:TAG instead of conf.json's")
    arguments = parser.parse_args()
    with open(arguments.conf, encoding="utf-8") as file:
        conf = json.load(file)
    created = moment(conf["created"]).isoformat()
    mtime = int(moment(conf["mtime"]).timestamp())
    owner = {
        "mtime": mtime,
        "uid": int(conf["uid"]),
        "gid": int(conf["gid"]),
        "uname": conf["uname"],
        "gname": conf["gname"],
    }
    plan = Plan(conf["root_plan"])

    with tarfile.open(mode="w|", fileobj=sys.stdout.buffer) as archive:
        image = Image(archive, mtime)
        for layer in conf["store_layers"]:
            if isinstance(layer, list):
                image.layer(lambda stream, paths=layer: write_store_layer(stream, paths, owner), f"store paths: {layer}")
            else:
                image.layer(lambda stream, contents=layer["contents"]: write_layer(stream, contents, plan, mtime), layer["comment"])

        configuration = json.dumps(
            {
                "created": created,
                "architecture": conf["architecture"],
                "os": "linux",
                "config": conf["config"],
                "rootfs": {
                    "diff_ids": [f"sha256:{digest}" for digest, _, _ in image.layers],
                    "type": "layers",
                },
                "history": [
                    {"created": created, "comment": comment}
                    for _, _, comment in image.layers
                ],
            },
            indent=4,
        ).encode()
        name = hashlib.sha256(configuration).hexdigest() + ".json"
        image.bytes(name, configuration)
        manifest = [
            {
                "Config": name,
                "RepoTags": [arguments.repo_tag or conf["repo_tag"]],
                "Layers": [name for _, name, _ in image.layers],
            }
        ]
        image.bytes("manifest.json", json.dumps(manifest, indent=4).encode())


main()
