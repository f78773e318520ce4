"""Installs one wheel into a directory of its own.

Run by wheel.nix in the hermetic Python; reads from $specPath

    {"wheel": file or a directory that holds one, "name", "version",
     "python": "3.13", "prefix": "/app/.venv",
     "elf": {"patchelf", "scripts", "rpath"}, where ELF files have to be changed}

and writes below $out what the wheel puts below the prefix, and to $meta what
the image needs to know of it: {"name", "version", "scripts", "elf"}.

Formats: packaging.python.org "Binary distribution format", "Recording installed
projects" and "Entry points". Everything in a wheel is hostile until checked; a
refusal names the wheel and what is wrong.
"""

import _csv
import binascii
import hashlib
import io
import json
import mmap
import os
import re
import sys
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bytecode import cached, compiled
from wheel_archive import Archive, Places, Refused, safe_parts

INSTALLER = b"lychd-forge\n"
SCHEMES = ("purelib", "platlib", "scripts", "data", "headers")
SCRIPT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
DOTTED = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
TARGET = re.compile(rf"({DOTTED})\s*:\s*({DOTTED})\s*(?:\[[\w\s.,-]*\])?")


def normalized(name):
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def same_version(one, other):
    """Whether two spellings are one version, as far as spelling goes."""

    def simple(text):
        text = re.sub(r"[-_.]", ".", text.strip().lower().removeprefix("v"))
        public, _, local = text.partition("+")
        public = re.sub(r"\d+", lambda number: str(int(number[0])), public)
        return re.sub(r"(\.0)+$", "", public), local

    return simple(one) == simple(other)


