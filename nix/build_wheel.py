"""Builds one member or source package into a wheel by PEP 517, in $out.

Run by build-wheel.nix in the hermetic Python; reads from $specPath

    {"source": directory or source archive, "subdirectory": of it, optional,
     "environment": what build_environment.py makes the build environment of,
     "backend": {"object": "module[:object]", "path": [relative directories]},
     "compiler": environment variables of the compiler, optional,
     "assets": [{"output": directory of the source, "path": what lies there}], optional,
     "name", "requested_by"}

The backend runs in a process of its own, the environment's Python
(call_backend.py). Assets are laid over the source, and every file of them must
come out in the wheel: a backend that follows .gitignore would lose them without
a word. The backend has no network and no host program, and a compiler only when
the spec has one.
"""

import base64
import csv
import hashlib
import io
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import build_environment
import programs
from wheel_archive import Archive, Refused

# How to tell a backend, by the package it is from.
KEEP = {
    "hatchling": '[tool.hatch.build.targets.wheel] artifacts = ["/{output}"]',
    "setuptools": '[tool.setuptools.package-data] <package> = ["{last}/**"]',
    "pdm": '[tool.pdm.build] includes = ["{output}/**"]',
    "poetry": '[tool.poetry] include = [{{ path = "{output}/**", format = "wheel" }}]',
    "maturin": '[tool.maturin] include = [{{ path = "{output}/**", format = "wheel" }}]',
}


def files_below(directory):
    """Path below the directory -> (size, crc)."""
    found = {}
    for above, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(above, name)
            with open(path, "rb") as file:
                content = file.read()
            found[os.path.relpath(path, directory)] = (len(content), zlib.crc32(content))
    return found


def lay_over(source, asset):
    """Puts an asset in the place of whatever the tree has there."""
    target = os.path.normpath(os.path.join(source, asset["output"]))
    if os.path.commonpath([source, target]) != source or target == source:
        raise SystemExit(f"the output of an asset leaves the source tree: {asset['output']}")
    if os.path.islink(target) or os.path.isfile(target):
        os.unlink(target)
    elif os.path.isdir(target):
        shutil.rmtree(target)
    shutil.copytree(asset["path"], target)


def left_out(archive, asset):
    """Files of an asset that the wheel does not have at a path that ends alike."""
    packed = {}
    for path, entry in archive.files.items():
        packed.setdefault((entry.size, entry.crc), []).append("/" + path)
    return sorted(path for path, content in files_below(asset["path"]).items() if not any(known.endswith("/" + path) for known in packed.get(content, [])))


def check(wheel, spec):
    """Refuses a wheel without the assets that it was to carry."""
    with open(wheel, "rb") as file:
        try:
            archive = Archive(file.read())
        except Refused as error:
            raise SystemExit(f"{spec['name']}: the wheel that it built is refused: {error}") from None
    for asset in spec["assets"]:
        lost = left_out(archive, asset)
        if not lost:
            continue
        backend = spec["backend"]["object"].replace("_", ".").partition(".")[0]
        hint = KEEP.get(backend, "tell it to include {output}").format(output=asset["output"], last=os.path.basename(asset["output"]))
        shown = ", ".join(lost[:3]) + (f" and {len(lost) - 3} more" if len(lost) > 3 else "")
        raise SystemExit(
            f"{spec['name']}: `{spec['backend']['object']}` left {len(lost)} built files of `{asset['output']}` out of the wheel: {shown}\n"
            f"most often because .gitignore names that directory; in pyproject.toml: {hint}"
        )


def unpack(archive, directory):
    """Unpacks a source archive and gives the one directory in it. The forge has read it before: its names are
    plain, its links stay in it."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as file:
            file.extractall(directory)
    else:
        with tarfile.open(archive, "r:gz") as file:
            # Python before 3.12 may lack the filter, and has no other behaviour to choose.
            options = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            file.extractall(directory, **options)
    [top] = os.listdir(directory)
    return os.path.join(directory, top)


def name_shell(source, shell):
    """There is no /bin/sh: scripts of the source that are for it name `shell`.
    Gives what they were: what they are now -> [(path, bytes)]."""
    originals = {}
    for directory, _, files in os.walk(source):
        for name in files:
            path = os.path.join(directory, name)
            if os.path.islink(path) or not os.access(path, os.X_OK):
                continue
            with open(path, "rb") as file:
                data = file.read()
            line, newline, rest = data.partition(b"\n")
            if re.fullmatch(rb"#! ?/bin/(ba)?sh( -e)?", line):
                changed = b"#!" + shell.encode() + newline + rest
                originals.setdefault(changed, []).append((os.path.relpath(path, source), data))
                with open(path, "wb") as file:
                    file.write(changed)
    return originals


def original(name, candidates):
    """Of scripts that are equal now, the one whose path is most like this one's."""

    def alike(candidate):
        pairs = zip(reversed(name.split("/")), reversed(candidate[0].split("/")))
        return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))

    return max(candidates, key=alike)[1] if candidates else None


