"""The packages of Debian that a root is made of."""

import diversions
from collision import Decisions
from control import Control
from generated import skeleton
from packages import Package, fail, note
from tree import put
from union import LINKS, Union


class SystemPackages:
    """`debs`: {"name", "path", "deb", "special", "requested_by"} of each; `winners` as collision.py has them."""

    def __init__(self, debs, winners):
        self.debs, self.winners = debs, winners
        self.controls = {deb["name"]: Control(deb["deb"]) for deb in debs}
        self.diverted = {}
        for name, control in self.controls.items():
            self.diverted.update(diversions.parse(control.script("preinst"), name, note))

    def union(self, names=None, more=()):
        """Of all packages or of those named, and of `more` that are none of Debian's. Ends the build
        where two have a different file."""
        union = Union(LINKS, Decisions(self.winners), self.diverted)
        union.add_all([*(self._package(deb) for deb in self.debs if names is None or deb["name"] in names), *more])
        fail(union.undecided())
        return union

    def rooted(self, names=None):
        """The same, with what makes a root of it: directories and links, and files that were moved
        away; (path, node) of these."""
        union = self.union(names)
        found = skeleton(union.tree, LINKS)
        for place, node in union.diverted.items():
            put(union.tree, place, node)
            found.append(("/" + place, node))
        return union, found

    def _package(self, deb):
        return Package(deb["path"], f"package {deb['name']}", deb["requested_by"], deb["name"], control=self.controls[deb["name"]])
