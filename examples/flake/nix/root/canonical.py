"""Files that programs write with the time or an order of their own in it, and what they
are with neither: the same content, from the same packages the same bytes."""

import fnmatch
import hashlib
import itertools
import struct

# What ca-certificates-java and Java itself give every store of authorities.
PASSWORD = "changeit"
SALT = b"Mighty Aphrodite"


def keystore(content, epoch):
    """A store of certificates (JKS): every entry is of the epoch. Big-endian, as in
    sun.security.provider.JavaKeyStore: magic, version, count; of each entry its kind (2, a certificate),
    alias, milliseconds, type, bytes; a SHA-1 of the password, a salt and all before it."""
    magic, version, count = struct.unpack_from(">III", content)
    if (magic, version) != (0xFEEDFEED, 2):
        raise ValueError("no store of Java's own kind")
    made, at = bytearray(content[:12]), 12

    def take(size):
        nonlocal at
        at += size
        return content[at - size : at]

    def text():
        size = take(2)
        return size + take(int.from_bytes(size))

    for _ in range(count):
        kind = take(4)
        if int.from_bytes(kind) != 2:
            raise ValueError("it has a key")
        made += kind + text()
        take(8)
        made += struct.pack(">q", epoch * 1000) + text()
        size = take(4)
        made += size + take(int.from_bytes(size))
    if len(content) != at + 20:
        raise ValueError("it does not end with its digest")
    return bytes(made) + hashlib.sha1(PASSWORD.encode("utf-16-be") + SALT + made).digest()


def listing(content, epoch):
    """TeX's database of file names: directories, and the names in each, in the order of their bytes."""

    def of_block(block):
        lines = block.strip(b"\n").split(b"\n")
        title = list(itertools.takewhile(lambda line: line.startswith(b"%") or line.endswith(b":"), lines))
        return b"\n".join(title + sorted(lines[len(title) :]))

    first, *blocks = map(of_block, content.strip(b"\n").split(b"\n\n"))
    return b"\n\n".join([first, *sorted(blocks)]) + b"\n"


KINDS = {"etc/ssl/certs/java/cacerts": keystore, "var/lib/texmf/ls-R*": listing}


def canonical(place, content, epoch):
    """The bytes of a file without time and order; as it is, when it is none of these kinds or cannot be read as one."""
    for pattern, make in KINDS.items():
        if fnmatch.fnmatchcase(place, pattern):
            try:
                return make(content, epoch)
            except (ValueError, struct.error):
                return content
    return content
