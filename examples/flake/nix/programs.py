"""Programs of packages, made to start in a sandbox that has nothing but the store.

There is no /lib64, no /usr/bin/env and, as a rule, no /bin/sh. A script whose
first line asks for one of them, or for an interpreter of the image, gets a
program that is there; a dynamic program gets the store's loader. Libraries are
found by LD_LIBRARY_PATH, which children inherit. Files: elf(5), execve(2).
"""

import io
import os
import re
import struct

from wheel_archive import Refused

HASH_BANG = re.compile(rb"#![ \t]*(/[^ \t\r\n]+)(?:[ \t]+(?:-S[ \t]+)?([^ \t\r\n]+))?([^\r\n]*)\r?\n")
# What the kernel reads of a first line.
LONGEST = 255
ELF, INTERPRETER = b"\x7fELF\x02\x01", 3
# What programs for glibc are linked against.
USUAL_LOADER = b"/lib64/ld-linux-x86-64.so.2"
# Where a package of a substrate has its libraries, and its loader.
LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "lib")


def library_directories(trees):
    """The directories of libraries of some packages."""
    return [path for path in (os.path.join(tree, part) for tree in trees for part in LIBRARIES) if os.path.isdir(path)]


def loader(directories):
    """The loader among some libraries."""
    found = sorted(os.path.join(path, name) for path in directories for name in os.listdir(path) if name.startswith("ld-linux"))
    if not found:
        raise Refused("there is no loader among the libraries")
    return found[0]


def adapted_line(start, find):
    """For a script that begins with `start`, a first line that names a program
    that is there, or None. `find` gives the path of a program by its name."""
    match = HASH_BANG.match(start)
    if not match or match[1].startswith(b"/nix/"):
        return None
    interpreter, first, rest = match[1], match[2], match[3]
    wanted = first if os.path.basename(interpreter) == b"env" else interpreter
    if wanted is None or b"=" in wanted:
        return None
    name = os.path.basename(wanted).decode(errors="replace")
    # busybox's shell is the only one here
    found = find("sh" if name == "bash" else name)
    if found is None:
        return None
    words = rest if wanted is first else b" ".join(filter(None, [first, rest.strip()]))
    line = b"#!" + found.encode() + (b" " + words.strip() if words.strip() else b"") + b"\n"
    return line if len(line) <= LONGEST else None


def interpreter(file):
    """Of an open ELF program: where the header of its interpreter is, and where
    and what that is. None for any other file, and for a static program."""
    header = file.read(64)
    if not header.startswith(ELF) or len(header) < 64:
        return None
    table, = struct.unpack_from("<Q", header, 32)
    size, count = struct.unpack_from("<HH", header, 54)
    end = file.seek(0, os.SEEK_END)
    if size != 56 or table > end:
        return None
    for at in range(table, table + size * count, size):
        file.seek(at)
        entry = file.read(size)
        if len(entry) == size and struct.unpack_from("<I", entry)[0] == INTERPRETER:
            offset, = struct.unpack_from("<Q", entry, 8)
            length, = struct.unpack_from("<Q", entry, 32)
            if offset > end:
                return None
            file.seek(offset)
            return at, offset, file.read(min(length, 4096))
    return None


def wants_loader(path):
    """Whether a file is a program that no loader of the store starts yet."""
    with open(path, "rb") as file:
        found = interpreter(file)
    return found is not None and b"ld-linux" in found[2] and not found[2].startswith(b"/nix/")


def set_interpreter(path, loader):
    """Gives a dynamic ELF program the store's loader: its name goes behind the
    file's end, and the header that names the interpreter points there."""
    if not wants_loader(path):
        return
    with open(path, "r+b") as file:
        at, _, _ = interpreter(file)
        name = loader.encode() + b"\0"
        end = file.seek(0, os.SEEK_END)
        file.write(name)
        # the address stays: only libc's own list of names looks there
        file.seek(at + 8)
        file.write(struct.pack("<Q", end))
        file.seek(at + 32)
        file.write(struct.pack("<Q", len(name)))


def with_usual_loader(content):
    """The bytes of a program that was linked for a loader of the store, with the
    one that every system has; None for any other file."""
    found = interpreter(io.BytesIO(content))
    if found is None:
        return None
    _, offset, name = found
    if not name.startswith(b"/nix/store/") or b"/ld-linux" not in name:
        return None
    return content[:offset] + USUAL_LOADER.ljust(len(name), b"\0") + content[offset + len(name) :]


def set_shell(path, shell):
    """Lets an ELF program that starts /bin/sh start another: ninja has no other
    way to run a command. `shell` is a path of the same length."""
    usual = b"\0/bin/sh\0"
    named = b"\0" + shell.encode() + b"\0"
    if len(named) != len(usual):
        raise ValueError(f"{shell} is not as long as /bin/sh")
    with open(path, "r+b") as file:
        content = file.read()
        at = content.find(usual)
        while at != -1:
            file.seek(at)
            file.write(named)
            at = content.find(usual, at + len(usual) - 1)
