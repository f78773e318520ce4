"""The control part of a .deb: an `ar` archive with a control.tar in it.
Format: deb(5), deb-control(5)."""

import io
import itertools
import re
import tarfile


PART = re.compile(r"(?=.)(\D*)(\d*)")
RELATION = re.compile(r"([a-z0-9][a-z0-9+.-]*)(?::\w+)?(?:\s*\(\s*(<<|<=|=|>=|>>)\s*([^\s)]+)\s*\))?(?:\s*\[[^\]]*\])?")
HOLDS = {
    "<<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    "=": lambda order: order == 0,
    ">=": lambda order: order >= 0,
    ">>": lambda order: order > 0,
}


def compare_versions(one, other):
    """deb-version(7): below 0 when `one` is the older."""

    def split(version):
        epoch, colon, rest = version.partition(":")
        if not colon:
            epoch, rest = "0", version
        upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
        return int(epoch) if epoch.isdigit() else 0, upstream, revision

    def weight(character):
        return -1 if character == "~" else ord(character) if character.isalpha() else ord(character) + 256

    def compare(a, b):
        # texts and numbers take turns, beginning with a text; its end is after a tilde and before all else
        for left, right in itertools.zip_longest(PART.findall(a), PART.findall(b), fillvalue=("", "")):
            text = lambda part: [*map(weight, part), 0]
            if text(left[0]) != text(right[0]):
                return -1 if text(left[0]) < text(right[0]) else 1
            if int(left[1] or 0) != int(right[1] or 0):
                return int(left[1] or 0) - int(right[1] or 0)
        return 0

    for a, b in zip(split(one), split(other)):
        order = a - b if isinstance(a, int) else compare(a, b)
        if order:
            return order
    return 0


class Control:
    """`members`: name -> bytes of what the part holds. `fields`: the stanza, keys in lower case."""

    def __init__(self, deb):
        self.fields, self.members = {}, {}
        with tarfile.open(fileobj=io.BytesIO(self._member(deb))) as archive:
            for member in archive:
                if member.isfile():
                    self.members[member.name.removeprefix("./")] = archive.extractfile(member).read()
        for line in re.sub(r"\n[ \t]+", " ", self.script("control")).splitlines():
            key, _, value = line.partition(":")
            self.fields[key.lower()] = value.strip()

    def script(self, name):
        """The text of a member; empty when there is none."""
        return self.members.get(name, b"").decode(errors="replace")

    @staticmethod
    def _member(deb):
        with open(deb, "rb") as file:
            if file.read(8) == b"!<arch>\n":
                while len(header := file.read(60)) == 60:
                    size = int(header[48:58])
                    content = file.read(size + size % 2)[:size]
                    if header.startswith(b"control.tar"):
                        return content
        raise SystemExit(f"{deb}: not a Debian package")

    def _groups(self, field):
        for group in filter(None, map(str.strip, self.fields.get(field, "").split(","))):
            yield {re.match(r"[^\s:(\[]+", alternative.strip())[0] for alternative in group.split("|")}

    def names(self):
        """The package's name and what it provides."""
        return {self.fields.get("package", "")}.union(*self._groups("provides"))

    def replaces(self, other):
        """Whether a file of this package goes before the other's at one path: it
        says Replaces, of a version that the other has (deb-control(5))."""
        for relation in self.fields.get("replaces", "").split(","):
            match = RELATION.fullmatch(relation.strip())
            if match and match[1] == other.fields.get("package"):
                if match[2] is None or HOLDS[match[2]](compare_versions(other.fields.get("version", ""), match[3])):
                    return True
        return False

    def needs(self):
        """Sets of names of what it depends on, one of each."""
        return [*self._groups("depends"), *self._groups("pre-depends")]

    def missing_libraries(self, present):
        """Library packages that it depends on and `present` has not."""
        return sorted("|".join(sorted(group)) for group in self.needs() if not group & present and any(name.startswith("lib") for name in group))
