"""Builds one member into a wheel by PEP 517, in $out.

Run by member.nix in the hermetic Python; reads from $specPath

    {"source": directory, "site_packages": [directories of the build environment],
     "backend": {"object": "module[:object]", "path": [relative directories]},
     "name", "requested_by"}

The backend has no network, no compiler and no host program: a member that needs
one of these must come as a wheel.
"""

import importlib
import json
import os
import shutil
import sys


def main():
    with open(os.environ["specPath"], encoding="utf-8") as file:
        spec = json.load(file)
    source = os.path.join(os.getcwd(), "source")
    shutil.copytree(spec["source"], source, symlinks=True)
    for directory, _, files in os.walk(source):
        os.chmod(directory, 0o755)
        for name in files:
            path = os.path.join(directory, name)
            if not os.path.islink(path):
                os.chmod(path, os.stat(path).st_mode | 0o200)
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
    os.mkdir(os.environ["out"])
    wheel = backend.build_wheel(os.environ["out"])
    made = os.listdir(os.environ["out"])
    if made != [wheel]:
        raise SystemExit(f"{spec['name']}: the backend promised {wheel} and left {made}")


main()
