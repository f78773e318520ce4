"""Makes the ELF files of a wheel find the libraries of the environment and of the
system, on a substrate whose loader reads no ld.so.cache.

What a file says itself comes first, so a library that a wheel brings stays its
own. It is written as DT_RPATH: LD_LIBRARY_PATH, which serves what is opened by
name alone, comes after that, and before DT_RUNPATH. The loader of programs stays
as it is, /lib64/ld-linux-x86-64.so.2: the image has it.
"""

import os
import subprocess

from check_elf import MUSL
from elf import read_elf


class Patcher:
    """`patchelf` is the program, `rpath` the directories that are added."""

    def __init__(self, patchelf, rpath):
        self.patchelf, self.rpath = patchelf, rpath

    def __call__(self, path, content):
        """The bytes of the file at `path` of a wheel, changed if it looks for others."""
        place = os.path.join(os.getcwd(), "patched.elf")
        with open(place, "wb") as file:
            file.write(content)
        try:
            elf = read_elf(place)
            if elf is None or not elf.needed or (elf.machine, elf.bits) not in (("x86_64", 64), ("aarch64", 64)):
                return content
            if any(map(MUSL.fullmatch, [*elf.needed, os.path.basename(elf.interpreter or "")])):
                return content
            own = elf.runpath or elf.rpath
            wanted = own + [directory for directory in self.rpath if directory not in own]
            os.chmod(place, 0o600)
            done = subprocess.run(
                [self.patchelf, "--force-rpath", "--set-rpath", ":".join(wanted), place],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise SystemExit(f"{path}: patchelf: {done.stderr.strip()}")
            with open(place, "rb") as file:
                return file.read()
        finally:
            os.unlink(place)
