"""Opens an npm tarball as the archive it claims to be, and nothing else.

What comes out is what npm's own extraction makes of it: the first component of
each name is dropped whatever it is called, `.gitignore` becomes `.npmignore`.
Where npm skips with a warning (links, names that leave), this refuses: a
package that needs such an entry would be broken anyway.

Formats: POSIX.1-2017 pax "ustar Interchange Format" and "pax Header Block";
GNU tar's long names (type L) and base-256 numbers.
"""

import unicodedata
import zlib

from wheel_archive import Refused, safe_parts

BLOCK = 512
MAX_ENTRIES = 200_000
MAX_BYTES = 4 << 30
# An archive may unpack to RATIO times its own size, and always to RATIO_FLOOR.
RATIO = 200
RATIO_FLOOR = 64 << 20
MAX_HEADER = 1 << 20

FILES, DIRECTORY = (b"\0", b"0", b"7"), b"5"
PAX, PAX_GLOBAL, GNU_NAME = b"x", b"g", b"L"
KINDS = {b"1": "a hard link", b"2": "a symbolic link", b"3": "a device", b"4": "a device", b"6": "a pipe"}


class File:
    """A file of the package."""

    __slots__ = ("content", "executable")

    def __init__(self, content, executable):
        self.content, self.executable = content, executable

    def __eq__(self, other):
        return self.executable == other.executable and self.content == other.content


def unpacked(data):
    """The bytes of the tar archive; never more than the limits allow."""
    if bytes(data[:2]) != b"\x1f\x8b":
        return bytes(data)
    limit = min(MAX_BYTES, max(RATIO_FLOOR, RATIO * len(data)))
    parts, total, rest = [], 0, data
    while rest:
        stream = zlib.decompressobj(31)
        try:
            part = stream.decompress(rest, limit - total + 1)
        except zlib.error as error:
            raise Refused(f"cannot be unpacked: {error}") from None
        total += len(part)
        if total > limit:
            raise Refused(f"unpacks to more than {limit} bytes")
        if not stream.eof:
            raise Refused("the archive is cut short")
        parts.append(part)
        rest = stream.unused_data
        if not rest.strip(b"\0"):
            break
        if rest[:2] != b"\x1f\x8b":
            raise Refused("there is data behind the archive")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def number(field, what):
    """A numeric header field: octal text, or base 256 when the top bit is set."""
    if field[0] & 0x80:
        if field[0] == 0xFF:
            raise Refused(f"{what} is negative")
        return int.from_bytes(field, "big") & ~(0x80 << 8 * (len(field) - 1))
    text = field.strip(b" \0")
    if not text:
        return 0
    if not all(c in b"01234567" for c in text):
        raise Refused(f"{what} is no number")
    return int(text, 8)


def text_of(raw, what):
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Refused(f"{what} {raw!r} is not UTF-8") from None


def pax_records(data):
    """Keyword -> value of a pax header."""
    found, at = {}, 0
    while at < len(data):
        space = data.find(b" ", at, at + 12)
        length = data[at:space]
        if space < 0 or not length.isdigit() or int(length) <= space - at + 1:
            raise Refused("a pax header is broken")
        record = data[space + 1 : at + int(length)]
        key, equals, value = record.partition(b"=")
        if not equals or not value.endswith(b"\n") or at + int(length) > len(data):
            raise Refused("a pax header is broken")
        found[text_of(key, "the keyword")] = value[:-1]
        at += int(length)
    return found


