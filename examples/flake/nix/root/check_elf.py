"""Resolves every library that an ELF file of the image needs, by the loader's
rules (ld.so(8)), inside the finished root, before anything runs in it.

Search, for each DT_NEEDED of a file:
1. DT_RPATH of the file, if it has no DT_RUNPATH;
2. DT_RUNPATH of the file;
3. /etc/ld.so.cache, then the default directories.
`$ORIGIN` of a library is the directory it was opened by, of a program the real
one (/proc/self/exe).
"""

import os
import re

from elf import read_elf

# Brought by the host with its driver when a GPU is handed in (CDI, nvidia's hook).
DRIVER = re.compile(r"lib(?:cuda|nvcuvid|nvidia-[a-z0-9-]+|nvoptix|OpenCL)\.so(?:\.\d+)*")
# A file for musl is never loaded by glibc's loader: wheels carry some as data.
MUSL = re.compile(r"(?:libc\.musl-\w+|ld-musl-\w+)\.so(?:\.\d+)*")


class Checker:
    """`system` is name -> path of the libraries in the loader's own directories,
    `waivers` package -> names of libraries that its files may lack."""

    def __init__(self, root, system, waivers=None):
        self.root, self.system = root, system
        self.elves, self.errors, self.notes = {}, [], []
        self.unused = {(package, name) for package, names in (waivers or {}).items() for name in names}
        self.waived = frozenset(self.unused)

    def elf(self, real):
        if real not in self.elves:
            place = self.root.on_disk(real)
            self.elves[real] = read_elf(place) if place else None
        return self.elves[real]

    def check(self, path, package, siblings=(), optional=False):
        """Checks the file at `path` of the root, which `package` has. `siblings` names
        libraries of the same package, which may load each other by hand before they
        are needed. A miss of an `optional` library, one that is no program, is a note."""
        real = self.root.real(path)
        elf = self.elf(real) if real else None
        if elf is None or not elf.needed:
            return
        if (elf.machine, elf.bits) != ("x86_64", 64):
            self.notes.append(f"{path}: for {elf.machine}, {elf.bits} bits; not checked")
            return
        if any(MUSL.fullmatch(name) for name in elf.needed) or MUSL.fullmatch(os.path.basename(elf.interpreter or "")):
            self.notes.append(f"{path}: for musl; not checked")
            return
        origin = os.path.dirname(real if elf.interpreter else path)
        if elf.interpreter and self.root.real(elf.interpreter) is None:
            self.errors.append(f"{path} of {package} needs the loader {elf.interpreter}, which is nowhere in the image")
        search = [self._expand(part, origin) for part in (elf.runpath or elf.rpath)]
        for name in elf.needed:
            if self._found(name, search) or DRIVER.fullmatch(name):
                continue
            if name in siblings:
                self.notes.append(f"{path}: {name} is in the same package, but not where the loader looks")
                continue
            waiver = (package.name, name)
            if waiver in self.waived:
                self.unused.discard(waiver)
                self.notes.append(f"{path}: {name} is missing, as [policy] missing-libraries of forge.toml lets it be")
                continue
            found = self.notes if optional and not elf.interpreter else self.errors
            # the forge reads this sentence: src/forge/missing_libraries.rs
            found.append(f"{path} of {package} needs {name}, which no package of the image provides where the loader looks")

    def unneeded(self, elsewhere=()):
        """Waivers that no file had need of, here or `elsewhere` (pairs as in `used`), as notes."""
        unused = self.unused - {tuple(pair) for pair in elsewhere}
        return [f"[policy] missing-libraries of forge.toml: nothing in {package} lacks {name}" for package, name in sorted(unused)]

    def used(self):
        """Waivers that a file had need of: (package, library)."""
        return sorted(self.waived - self.unused)

    @staticmethod
    def _expand(part, origin):
        for variable in ("$ORIGIN", "${ORIGIN}"):
            part = part.replace(variable, origin)
        return part.replace("$LIB", "lib/x86_64-linux-gnu").replace("${LIB}", "lib/x86_64-linux-gnu")

    def _found(self, name, search):
        if "/" in name:
            return self.root.real(name) is not None
        for folder in search:
            real = self.root.real(f"{folder}/{name}")
            elf = self.elf(real) if real else None
            if elf is not None and (elf.machine, elf.bits) == ("x86_64", 64):
                return True
        return name in self.system
