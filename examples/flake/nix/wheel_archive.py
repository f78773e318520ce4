"""Opens a wheel as the zip archive it claims to be, and nothing else.

Python's zipfile forgives much: data before and after the archive, a local
header that disagrees with the directory, two entries of one name. Two readers
can then see two different wheels in one file. Here every byte of the file
belongs to exactly one entry, the two descriptions of an entry agree, and every
name is a plain relative path; anything else raises Refused.

Format: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3 (zip64).
"""

import stat
import struct
import unicodedata
import zlib

MAX_ENTRIES = 200_000
MAX_BYTES = 4 << 30
# An archive may unpack to RATIO times its own size, and always to RATIO_FLOOR.
RATIO = 100
RATIO_FLOOR = 64 << 20

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s4B4H3L5H2L")
END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR64 = struct.Struct("<4sLQL")

ENCRYPTED, DESCRIPTOR, UTF8 = 1, 8, 0x800
STORED, DEFLATED = 0, 8


class Refused(Exception):
    """A wheel that is not installed, and why."""


class Entry:
    """A file or directory of the archive. Sizes in bytes."""

    __slots__ = ("name", "directory", "executable", "method", "packed", "size", "crc", "start", "flags", "header")

    def __init__(self, **fields):
        for key, value in fields.items():
            setattr(self, key, value)


def safe_parts(name, what="entry"):
    """The components of a relative path that stays where it is put."""
    shown = repr(name)
    if any(ord(c) < 32 or ord(c) == 127 for c in name):
        raise Refused(f"{what} {shown} has a control character in its name")
    if "\\" in name:
        raise Refused(f"{what} {shown} has a backslash in its name")
    if name.startswith("/"):
        raise Refused(f"{what} {shown} is an absolute path")
    if name[1:2] == ":" and name[:1].isalpha():
        raise Refused(f"{what} {shown} names a drive")
    parts = name.split("/")
    for part in parts:
        if part == "..":
            raise Refused(f"{what} {shown} leaves its directory")
        if part in ("", "."):
            raise Refused(f"{what} {shown} is not a plain path")
        if len(part.encode()) > 255:
            raise Refused(f"{what} {shown} has a component above 255 bytes")
    return parts


