"""What maintainer scripts and triggers would make, as far as they say it in plain words or a
program of the packages makes it: none of them runs. For hosts whose kernel gives a builder
no namespace in which they could (configure.py).

Reads {"debs", "winners"} from $specPath and writes $out and $account as configure.py does.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import caches
from generated import generated
from packages import dump, note, read_spec
from system_packages import SystemPackages
from tree import Root, put, write_to_disk


def main():
    spec = read_spec()
    packages = SystemPackages(spec["debs"], spec["winners"])
    union, found = packages.rooted()
    for path, node in generated(Root(union.tree), packages.controls, note).items():
        put(union.tree, path, node)
        found.append((path, node))
    # as a directory on disk, in which the packages' own tools can work
    made = os.path.join(os.getcwd(), "root")
    write_to_disk(union.tree, made, made)
    caches.run_all(made, note)
    out = os.environ["out"]
    os.mkdir(out)
    for path, node in found:
        caches.place(out + path, node)
    caches.collect(made, out)
    dump({"modes": {}, "removed": [], "notes": []}, os.environ["account"])


if __name__ == "__main__":
    main()