def entries(data):
    """Each entry: name, kind, mode, content."""
    at, count, attributes, long_name = 0, 0, {}, None
    while at < len(data):
        header = data[at : at + BLOCK]
        if not header.strip(b"\0"):
            # one block of zeros ends an archive, and only zeros may follow
            if data.count(0, at) != len(data) - at:
                raise Refused("there is data behind the end of the archive")
            break
        if len(header) < BLOCK:
            raise Refused("the archive is cut short")
        count += 1
        if count > MAX_ENTRIES:
            raise Refused(f"more than {MAX_ENTRIES} entries")
        if number(header[148:156], "a checksum") != sum(header) - sum(header[148:156]) + 8 * 32:
            raise Refused(f"the checksum of entry {count} is wrong")
        kind = header[156:157]
        size = number(header[124:136], "the size of an entry")
        at += BLOCK
        if kind in (PAX, PAX_GLOBAL, GNU_NAME):
            if size > MAX_HEADER or at + size > len(data):
                raise Refused("a header is too long")
            content = data[at : at + size]
            if kind == PAX:
                attributes = pax_records(content)
            elif kind == GNU_NAME:
                long_name = content.rstrip(b"\0")
            else:
                pax_records(content)
            at += -(-size // BLOCK) * BLOCK
            continue
        raw = header[:100].split(b"\0")[0]
        if header[257:263] == b"ustar\0" and (prefix := header[345:500].split(b"\0")[0]):
            raw = prefix + b"/" + raw
        raw = attributes.get("path", raw if long_name is None else long_name)
        if "size" in attributes:
            if not attributes["size"].isdigit():
                raise Refused("a pax header has a size that is no number")
            size = int(attributes["size"])
        if kind == DIRECTORY:
            size = 0
        name = text_of(raw, "the name")
        if at + size > len(data):
            raise Refused(f"entry {name!r} is cut short")
        yield name, kind, number(header[100:108], f"the mode of {name!r}"), data[at : at + size]
        at += -(-size // BLOCK) * BLOCK
        attributes, long_name = {}, None
    if attributes or long_name is not None:
        raise Refused("the archive ends behind a header")


class Tarball:
    """A package's files and directories below its top directory, by path.

    Directories are those with an entry of their own: npm leaves empty ones.
    """

    def __init__(self, data):
        self.files, self.directories = {}, set()
        self._spelled, self._ignores = {}, {}
        for name, kind, mode, content in entries(unpacked(data)):
            if kind in KINDS:
                raise Refused(f"entry {name!r} is {KINDS[kind]}")
            if kind not in (*FILES, DIRECTORY):
                raise Refused(f"entry {name!r} is of the unknown kind {kind!r}")
            if mode & 0o6000:
                raise Refused(f"entry {name!r} is setuid or setgid")
            directory = kind == DIRECTORY or name.endswith("/")
            self._add(name, directory, File(content, bool(mode & 0o100)))
        self.files.update({path: file for path, file in self._ignores.items() if path not in self.files})
        self._one_kind_each()

    def _add(self, name, directory, file):
        if name.startswith("/"):
            raise Refused(f"entry {name!r} is an absolute path")
        # tools write `package/./dist`, which is a place like any other
        top, *parts = name.split("/")
        parts = [part for part in parts if part not in ("", ".")]
        safe_parts(top if top not in ("", ".") else "package")
        # what lies beside the top directory is nobody's: npm drops it
        if not parts:
            return
        path = "/".join(parts)
        safe_parts(path)
        if directory:
            self.directories.add(path)
        elif parts[-1] == ".gitignore":
            self._put(self._ignores, path.removesuffix(".gitignore") + ".npmignore", file)
        else:
            self._put(self.files, path, file)

    def _put(self, files, path, file):
        known = files.setdefault(path, file)
        if known is not file and known != file:
            raise Refused(f"entry {path!r} is there twice")

    def _one_kind_each(self):
        """No file above another entry, and no two spellings of one name."""
        above = set(self.directories)
        for path in [*self.files, *self.directories]:
            while "/" in path:
                path = path.rpartition("/")[0]
                above.add(path)
        for path in sorted(above):
            if path in self.files:
                raise Refused(f"entry {path!r} is a file and a directory")
        for path in sorted({*self.files, *above}):
            if path.isascii():
                continue
            other = self._spelled.setdefault(unicodedata.normalize("NFC", path), path)
            if other != path:
                raise Refused(f"entries {other!r} and {path!r} are one name")
