"""Merges Debian packages into one tree in $out whose programs run where there is no /lib64.

Run by compiler.nix; reads from $specPath {"debs", "triplet", "busybox", "applets"}. Files are copied, not
linked: compilers and linkers take their own place and that of linker scripts from the real path.

Each program becomes a script that starts it through the tree's loader. Compilers also get the tree as their
root for headers and libraries, never a path of the host, and write neither debug information nor names of the
tree or of the build's directory: what they make must not refer to them. Programs are the exception: they get the
tree's loader, so that what a build makes it can start (whether a compiler works is mostly asked like that).
build_wheel.py puts the usual one into those that a wheel takes along.
"""

import json
import os
import re
import shutil
import struct

COMPILER = re.compile(r"(?:[\w-]+-)?(?:gcc|g\+\+|cpp|c\+\+)(?:-\d+)?")
# At the root of a package as old ones have it; all of it is below usr in one tree.
MERGED = ("bin", "lib", "lib64", "sbin")
# Nothing a compiler reads.
LEFT_OUT = ("usr/share/doc", "usr/share/bug", "usr/share/gdb", "usr/share/perl5", "etc", "var")
INTERPRETER = 3
# GCC's own language for what it passes to the linker ("Spec Files" in its manual); what a build says comes later.
SPECS = "usr/lib/loader.specs"
LINK = "*link:\n+ %{{!shared:%{{!static:%{{!static-pie:-dynamic-linker {loader}}}}}}}\n\n"


def merge(deb, out):
    for directory, names, files in os.walk(deb):
        below = os.path.relpath(directory, deb)
        if below in LEFT_OUT:
            names.clear()
            continue
        top = below.split("/")[0]
        target = os.path.normpath(os.path.join(out, "usr" if top in MERGED else "", below))
        links = [name for name in names if os.path.islink(os.path.join(directory, name))]
        names[:] = [name for name in names if name not in links]
        if below == ".":
            links = [name for name in links if name not in MERGED]
        os.makedirs(target, exist_ok=True)
        for name in files + links:
            source, place = os.path.join(directory, name), os.path.join(target, name)
            if os.path.lexists(place):
                continue
            if os.path.islink(source):
                link = os.readlink(source)
                if link.startswith("/"):
                    link = os.path.relpath(os.path.join(out, link.lstrip("/")), target)
                os.symlink(link, place)
            else:
                shutil.copyfile(source, place)
                os.chmod(place, 0o755 if os.stat(source).st_mode & 0o111 else 0o644)


def is_program(path):
    """Whether a file is an ELF program: one that names an interpreter (elf(5), PT_INTERP)."""
    with open(path, "rb") as file:
        header = file.read(64)
        if header[:6] != b"\x7fELF\x02\x01":
            return False
        offset, size, count = struct.unpack_from("<Q", header, 32)[0], *struct.unpack_from("<HH", header, 54)
        file.seek(offset)
        table = file.read(size * count)
    return any(struct.unpack_from("<I", table, index * size)[0] == INTERPRETER for index in range(count))


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def library_of(out, spec):
    return os.path.join(out, "usr/lib", spec["triplet"])


def loader_of(out, spec):
    return os.path.join(library_of(out, spec), "ld-linux-x86-64.so.2")


def wrap(path, out, spec):
    directory, name = os.path.split(path)
    real = os.path.join(directory, f".{name}-program")
    os.rename(path, real)
    library, loader = library_of(out, spec), loader_of(out, spec)
    before, after = "", ""
    if COMPILER.fullmatch(name):
        before, after = f" --sysroot={out} -specs={out}/{SPECS} -ffile-prefix-map={out}= \"-ffile-prefix-map=$NIX_BUILD_TOP=\"", " -g0"
    elif name == "make":
        before = f" SHELL={spec['applets']}/sh"
    words = [loader, "--library-path", library, "--argv0", path, real]
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"#!{spec['busybox']} sh\nexec {' '.join(map(quoted, words))}{before} \"$@\"{after}\n")
    os.chmod(path, 0o755)


def main():
    with open(os.environ["specPath"], encoding="utf-8") as file:
        spec = json.load(file)
    out = os.environ["out"]
    os.makedirs(os.path.join(out, "usr"))
    for deb in spec["debs"]:
        merge(deb, out)
    for name in MERGED:
        os.symlink(f"usr/{name}", os.path.join(out, name))
    for directory, _, files in os.walk(os.path.join(out, "usr")):
        for name in files:
            path = os.path.join(directory, name)
            if not os.path.islink(path) and os.access(path, os.X_OK) and ".so" not in name and is_program(path):
                wrap(path, out, spec)
    with open(os.path.join(out, SPECS), "w", encoding="utf-8") as file:
        file.write(LINK.format(loader=loader_of(out, spec)))
    # What alternatives would have linked.
    for name, target in (("cc", "gcc"), ("c++", "g++")):
        os.symlink(target, os.path.join(out, "usr/bin", name))


main()
