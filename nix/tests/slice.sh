#!/bin/sh
# Assembles slice.S and compares it with the only binary in this tree, nix/debian/slice.tgz.uu (or the file that is
# named): its text holds one gzip member, which holds one tar member, which holds these very bytes, and nothing else.
# The containers are not made anew, for versions of tar and gzip differ in them. Needs `as`, `objcopy` and `python3`.
set -eu
here=$(cd "$(dirname "$0")/../debian" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
as --64 -o slice.o "$here/slice.S"
objcopy -O binary -j .text slice.o code
python3 - "${1:-$here/slice.tgz.uu}" <<'PYTHON'
import binascii, io, struct, sys, tarfile, zlib

def same(found, wanted, what):
    if found != wanted:
        sys.exit(f"slice.tgz.uu is not slice.S: {what} differs")

code = open("code", "rb").read()
base, headers = 0x400000, 64 + 56
size = headers + len(code)
elf = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, base + headers, 64, 0, 0, 64, 56, 1, 0, 0, 0)
load = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 0x1000)
slice = elf + load + code

text = open(sys.argv[1]).read()
first, *lines = text.split("\n")[:-3]
packed = b"".join(map(binascii.a2b_uu, lines))
again = [binascii.b2a_uu(packed[i:i + 45], backtick=True).decode() for i in range(0, len(packed), 45)]
same(text, "begin 644 slice.tgz\n" + "".join(again) + "`\nend\n", "the text")
gzip = zlib.decompressobj(wbits=31)
tar = gzip.decompress(packed)
same((gzip.eof, gzip.unused_data), (True, b""), "the end of the gzip member")
members = tarfile.open(fileobj=io.BytesIO(tar), mode="r:").getmembers()
same([(m.name, m.type, m.mode, m.size) for m in members], [("slice", tarfile.REGTYPE, 0o755, size)], "the list of members")
same(tar[512:512 + size], slice, "the program")
same(tar[512 + size:].strip(b"\0"), b"", "what follows it")
print(f"slice.tgz.uu is slice.S, {size} bytes")
PYTHON
