#!/bin/sh
# Re-creates nix/debian/slice.tgz.uu from slice.S and compares: the audit of the
# only binary in this tree. Needs `as`, `objcopy`, `tar`, `gzip` and `python3`.
set -eu
here=$(cd "$(dirname "$0")/../debian" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
as --64 -o slice.o "$here/slice.S"
objcopy -O binary -j .text slice.o code
python3 - <<'PYTHON'
import struct
code = open("code", "rb").read()
base, headers = 0x400000, 64 + 56
size = headers + len(code)
elf = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, base + headers, 64, 0, 0, 64, 56, 1, 0, 0, 0)
load = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 0x1000)
open("slice", "wb").write(elf + load + code)
PYTHON
chmod 0755 slice
tar --format=ustar --owner=root --group=root --mtime=@1 -cf slice.tar slice
gzip -9n < slice.tar > slice.tgz
python3 - > slice.tgz.uu <<'PYTHON'
import binascii, sys
data = open("slice.tgz", "rb").read()
lines = [binascii.b2a_uu(data[i:i + 45], backtick=True).decode() for i in range(0, len(data), 45)]
sys.stdout.write("begin 644 slice.tgz\n" + "".join(lines) + "`\nend\n")
PYTHON
cmp slice.tgz.uu "$here/slice.tgz.uu"
echo "slice.tgz.uu is slice.S, $(wc -c < slice) bytes"