def folded(name):
    """Equal for names that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


class Places:
    """The paths taken so far: no two files at one, no file above another."""

    def __init__(self):
        self.files, self.folders = {}, {}

    def add(self, name, directory=False):
        key = folded(name)
        taken = self.files.get(key)
        if taken is None and not directory:
            taken = self.folders.get(key)
        if taken is not None:
            raise Refused(f"entry {name!r} is there twice" if taken == name else f"entries {taken!r} and {name!r} are one name")
        end = 0
        while (end := key.find("/", end)) != -1:
            if key[:end] in self.files:
                raise Refused(f"entry {name!r} lies below the file {self.files[key[:end]]!r}")
            # a spelling of its own is a twin too: Foo/a.py and foo/b.py
            above = "/".join(name.split("/")[: key[:end].count("/") + 1])
            if self.folders.setdefault(key[:end], above) != above:
                raise Refused(f"directories {self.folders[key[:end]]!r} and {above!r} are one name")
            end += 1
        (self.folders if directory else self.files)[key] = name


def unpack(layout, data, offset, what):
    try:
        return layout.unpack_from(data, offset)
    except struct.error:
        raise Refused(f"the archive ends inside {what}") from None


def zip64(extra, values, what):
    """Replaces the values that a zip64 extra field holds (those that are all ones)."""
    at, values = 0, list(values)
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        field = extra[at + 4 : at + 4 + length]
        if len(field) != length:
            raise Refused(f"{what} has a broken extra field")
        if kind == 1:
            position = 0
            for index, value in enumerate(values):
                if value == 0xFFFFFFFF:
                    if position + 8 > length:
                        raise Refused(f"{what} has a zip64 field that is too short")
                    (values[index],) = struct.unpack_from("<Q", field, position)
                    position += 8
            return values
        at += 4 + length
    return values


class Archive:
    """A wheel's entries, checked. `data` is the whole file: bytes or a map."""

    def __init__(self, data):
        self.data = data
        count, start, end = self._directory()
        if count > MAX_ENTRIES:
            raise Refused(f"{count} entries; the limit is {MAX_ENTRIES}")
        self.entries = list(self._central(count, start, end))
        self._contiguous(start)
        places, total = Places(), 0
        for entry in self.entries:
            places.add(entry.name, entry.directory)
            total += entry.size
        if total > MAX_BYTES:
            raise Refused(f"{total} bytes when unpacked; the limit is {MAX_BYTES}")
        if total > max(RATIO_FLOOR, RATIO * len(data)):
            raise Refused(f"unpacks to {total} bytes, more than {RATIO} times its own {len(data)}")
        for entry in self.entries:
            # Some tools deflate nothing to two bytes; no other bytes say nothing.
            if entry.directory and entry.packed:
                self.read(entry)
        self.files = {entry.name: entry for entry in self.entries if not entry.directory}

    def _directory(self):
        data = self.data
        at = len(data) - END.size
        if at < 0 or data[at : at + 4] != b"PK\5\6":
            raise Refused("not a zip archive, or one with a comment or data after its end")
        _, disk, disk0, here, count, size, start, comment = unpack(END, data, at, "its end record")
        if comment or disk or disk0 or here != count:
            raise Refused("the archive has a comment or several parts")
        end = at
        if at >= LOCATOR64.size and data[at - LOCATOR64.size : at - LOCATOR64.size + 4] == b"PK\6\7":
            _, disk, at64, disks = unpack(LOCATOR64, data, at - LOCATOR64.size, "its locator")
            magic, length, _, _, d1, d2, here, count64, size64, start64 = unpack(END64, data, at64, "its zip64 end record")
            if magic != b"PK\6\6" or length != END64.size - 12 or at64 + END64.size != at - LOCATOR64.size or d1 or d2 or disk or disks > 1 or here != count64:
                raise Refused("the zip64 end record is broken")
            for short, full, limit in ((count, count64, 0xFFFF), (size, size64, 0xFFFFFFFF), (start, start64, 0xFFFFFFFF)):
                if short not in (full, limit):
                    raise Refused("the two end records disagree")
            count, size, start, end = count64, size64, start64, at64
        if start + size != end:
            raise Refused("there is data before the archive, or behind its directory")
        return count, start, end

    def _central(self, count, at, end):
        data = self.data
        for number in range(count):
            what = f"entry {number} of the directory"
            (magic, _, _, _, _, flags, method, _, _, crc, packed, size, namelen, extralen, commentlen, disk, _, attributes, header) = unpack(CENTRAL, data, at, what)
            if magic != b"PK\1\2":
                raise Refused(f"{what} is no entry")
            at += CENTRAL.size
            raw = bytes(data[at : at + namelen])
            extra = bytes(data[at + namelen : at + namelen + extralen])
            at += namelen + extralen + commentlen
            if at > end:
                raise Refused(f"{what} is longer than the directory")
            name, directory = self._name(raw, flags)
            size, packed, header = zip64(extra, (size, packed, header), repr(name))
            if disk or flags & ENCRYPTED:
                raise Refused(f"entry {name!r} is encrypted or on another disk")
            mode = attributes >> 16
            kind = stat.S_IFMT(mode)
            if kind not in (0, stat.S_IFDIR if directory else stat.S_IFREG):
                raise Refused(f"entry {name!r} is a link or a special file")
            if mode & (stat.S_ISUID | stat.S_ISGID):
                raise Refused(f"entry {name!r} is setuid or setgid")
            if directory and size:
                raise Refused(f"directory {name!r} has content")
            if method not in (STORED, DEFLATED) or (method == STORED and size != packed):
                raise Refused(f"entry {name!r} is packed in an unknown way")
            if size > MAX_BYTES:
                raise Refused(f"entry {name!r} is {size} bytes when unpacked; the limit is {MAX_BYTES}")
            yield Entry(name=name, directory=directory, executable=bool(mode & 0o111), method=method, packed=packed, size=size, crc=crc, flags=flags, header=header, start=0)
        if at != end:
            raise Refused("the directory is longer than its entries")

    @staticmethod
    def _name(raw, flags):
        if not raw.isascii() and not flags & UTF8:
            raise Refused(f"the name {raw!r} has no declared encoding")
        try:
            name = raw.decode()
        except UnicodeDecodeError:
            raise Refused(f"the name {raw!r} is not UTF-8") from None
        directory = name.endswith("/")
        name = name[:-1] if directory else name
        safe_parts(name)
        return name, directory

    def _contiguous(self, end):
        """Compares the local headers; each entry must start where one ended."""
        at = 0
        for entry in sorted(self.entries, key=lambda entry: entry.header):
            if entry.header != at:
                raise Refused(f"there is data between entries, or two overlap, before {entry.name!r}")
            at = self._local(entry)
        if at != end:
            raise Refused("there is data between the entries and the directory")

    def _local(self, entry):
        data, what = self.data, f"entry {entry.name!r}"
        magic, _, flags, method, _, _, crc, packed, size, namelen, extralen = unpack(LOCAL, data, entry.header, what)
        at = entry.header + LOCAL.size
        raw = bytes(data[at : at + namelen])
        extra = bytes(data[at + namelen : at + namelen + extralen])
        size, packed = zip64(extra, (size, packed), what)
        name = entry.name + "/" * entry.directory
        if magic != b"PK\3\4" or raw != name.encode() or method != entry.method or flags != entry.flags:
            raise Refused(f"{what} and its local header disagree")
        known = (entry.crc, entry.packed, entry.size)
        if (crc, packed, size) != known and not (flags & DESCRIPTOR and (crc, packed, size) == (0, 0, 0)):
            raise Refused(f"{what} and its local header disagree")
        entry.start = at + namelen + extralen
        at = entry.start + entry.packed
        if flags & DESCRIPTOR:
            for layout in ("<4s3L", "<4sLQQ"):
                if data[at : at + 4] == b"PK\7\x08" and self._described(layout, at, known):
                    return at + struct.calcsize(layout)
            for layout in ("<3L", "<LQQ"):
                if self._described(layout, at, known):
                    return at + struct.calcsize(layout)
            raise Refused(f"{what} and its data descriptor disagree")
        return at

    def _described(self, layout, at, known):
        return unpack(struct.Struct(layout), self.data, at, "a data descriptor")[-3:] == known

    def read(self, entry):
        """An entry's bytes; never more than its declared size is unpacked."""
        packed = memoryview(self.data)[entry.start : entry.start + entry.packed]
        try:
            if entry.method == STORED:
                content = bytes(packed)
            else:
                stream = zlib.decompressobj(-15)
                content = stream.decompress(packed, entry.size + 1)
                if not stream.eof and len(content) == entry.size:
                    # the end marker may still be due
                    content += stream.decompress(stream.unconsumed_tail, 1)
                if not stream.eof or stream.unused_data:
                    raise Refused(f"entry {entry.name!r} does not end where it says")
        except zlib.error as error:
            raise Refused(f"entry {entry.name!r} cannot be unpacked: {error}") from None
        finally:
            packed.release()
        if len(content) != entry.size or zlib.crc32(content) != entry.crc:
            raise Refused(f"entry {entry.name!r} has not the size or the checksum it declares")
        return content
