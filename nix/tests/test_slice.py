"""The audit of the seed (slice.sh): what counts is the program, not which tar and gzip have packed it."""

import binascii
import gzip
import pathlib
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SEED = HERE.parent / "debian/slice.tgz.uu"


def unpacked(text):
    """The tar in a uuencoded, gzipped text."""
    return bytearray(gzip.decompress(b"".join(map(binascii.a2b_uu, text.split("\n")[1:-3]))))


def packed(tar, level=9):
    """The text that holds a tar, its header's checksum made anew."""
    tar[148:156] = b" " * 8
    tar[148:156] = b"%06o\0 " % sum(tar[:512])
    data = gzip.compress(tar, level, mtime=0)
    lines = [binascii.b2a_uu(data[i : i + 45], backtick=True).decode() for i in range(0, len(data), 45)]
    return "begin 644 slice.tgz\n" + "".join(lines) + "`\nend\n"


def audit(text):
    """Exit code and last line of the audit of a text."""
    with tempfile.NamedTemporaryFile("w", suffix=".uu") as file:
        file.write(text)
        file.flush()
        done = subprocess.run(["sh", HERE / "slice.sh", file.name], capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).strip().split("\n")[-1]


class Slice(unittest.TestCase):
    """The seed as others would pack it, and as it must not be."""

    def setUp(self):
        self.text = SEED.read_text()
        self.tar = unpacked(self.text)

    def test_any_container_of_the_program_passes(self):
        # GNU tar 1.34 writes the numbers of a device that a file does not have as zeros, 1.35 writes nothing.
        self.tar[329:345] = b"0000000\0" * 2
        older = packed(self.tar)
        self.tar[329:345] = bytes(16)
        newer = packed(self.tar, level=6)
        self.assertNotEqual(older, newer)
        for text in (older, newer):
            self.assertEqual(audit(text), (0, "slice.tgz.uu is slice.S, 278 bytes"))

    def test_other_bytes_are_told(self):
        program, after, mode = (bytearray(self.tar) for _ in range(3))
        program[512 + 200] ^= 1
        after[-1] = 1
        mode[100:107] = b"0004755"
        for text, what in [
            (packed(program), "the program"),
            (packed(after), "what follows it"),
            (packed(mode), "the list of members"),
            (self.text + "x\n", "the text"),
        ]:
            self.assertEqual(audit(text), (1, f"slice.tgz.uu is not slice.S: {what} differs"))


if __name__ == "__main__":
    unittest.main()
