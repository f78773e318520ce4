"""The control part of a .deb: an `ar` archive with a control.tar in it.
Format: deb(5), deb-control(5)."""

import io
import re
import tarfile


class Control:
    """`fields`: the stanza, keys in lower case. `postinst`: a script's text."""

    def __init__(self, deb):
        self.fields, self.postinst = {}, ""
        with tarfile.open(fileobj=io.BytesIO(self._member(deb))) as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                if member.isfile() and name in ("control", "postinst"):
                    text = archive.extractfile(member).read().decode(errors="replace")
                    if name == "postinst":
                        self.postinst = text
                    else:
                        for line in re.sub(r"\n[ \t]+", " ", text).splitlines():
                            key, _, value = line.partition(":")
                            self.fields[key.lower()] = value.strip()

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

    def missing_libraries(self, present):
        """Library packages that it depends on and `present` has not."""
        groups = [*self._groups("depends"), *self._groups("pre-depends")]
        return sorted("|".join(sorted(group)) for group in groups if not group & present and any(name.startswith("lib") for name in group))