def put_back(wheel, originals):
    """Undoes in a wheel what the build needed for itself: the first lines of
    scripts of the source, and in programs the loader that the compiler gave them."""
    with zipfile.ZipFile(wheel) as archive:
        entries = {info.filename: (info, archive.read(info)) for info in archive.infolist()}
    changed = {}
    for name, (_, content) in entries.items():
        usual = original(name, originals.get(content)) or programs.with_usual_loader(content)
        if usual is not None:
            changed[name] = usual
    if not changed:
        return
    for name, (_, content) in entries.items():
        if name.endswith(".dist-info/RECORD") and name.count("/") == 1:
            changed[name] = record_of(content.decode(), changed)
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, (info, content) in entries.items():
            archive.writestr(info, changed.get(name, content))


def record_of(text, changed):
    """A RECORD with the hashes of what has changed ("Recording installed projects")."""
    rows = []
    for row in csv.reader(io.StringIO(text, newline="")):
        if row and row[0] in changed and row[1:] != ["", ""]:
            content = changed[row[0]]
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            row = [row[0], f"sha256={digest}", str(len(content))]
        rows.append(row)
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def main():
    with open(os.environ["specPath"], encoding="utf-8") as file:
        spec = json.load(file)
    source = os.path.join(os.getcwd(), "source")
    if os.path.isdir(spec["source"]):
        shutil.copytree(spec["source"], source, symlinks=True)
    else:
        os.rename(unpack(spec["source"], os.path.join(os.getcwd(), "unpacked")), source)
    source = os.path.normpath(os.path.join(source, spec.get("subdirectory", ".")))
    for name, value in spec.get("compiler", {}).items():
        if name in ("PATH", "LD_LIBRARY_PATH"):
            build_environment.put_before(name, [value])
        else:
            os.environ[name] = value
    for directory, _, files in os.walk(source):
        os.chmod(directory, 0o755)
        for name in files:
            path = os.path.join(directory, name)
            if not os.path.islink(path):
                os.chmod(path, os.stat(path).st_mode | 0o200)
    for asset in spec.get("assets", []):
        lay_over(source, asset)
    shell = shutil.which("sh") if "compiler" in spec else None
    originals = name_shell(source, shell) if shell else {}
    if shell:
        # of every `configure`
        os.environ["CONFIG_SHELL"] = shell
    # backends ask for a home and for temporary directories
    os.environ["HOME"] = os.path.join(os.getcwd(), "home")
    os.mkdir(os.environ["HOME"])
    environment = os.path.join(os.getcwd(), "environment")
    try:
        build_environment.make(environment, spec["environment"])
    except Refused as error:
        raise SystemExit(f"{spec['name']}: its build environment: {error}") from None

    within = [os.path.normpath(os.path.join(source, path)) for path in spec["backend"]["path"]]
    for path in within:
        if os.path.commonpath([source, path]) != source:
            raise SystemExit(f"{spec['name']}: backend-path leaves the source tree: {path}")
    asked = {"name": spec["name"], "object": spec["backend"]["object"], "path": within, "shell": shell}
    os.mkdir(os.environ["out"])
    words = [os.path.join(environment, "bin/python"), "-P", "-B", "-X", "utf8", os.path.join(HERE, "call_backend.py"), json.dumps(asked)]
    code = subprocess.run(words, cwd=source, check=False).returncode
    if code:
        raise SystemExit(code if code > 0 else f"{spec['name']}: its backend was ended by signal {-code}")
    made = os.listdir(os.environ["out"])
    if len(made) != 1:
        raise SystemExit(f"{spec['name']}: the backend ended without a wheel")
    wheel = os.path.join(os.environ["out"], made[0])
    if "compiler" in spec:
        put_back(wheel, originals)
    if spec.get("assets"):
        check(wheel, spec)


if __name__ == "__main__":
    main()
