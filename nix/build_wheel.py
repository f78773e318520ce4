"""Builds one member or source package into a wheel by PEP 517, in $out.

Run by build-wheel.nix in the hermetic Python; reads from $specPath

    {"source": directory or source archive, "subdirectory": of it, optional,
     "site_packages": [directories of the build environment],
     "backend": {"object": "module[:object]", "path": [relative directories]},
     "compiler": environment variables of the compiler, optional,
     "assets": [{"output": directory of the source, "path": what lies there}], optional,
     "name", "requested_by"}

Assets are laid over the source, and every file of them must come out in the
wheel: a backend that follows .gitignore would lose them without a word.
The backend has no network and no host program, and a compiler only when the
spec has one.
"""

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

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


def missing(requirements):
    """Those of the backend's further wishes that the build environment does not hold."""
    from importlib import metadata

    wanted = []
    for requirement in requirements:
        name = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement)
        try:
            if name:
                metadata.distribution(name.group())
        except metadata.PackageNotFoundError:
            wanted.append(requirement)
    return wanted


def use_shell(shell, source):
    """There is no /bin/sh. What asks Python for a shell, or is a script for one, gets the substrate's."""
    start = subprocess.Popen.__init__

    def popen(self, args, *rest, **options):
        if options.pop("shell", False):
            args = [shell, "-c", *([args] if isinstance(args, (str, bytes)) else args)]
        start(self, args, *rest, **options)

    subprocess.Popen.__init__ = popen
    os.system = lambda command: subprocess.call([shell, "-c", command]) << 8
    for directory, _, files in os.walk(source):
        for name in files:
            path = os.path.join(directory, name)
            if os.path.islink(path) or not os.access(path, os.X_OK):
                continue
            with open(path, "rb") as file:
                data = file.read()
            line, newline, rest = data.partition(b"\n")
            if re.fullmatch(rb"#! ?/bin/(ba)?sh( -e)?", line):
                with open(path, "wb") as file:
                    file.write(b"#!" + shell.encode() + newline + rest)


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
        # A search path goes before what is there.
        os.environ[name] = f"{value}:{os.environ[name]}" if name == "PATH" else value
    for directory, _, files in os.walk(source):
        os.chmod(directory, 0o755)
        for name in files:
            path = os.path.join(directory, name)
            if not os.path.islink(path):
                os.chmod(path, os.stat(path).st_mode | 0o200)
    for asset in spec.get("assets", []):
        lay_over(source, asset)
    if "compiler" in spec:
        use_shell(shutil.which("sh"), source)
    # backends ask for a home and for temporary directories
    os.environ["HOME"] = os.path.join(os.getcwd(), "home")
    os.mkdir(os.environ["HOME"])
    os.chdir(source)

    within = [os.path.normpath(os.path.join(source, path)) for path in spec["backend"]["path"]]
    for path in within:
        if os.path.commonpath([source, path]) != source:
            raise SystemExit(f"{spec['name']}: backend-path leaves the source tree: {path}")
    sys.path[:0] = within + spec["site_packages"]
    # children (a backend may start one) see the same packages
    os.environ["PYTHONPATH"] = os.pathsep.join(within + spec["site_packages"])
    sys.argv = ["build_wheel"]

    module, _, attributes = spec["backend"]["object"].partition(":")
    backend = importlib.import_module(module)
    for attribute in filter(None, attributes.split(".")):
        backend = getattr(backend, attribute)
    # Backends install nothing themselves; what they would is told before they try.
    wanted = getattr(backend, "get_requires_for_build_wheel", list)()
    if missing(wanted):
        raise SystemExit(f"{spec['name']}: its backend also wants {', '.join(missing(wanted))}: add that to [build-system] requires")
    os.mkdir(os.environ["out"])
    wheel = backend.build_wheel(os.environ["out"])
    made = os.listdir(os.environ["out"])
    if made != [wheel]:
        raise SystemExit(f"{spec['name']}: the backend promised {wheel} and left {made}")
    if spec.get("assets"):
        check(os.path.join(os.environ["out"], wheel), spec)


if __name__ == "__main__":
    main()
