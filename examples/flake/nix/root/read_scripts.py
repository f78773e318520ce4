"""What maintainer scripts and triggers would make, as far as they say it in plain words or a
program of the packages makes it: none of them runs. For hosts whose kernel gives a builder
no namespace in which they could (configure.py).

Reads {"debs", "winners", "known_commands", "strict"} from $specPath and writes $out and $account
as configure.py does. What is not made is among the notes, or ends the build when `strict`.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import caches
import not_run
from generated import generated
from packages import dump, fail, note, read_spec
from system_packages import SystemPackages
from tree import Root, put, write_to_disk


def main():
    spec = read_spec()
    packages = SystemPackages(spec["debs"], spec["winners"])
    lost = not_run.notes(spec["debs"], packages.controls, spec["known_commands"])
    if spec["strict"] and lost:
        names = sorted(not_run.named(lost))
        fail([*lost, f"{len(lost)} maintainer scripts did not run and are not made up for, of {', '.join(names)}; `strict` in [policy] of forge.toml lets none pass: take it out, or let them run (maintainer-scripts = \"run\" in [substrate.debian])"])
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
    dump({"modes": {}, "removed": [], "notes": lost}, os.environ["account"])


if __name__ == "__main__":
    main()
