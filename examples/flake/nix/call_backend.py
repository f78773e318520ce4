"""Asks a PEP 517 backend for a wheel, in $out: what build_wheel.py starts with
the Python of the build environment, in the source tree.

Its one argument is JSON: {"name", "object": "module[:object]",
"path": [absolute directories of backend-path], "shell": where there is no
/bin/sh, optional}. It installs nothing; what the backend wants besides is told.
"""

import importlib
import json
import os
import re
import subprocess
import sys
from importlib import metadata


def missing(requirements):
    """Those of the backend's further wishes that the build environment does not hold.
    Whether a marker holds is asked where somebody is there to tell; else the backend tries."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        Requirement = None
    wanted = []
    for requirement in requirements:
        if ";" in requirement and (Requirement is None or not Requirement(requirement).marker.evaluate({"extra": ""})):
            continue
        name = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement)
        try:
            if name:
                metadata.distribution(name.group())
        except metadata.PackageNotFoundError:
            wanted.append(requirement)
    return wanted


def use_shell(shell):
    """What asks Python for a shell gets the substrate's."""
    start = subprocess.Popen.__init__

    def popen(self, args, *rest, **options):
        if options.pop("shell", False):
            args = [shell, "-c", *([args] if isinstance(args, (str, bytes)) else args)]
        start(self, args, *rest, **options)

    subprocess.Popen.__init__ = popen
    os.system = lambda command: subprocess.call([shell, "-c", command]) << 8


def main():
    asked = json.loads(sys.argv[1])
    sys.argv = ["build_wheel"]
    sys.path[:0] = asked["path"]
    if asked.get("shell"):
        use_shell(asked["shell"])
    module, _, attributes = asked["object"].partition(":")
    backend = importlib.import_module(module)
    for attribute in filter(None, attributes.split(".")):
        backend = getattr(backend, attribute)
    # Backends install nothing themselves; what they would is told before they try.
    wanted = missing(getattr(backend, "get_requires_for_build_wheel", list)())
    if wanted:
        raise SystemExit(f"{asked['name']}: its backend also wants {', '.join(wanted)}: add that to [build-system] requires")
    wheel = backend.build_wheel(os.environ["out"])
    made = os.listdir(os.environ["out"])
    if made != [wheel]:
        raise SystemExit(f"{asked['name']}: the backend promised {wheel} and left {made}")


if __name__ == "__main__":
    main()