def csv_rows(text):
    try:
        return [row for row in _csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except _csv.Error as error:
        raise Refused(f"RECORD cannot be read: {error}") from None


def text_of(content, what):
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Refused(f"{what} is not UTF-8") from None


def headers(text):
    """The header part of WHEEL or METADATA: first value of each lower-case key."""
    found = {}
    for line in text.splitlines():
        if not line:
            break
        key, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            found.setdefault(key.lower(), value.strip())
    return found


def sha256_field(content):
    return "sha256=" + urlsafe(hashlib.sha256(content).digest())


def urlsafe(digest):
    return binascii.b2a_base64(digest, newline=False).rstrip(b"=").translate(bytes.maketrans(b"+/", b"-_")).decode()


class Wheel:
    """A wheel whose archive, metadata and RECORD are in order."""

    def __init__(self, data, name, version):
        self.archive = Archive(data)
        self.info = self._info_directory(name)
        self.data_directory = self.info.removesuffix(".dist-info") + ".data"
        about = headers(text_of(self.content(f"{self.info}/WHEEL"), "WHEEL"))
        if about.get("wheel-version", "").split(".")[0] != "1":
            raise Refused(f"its format is {about.get('wheel-version', 'unknown')!r}, not 1.x")
        metadata = headers(text_of(self.content(f"{self.info}/METADATA"), "METADATA"))
        if normalized(metadata.get("name", "")) != normalized(name):
            raise Refused(f"it is {metadata.get('name')!r}, not {name!r}")
        self.version = metadata.get("version", "")
        # null for a member: its version is what its own source says
        if version is not None and not same_version(self.version, version):
            raise Refused(f"it has version {self.version!r}, not {version!r}")
        self.hashes = self._record()
        self.entry_points = self._entry_points()

    def content(self, name):
        entry = self.archive.files.get(name)
        if entry is None:
            raise Refused(f"it has no {name}")
        return self.archive.read(entry)

    def _info_directory(self, name):
        found = sorted({path.split("/")[0] for path in self.archive.files if path.split("/")[0].endswith(".dist-info") and "/" in path})
        if len(found) != 1:
            raise Refused(f"it has {len(found)} dist-info directories: {', '.join(map(repr, found))}")
        if normalized(found[0].removesuffix(".dist-info").partition("-")[0]) != normalized(name):
            raise Refused(f"its dist-info directory is {found[0]!r}, the package is {name!r}")
        return found[0]

    def _record(self):
        """path -> (algorithm, digest) of every file that RECORD vouches for."""
        record, hashes = f"{self.info}/RECORD", {}
        unsigned = {record, record + ".jws", record + ".p7s"}
        for row in csv_rows(text_of(self.content(record), "RECORD")):
            if len(row) != 3:
                raise Refused(f"RECORD has a row of {len(row)} fields: {row!r}")
            path, digest, size = row
            safe_parts(path.removesuffix("/"), "RECORD's")
            entry = self.archive.files.get(path)
            if path in unsigned or entry is None:
                continue
            algorithm, equals, value = digest.partition("=")
            if not equals or algorithm not in ("sha256", "sha384", "sha512"):
                raise Refused(f"RECORD has no sha256 or better for {path!r}")
            if hashes.setdefault(path, (algorithm, value.rstrip("="))) != (algorithm, value.rstrip("=")):
                raise Refused(f"RECORD has two hashes for {path!r}")
            if size and size != str(entry.size):
                raise Refused(f"RECORD has {size} bytes for {path!r}, the archive {entry.size}")
        for path in self.archive.files:
            if path not in hashes and path not in unsigned:
                raise Refused(f"RECORD does not name {path!r}")
        return hashes

    def _entry_points(self):
        """Console and GUI scripts: name -> "module:function"."""
        path, scripts, section = f"{self.info}/entry_points.txt", {}, None
        if path not in self.archive.files:
            return scripts
        for line in text_of(self.content(path), "entry_points.txt").split("\n"):
            line = line.removesuffix("\r")
            bare = line.strip()
            if not bare or bare[0] in "#;":
                continue
            if bare.startswith("["):
                section = bare[1:].partition("]")[0].strip()
                continue
            if section not in ("console_scripts", "gui_scripts"):
                continue
            name, equals, target = line.partition("=")
            if line[0].isspace() or not equals:
                raise Refused(f"entry point {bare!r} is no `name = module:function`")
            name, match = name.strip(), TARGET.fullmatch(target.strip())
            if not SCRIPT_NAME.fullmatch(name):
                raise Refused(f"entry point {name!r} is no name of a program")
            if not match:
                raise Refused(f"entry point {name!r} has the target {target.strip()!r}, which is no `module:function`")
            if name in scripts:
                raise Refused(f"entry point {name!r} is there twice")
            scripts[name] = f"{match[1]}:{match[2]}"
        return scripts

    def verified(self, path):
        """The content of a file, after a look at its hash in RECORD."""
        content = self.content(path)
        algorithm, digest = self.hashes[path]
        if urlsafe(hashlib.new(algorithm, content).digest()) != digest:
            raise Refused(f"the hash in RECORD does not fit {path!r}")
        return content

    def destination(self, path, site, project):
        """Where a file of the archive goes below the prefix, or None."""
        if path.startswith(self.data_directory + "/"):
            _, scheme, *rest = path.split("/")
            if scheme not in SCHEMES or not rest:
                raise Refused(f"{path!r} is in none of {', '.join(SCHEMES)}")
            below = "/".join(rest)
            return {
                "purelib": f"{site}/{below}",
                "platlib": f"{site}/{below}",
                "scripts": f"bin/{below}",
                "data": below,
                "headers": f"include/site/{os.path.basename(os.path.dirname(site))}/{project}/{below}",
            }[scheme]
        return f"{site}/{path}"


def console_script(python, target):
    module, _, function = target.partition(":")
    return (
        f"#!{python}\n"
        "import sys\n"
        f"from {module} import {function.partition('.')[0]}\n"
        'if __name__ == "__main__":\n'
        f"    sys.exit({function}())\n"
    ).encode()


class Destination:
    """The directory that a wheel is written to, and the RECORD of it."""

    def __init__(self, root, prefix, site, patch=None):
        self.root, self.prefix, self.site, self.patch = root, prefix, site, patch
        self.places, self.record, self.elf = Places(), [], []

    def write(self, path, content, executable=False):
        self.places.add(path)
        is_elf = content[:4] == b"\x7fELF"
        if is_elf and self.patch:
            content = self.patch(path, content)
        self._write(path, content, executable)
        self.record.append([os.path.relpath(path, self.site), sha256_field(content), str(len(content))])
        if is_elf:
            self.elf.append(path)
        if path.endswith(".py") and path.startswith(self.site + "/"):
            self._compile(path, content)

    def _write(self, path, content, executable):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        # O_EXCL: whatever the checks above have missed, nothing is replaced
        descriptor = os.open(full, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o755 if executable else 0o644)
        with open(descriptor, "wb") as file:
            file.write(content)

    def _compile(self, path, source):
        code, target = compiled(source, f"{self.prefix}/{path}"), cached(path)
        if code is None:
            return
        self._write(target, code, False)
        self.record.append([os.path.relpath(target, self.site), "", ""])

    def finish(self, info):
        path = f"{self.site}/{info}/RECORD"
        text = io.StringIO(newline="")
        rows = sorted(self.record) + [[os.path.relpath(path, self.site), "", ""]]
        _csv.writer(text, lineterminator="\n").writerows(rows)
        self._write(path, text.getvalue().encode(), False)


def install(data, name, version, python, prefix, root, patch=None):
    """Installs the wheel in `data` below `root`; returns its metadata."""
    wheel = Wheel(data, name, version)
    site = f"lib/python{python}/site-packages"
    interpreter = f"{prefix}/bin/python"
    out = Destination(root, prefix, site, patch)
    written_here = {f"{wheel.info}/{file}" for file in ("RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED")}
    for path in sorted(wheel.archive.files):
        # compiled here from the source beside it, so never taken from elsewhere
        if path in written_here or "__pycache__" in path.split("/"):
            continue
        content = wheel.verified(path)
        target = wheel.destination(path, site, normalized(name))
        executable = wheel.archive.files[path].executable
        if target.startswith("bin/"):
            executable = True
            first, newline, rest = content.partition(b"\n")
            if re.fullmatch(rb"#!pythonw?\r?", first.rstrip(b" ")):
                content = b"#!" + interpreter.encode() + newline + rest
        out.write(target, content, executable)
    for script, target in sorted(wheel.entry_points.items()):
        out.write(f"bin/{script}", console_script(interpreter, target), True)
    out.write(f"{site}/{wheel.info}/INSTALLER", INSTALLER)
    out.finish(wheel.info)
    return {"name": normalized(name), "version": wheel.version, "scripts": wheel.entry_points, "elf": sorted(out.elf)}


def patcher(elf):
    """What changes ELF files, where the substrate asks for it."""
    if elf is None:
        return None
    sys.path[:0] = elf["scripts"]
    from patch_elf import Patcher

    return Patcher(elf["patchelf"], elf["rpath"])


def main():
    with open(os.environ["specPath"], encoding="utf-8") as file:
        spec = json.load(file)
    path = spec["wheel"]
    if os.path.isdir(path):
        path = os.path.join(path, sorted(os.listdir(path))[0])
    warnings.simplefilter("ignore")
    try:
        with open(path, "rb") as file:
            if not os.fstat(file.fileno()).st_size:
                raise Refused("the file is empty")
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        meta = install(data, spec["name"], spec["version"], spec["python"], spec["prefix"], os.environ["out"], patcher(spec.get("elf")))
    except Refused as refusal:
        raise SystemExit(f"wheel {os.path.basename(path)} ({spec['name']}) is refused: {refusal}") from None
    with open(os.environ["meta"], "w", encoding="utf-8") as file:
        json.dump(meta, file, indent=1, sort_keys=True)
        file.write("\n")


if __name__ == "__main__":
    main()
