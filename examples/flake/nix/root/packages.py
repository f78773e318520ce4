"""What is put together in a root, and how a builder is told of it."""

import json
import os
import sys


class Package:
    """A store path whose content has a place in the root. `label` is for messages;
    what is `made` here goes before what any package has."""

    def __init__(self, path, label, requested_by=(), name="", at="", control=None, made=False):
        self.path, self.label, self.requested_by = path, label, list(requested_by)
        self.name, self.at, self.control, self.made = name, at, control, made

    def __str__(self):
        asked = ", ".join(self.requested_by)
        return f"{self.label} (requested by {asked})" if asked else self.label


def installed(spec):
    """(package, its metadata) of all wheels and members in the spec of an image's root."""
    return [
        (Package(one["path"], f"{'wheel' if one['at'] == spec['prefix'] else 'tree'} {one['name']}", one["requested_by"], one["name"], one["at"].strip("/")), load(one["meta"]))
        for one in spec["wheels"]
    ]


def read_spec():
    return load(os.environ["specPath"])


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def dump(value, path):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, sort_keys=True, indent=0)
        file.write("\n")


def note(message):
    print(f"note: {message}", file=sys.stderr)


def fail(errors):
    """Ends the build with every error, if there is one."""
    if errors:
        raise SystemExit("\n".join(f"error: {error}" for error in errors))
