"""What the scripts of this directory share: reading the spec of the builder."""

import json
import os

from farm import Package


def read_spec():
    with open(os.environ["specPath"], encoding="utf-8") as file:
        return json.load(file)


def debs(spec):
    return [Package(deb["path"], f"package {deb['name']}", deb["requested_by"]) for deb in spec["debs"]]


def fail(errors):
    """Ends the build with every error, if there is one."""
    if errors:
        raise SystemExit("\n".join(f"error: {error}" for error in errors))
