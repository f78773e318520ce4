"""What the loader reads of an ELF file: ELF gABI chapters 4 and 5."""

import struct

MACHINES = {3: "i386", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv"}
PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NEEDED, DT_STRTAB, DT_STRSZ, DT_SONAME, DT_RPATH, DT_RUNPATH = 1, 5, 10, 14, 15, 29
ET_EXEC, ET_DYN = 2, 3


class Elf:
    """The dynamic section of a file. Lists hold the strings as they stand."""

    __slots__ = ("machine", "bits", "interpreter", "needed", "soname", "rpath", "runpath")


def read_elf(path):
    """An Elf, or None for a file that is none, cannot be loaded, or is static."""
    with open(path, "rb") as file:
        head = file.read(64)
        if head[:4] != b"\x7fELF" or len(head) < 52 or head[5] != 1:
            return None
        bits = {1: 32, 2: 64}.get(head[4])
        kind, machine = struct.unpack_from("<HH", head, 16)
        if bits is None or kind not in (ET_EXEC, ET_DYN):
            return None
        wide = bits == 64
        table, = struct.unpack_from("<Q" if wide else "<I", head, 32 if wide else 28)
        size, count = struct.unpack_from("<HH", head, 54 if wide else 42)
        layout = struct.Struct("<IIQQQQQQ" if wide else "<8I")
        if size < layout.size:
            return None

        def at(offset, length):
            file.seek(offset)
            return file.read(length)

        segments, dynamic, interpreter = [], None, None
        headers = at(table, size * count)
        for number in range(len(headers) // size):
            values = layout.unpack_from(headers, number * size)
            if wide:
                kind, _, offset, address, _, length, _, _ = values
            else:
                kind, offset, address, _, length, _, _, _ = values
            if kind == PT_LOAD:
                segments.append((address, offset, length))
            elif kind == PT_DYNAMIC:
                dynamic = at(offset, length)
            elif kind == PT_INTERP:
                interpreter = at(offset, length).rstrip(b"\0").decode(errors="replace")
        if dynamic is None:
            return None
        pair = struct.Struct("<qQ" if wide else "<iI")
        values = []
        for number in range(len(dynamic) // pair.size):
            tag, value = pair.unpack_from(dynamic, number * pair.size)
            if tag == 0:
                break
            values.append((tag, value))
        single = dict(values)
        strings = b""
        for address, offset, length in segments:
            start = single.get(DT_STRTAB, 0)
            if address <= start < address + length:
                strings = at(offset + start - address, single.get(DT_STRSZ, 0))

    def text(offset):
        return strings[offset : strings.find(b"\0", offset)].decode(errors="replace")

    elf = Elf()
    elf.machine, elf.bits, elf.interpreter = MACHINES.get(machine, str(machine)), bits, interpreter
    elf.needed = [text(value) for tag, value in values if tag == DT_NEEDED]
    elf.soname = text(single[DT_SONAME]) if DT_SONAME in single else None
    paths = lambda tag: [path for path in text(single[tag]).split(":") if path] if tag in single else []
    elf.rpath, elf.runpath = paths(DT_RPATH), paths(DT_RUNPATH)
    return elf
