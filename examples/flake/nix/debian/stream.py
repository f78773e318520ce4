"""Writes a docker archive to stdout from a conf.json.

The same command line, conf.json and bytes as the stream_layered_image.py of
nixpkgs; the README of this directory says how that is checked. An archive is
the layers, each a member SHA256/layer.tar, then the image's configuration, then
manifest.json. Digests are names of members and stand before the bytes, so a
layer is made twice: once to be hashed, once to be written.
"""

import argparse
import datetime
import hashlib
import io
import json
import os
import pathlib
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


def write_layer(stream, paths, owner):
    """Writes some store paths as one tar stream, sorted, below /nix/store."""

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
        # (diff ID, member name, store paths)
        self.layers = []

    def bytes(self, name, content):
        header = tarfile.TarInfo(name)
        header.size, header.mtime = len(content), self.mtime
        self.archive.addfile(header, io.BytesIO(content))

    def base(self, filename):
        """Copies the layers of a base image; returns its configuration."""
        with tarfile.open(filename) as base:
            read = lambda name: json.load(base.extractfile(name))
            manifest = read("manifest.json")[0]
            configuration = read(manifest["Config"])
            for name, digest in zip(manifest["Layers"], configuration["rootfs"]["diff_ids"]):
                header = base.getmember(name)
                self.archive.addfile(header, base.extractfile(header))
                self.layers.append((digest.removeprefix("sha256:"), header.path, [header.path]))
        return configuration["config"]

    def store(self, paths, directory, owner):
        strays = [path for path in paths if not path.startswith(directory)]
        if strays:
            raise SystemExit(f"not in {directory}: {strays}")
        meter = Meter()
        write_layer(meter, paths, owner)
        digest = meter.hash.hexdigest()
        name = f"{digest}/layer.tar"
        member = Member(self.archive, name, meter.size, self.mtime)
        write_layer(member, paths, owner)
        member.close()
        self.layers.append((digest, name, paths))

    def customisation(self, directory):
        with open(os.path.join(directory, "checksum"), encoding="ascii") as file:
            digest = file.read().strip()
        name = f"{digest}/layer.tar"
        path = os.path.join(directory, "layer.tar")
        header = self.archive.gettarinfo(path)
        # Upstream writes the store's owner here; the bytes must not depend on who owns a store.
        header.uid = header.gid = 0
        header.uname = header.gname = "root"
        header.name, header.mtime = name, self.mtime
        with open(path, "rb") as content:
            self.archive.addfile(header, content)
        self.layers.append((digest, name, [directory]))


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

    with tarfile.open(mode="w|", fileobj=sys.stdout.buffer) as archive:
        image = Image(archive, mtime)
        config = conf["config"]
        if conf["from_image"] is not None:
            # the last of two equal names wins and keeps the first's place
            env = image.base(conf["from_image"]).get("Env", []) + config.get("Env", [])
            if env:
                config["Env"] = list({entry.split("=", 1)[0]: entry for entry in env}.values())
        for number, paths in enumerate(conf["store_layers"], len(image.layers) + 1):
            print(f"layer {number}: {' '.join(paths)}", file=sys.stderr)
            image.store(paths, conf["store_dir"], owner)
        print(f"layer {len(image.layers) + 1}: {conf['customisation_layer']}", file=sys.stderr)
        image.customisation(conf["customisation_layer"])

        configuration = json.dumps(
            {
                "created": created,
                "architecture": conf["architecture"],
                "os": "linux",
                "config": config,
                "rootfs": {
                    "diff_ids": [f"sha256:{digest}" for digest, _, _ in image.layers],
                    "type": "layers",
                },
                "history": [
                    {"created": created, "comment": f"store paths: {paths}"}
                    for _, _, paths in image.layers
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
