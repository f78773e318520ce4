"""Writes /etc/ld.so.cache, as ldconfig would for the finished root.

Format: glibc's sysdeps/generic/dl-cache.h, `struct cache_file_new`, version 1.1,
little endian, x86_64. Entries for hardware capabilities are left out: the
baseline library of a name is what the cache gives.
"""

import functools
import os
import re
import struct

from elf import read_elf

# Where the loader looks without a cache (Debian's glibc).
DEFAULT = ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib", "/usr/lib", "/lib64", "/usr/lib64"]
LIBC6_X86_64 = 0x0303
LIBRARY = re.compile(r"(?:lib|ld-).*\.so(?:\..*)?")


def directories(root):
    """The directories of the configuration, in its order, then the default ones."""
    found = []
    files = [f"/etc/ld.so.conf.d/{name}" for name in root.names("/etc/ld.so.conf.d") if name.endswith(".conf")]
    for file in files:
        for line in (root.read(file) or b"").decode(errors="replace").splitlines():
            line = line.partition("#")[0].strip()
            if line.startswith("/"):
                found.append(line.rstrip("/"))
    return list(dict.fromkeys(found + DEFAULT))


def known_as(name, soname, is_link):
    """What ldconfig calls a file: by its soname, but the compiler's link libx.so
    by its own name. Python's ctypes.util.find_library takes the first name it is
    told, so a cache of other names would lead to other files."""
    if not soname or "/" in soname or name == soname:
        return name
    return name if is_link and name.endswith(".so") and soname.startswith(name) else soname


def scan(root, folders):
    """(name, path, soname, whether it is a link) of the libraries in each directory."""
    visited = set()
    for folder in folders:
        real = root.real(folder)
        if real is None or real in visited:
            continue
        visited.add(real)
        here = []
        for name in root.names(folder):
            path = f"{folder}/{name}"
            real = root.real(path) if LIBRARY.fullmatch(name) else None
            place = root.on_disk(real) if real else None
            elf = read_elf(place) if place else None
            if elf is not None and (elf.machine, elf.bits) == ("x86_64", 64):
                here.append((name, path, elf.soname, os.path.basename(real) != name))
        yield here


def libraries(root, folders):
    """name -> path: what the cache holds, the first directory first."""
    found = {}
    for libraries in scan(root, folders):
        here = {}
        for name, path, soname, is_link in libraries:
            known = known_as(name, soname, is_link)
            if known == name or known not in here:
                here[known] = path
        found = {**here, **found}
    return found


def loadable(root, cached):
    """name -> path: what the loader finds, in the cache or by file name in its
    default directories."""
    files = {}
    for libraries in scan(root, DEFAULT):
        files = {**{name: path for name, path, _, _ in libraries}, **files}
    return {**files, **cached}


def compare(one, other):
    """_dl_cache_libcmp: runs of digits count as numbers."""
    a, b = re.findall(r"\d+|\D", one), re.findall(r"\d+|\D", other)
    for x, y in zip(a, b):
        if x.isdigit() and y.isdigit():
            if int(x) != int(y):
                return int(x) - int(y)
        elif x.isdigit() != y.isdigit():
            return 1 if x.isdigit() else -1
        elif x != y:
            return ord(x) - ord(y)
    return len(a) - len(b)


def cache(found):
    """The bytes of the cache for name -> path. The loader's search is binary and
    wants the names in descending order."""
    names = sorted(found, key=functools.cmp_to_key(compare), reverse=True)
    header, entry = struct.Struct("<17s3sIIB3xI12x"), struct.Struct("<iIIIQ")
    strings, entries = bytearray(), []
    start = header.size + entry.size * len(names)

    def text(value):
        position = start + len(strings)
        strings.extend(value.encode() + b"\0")
        return position

    for name in names:
        entries.append(entry.pack(LIBC6_X86_64, text(name), text(found[name]), 0, 0))
    return header.pack(b"glibc-ld.so.cache", b"1.1", len(names), len(strings), 2, 0) + b"".join(entries) + bytes(strings)
