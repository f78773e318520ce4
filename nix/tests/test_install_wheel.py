"""What install_wheel.py refuses, row by row (P1 to P6 of the threat table), and
what it leaves behind. Run: python3 -m unittest discover -s nix/tests"""

import base64
import contextlib
import csv
import hashlib
import io
import os
import stat
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile
import zlib
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.dont_write_bytecode = True

import install_wheel
import wheel_archive
from wheel_archive import Archive, Refused

INFO = "demo-1.0.dist-info"
DATA = "demo-1.0.data"
SITE = "lib/python3.13/site-packages"
WHEEL = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
METADATA = b"Metadata-Version: 2.1\nName: Demo\nVersion: 1.0\n"


def field(content):
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def record_of(files, more=()):
    text = io.StringIO(newline="")
    rows = [[name, field(content), str(len(content))] for name, content in files.items()]
    csv.writer(text, lineterminator="\n").writerows([*rows, *more, [f"{INFO}/RECORD", "", ""]])
    return text.getvalue().encode()


def member(name, mode=stat.S_IFREG | 0o644):
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system, info.external_attr = 3, mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def pack(entries):
    """A zip of (ZipInfo or name, bytes); names go in as they stand."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive, contextlib.redirect_stderr(io.StringIO()), mock.patch("warnings.warn"):
        for name, content in entries:
            archive.writestr(name if isinstance(name, zipfile.ZipInfo) else member(name), content)
    return data.getvalue()


def entries(files=None, record=None, record_rows=(), extra=(), entry_points=None):
    files = {"demo/__init__.py": b'"""Demo."""\n', **(files or {}), f"{INFO}/METADATA": METADATA, f"{INFO}/WHEEL": WHEEL}
    if entry_points is not None:
        files[f"{INFO}/entry_points.txt"] = entry_points
    found = list(files.items())
    return [*found, *extra, (f"{INFO}/RECORD", record_of(files, record_rows) if record is None else record)]


def wheel(*args, **kwargs):
    return pack(entries(*args, **kwargs))


class Case(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = os.path.join(scratch.name, "out")

    def install(self, data, name="demo", version="1.0"):
        with contextlib.redirect_stderr(io.StringIO()):
            return install_wheel.install(data, name, version, "3.13", "/app/.venv", self.root)

    def refused(self, data, why, **kwargs):
        with self.assertRaisesRegex(Refused, why):
            self.install(data, **kwargs)
        above = os.path.dirname(self.root)
        self.assertLessEqual(set(os.listdir(above)), {"out"}, "something was written outside")

    def read(self, path):
        with open(os.path.join(self.root, path), "rb") as file:
            return file.read()


class Names(Case):
    """P1: a name that is a path."""

    def test_a_distribution_of_another_name(self):
        self.refused(wheel(), "dist-info directory is 'demo-1.0.dist-info'", name="other")

    def test_metadata_of_another_name(self):
        files = {f"{INFO}/WHEEL": WHEEL, f"{INFO}/METADATA": METADATA.replace(b"Demo", b"../../etc")}
        self.refused(pack([*files.items(), (f"{INFO}/RECORD", record_of(files))]), "it is '../../etc'")

    def test_another_version(self):
        self.refused(wheel(), "it has version '1.0'", version="1.1")

    def test_a_version_in_another_spelling(self):
        self.install(wheel(), version="1.0.0")

    def test_dist_info_that_climbs(self):
        self.refused(wheel(extra=[("../demo-1.0.dist-info/x", b"")]), "leaves its directory")

    def test_two_dist_infos(self):
        self.refused(wheel({"other-1.dist-info/METADATA": b""}), "2 dist-info directories")

    def test_drives_and_shares(self):
        self.refused(wheel({"C:/x.py": b""}), "names a drive")
        self.refused(wheel({"C:../x.py": b""}), "names a drive")
        self.refused(wheel({"demo/a\\b.py": b""}), "backslash")
        self.refused(wheel({"\\\\srv\\x.py": b""}), "backslash")


class Slip(Case):
    """P2: a member that leaves the wheel's directory."""

    def test_escapes(self):
        for name in ("../../evil.py", "demo/../../evil.py", "demo/..", f"{DATA}/scripts/../../x", f"{DATA}/data/../x"):
            with self.subTest(name):
                self.refused(wheel({name: b""}), "leaves its directory")

    def test_a_sibling_with_the_same_prefix(self):
        self.refused(wheel({"../site-packages-evil/x.py": b""}), "leaves its directory")

    def test_absolute(self):
        self.refused(wheel({"/etc/evil": b""}), "absolute")

    def test_not_plain(self):
        for name in ("demo//x.py", "./demo/x.py", "demo/./x.py"):
            with self.subTest(name):
                self.refused(wheel({name: b""}), "not a plain path")

    def test_control_characters(self):
        for name in ("demo/a\nb.py", "demo/\x1b[2J.py", "demo/\x7f"):
            with self.subTest(name):
                self.refused(wheel({name: b""}), "control character")

    def test_nul_in_a_name(self):
        data = wheel({"demo/nulXx.py": b""}).replace(b"nulXx.py", b"nul\0x.py")
        self.refused(data, "control character")

    def test_links_and_devices(self):
        for kind in (stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFDIR):
            with self.subTest(kind):
                self.refused(wheel(extra=[(member("demo/link", kind | 0o777), b"/etc/passwd")]), "link or a special file")

    def test_setuid(self):
        self.refused(wheel(extra=[(member("demo/x", stat.S_IFREG | 0o4755), b"")]), "setuid")

    def test_data_directory_with_an_unknown_scheme(self):
        self.refused(wheel({f"{DATA}/stdlib/os.py": b""}), "in none of purelib")

    def test_data_that_meets_another_file(self):
        self.refused(wheel({f"{DATA}/data/{SITE}/demo/__init__.py": b"x"}), "twice")

    def test_a_script_that_meets_another(self):
        self.refused(wheel({f"{DATA}/scripts/demo": b"x"}, entry_points=b"[console_scripts]\ndemo = demo:main\n"), "twice")

    def test_a_component_that_no_file_system_takes(self):
        self.refused(wheel({"demo/" + "x" * 256: b""}), "above 255 bytes")


class Confusion(Case):
    """P3: archives that two readers read as two."""

    def test_two_entries_of_one_name(self):
        self.refused(wheel(extra=[("demo/__init__.py", b"evil")]), "is there twice")

    def test_names_that_fold_to_one(self):
        self.refused(wheel({"demo/Module.py": b"", "demo/module.py": b""}), "are one name")
        self.refused(wheel({"Demo/other.py": b""}), "are one name")
        self.refused(wheel({"demo/\u00e9.py": b"", "demo/e\u0301.py": b""}), "are one name")
        self.refused(wheel({"demo/stra\u00dfe.py": b"", "demo/strasse.py": b""}), "are one name")

    def test_a_file_that_is_a_directory_too(self):
        self.refused(wheel({"demo/__init__.py/x": b""}), "below the file")
        self.refused(wheel(extra=[("demo", b"")]), "twice|one name")

    def test_data_before_the_archive(self):
        self.refused(b"MZ" + wheel(), "before the archive")

    def test_data_behind_the_archive(self):
        self.refused(wheel() + b"\0", "data after its end")

    def test_a_comment(self):
        data = io.BytesIO(wheel())
        with zipfile.ZipFile(data, "a") as archive:
            archive.comment = b"PK\5\6"
        self.refused(data.getvalue(), "comment")

    def test_two_archives_in_a_row(self):
        self.refused(wheel({"demo/a.py": b"evil"}) + wheel(), "before the archive")

    def test_a_local_header_of_another_name(self):
        data = wheel({"demo/aaaa.py": b""})
        self.refused(data.replace(b"demo/aaaa.py", b"demo/bbbb.py", 1), "local header disagree")

    def test_a_local_header_of_another_size(self):
        data = bytearray(wheel())
        struct.pack_into("<L", data, 22, 5)
        self.refused(bytes(data), "local header disagree")

    def test_a_local_header_of_another_method(self):
        data = bytearray(wheel())
        struct.pack_into("<H", data, 8, 0)
        self.refused(bytes(data), "local header disagree")

    def test_a_hole_between_entries(self):
        good = wheel()
        second = good.index(b"PK\3\4", 4)
        end = len(good) - 22
        start, = struct.unpack_from("<L", good, end + 16)
        data = bytearray(good[:second] + b"hole" + good[second:])
        at = start + 4
        while data[at : at + 4] == b"PK\1\2":
            header, = struct.unpack_from("<L", data, at + 42)
            struct.pack_into("<L", data, at + 42, header + (4 if header else 0))
            at += 46 + sum(struct.unpack_from("<3H", data, at + 28))
        struct.pack_into("<L", data, at + 16, start + 4)
        self.refused(bytes(data), "data between entries")

    def test_two_entries_on_the_same_bytes(self):
        good = wheel({"demo/aaaa.py": b"1", "demo/bbbb.py": b"1"})
        data = bytearray(good)
        directory = good.rindex(b"demo/aaaa.py") - 46
        second = good.rindex(b"demo/bbbb.py") - 46
        data[second + 42 : second + 46] = data[directory + 42 : directory + 46]
        self.refused(bytes(data), "overlap")

    def test_a_name_without_an_encoding(self):
        data = wheel({"demo/\u00e9.py": b""})
        at = data.index(b"PK\1\2", data.index("demo/\u00e9.py".encode()) + 20)
        clear = bytearray(data)
        for magic, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            position = clear.find(magic)
            while position != -1:
                flags, = struct.unpack_from("<H", clear, position + offset)
                struct.pack_into("<H", clear, position + offset, flags & ~0x800)
                position = clear.find(magic, position + 4)
        self.assertGreater(at, 0)
        self.refused(bytes(clear), "no declared encoding")

    def test_a_checksum_that_does_not_fit(self):
        data = bytearray(pack([(zipfile.ZipInfo("demo/x"), b"abcd")]))
        data[data.index(b"abcd")] ^= 1
        archive = Archive(bytes(data))
        with self.assertRaisesRegex(Refused, "the size or the checksum"):
            archive.read(archive.files["demo/x"])

    def test_encrypted(self):
        data = bytearray(wheel())
        for magic, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            data[data.index(magic) + offset] |= 1
        self.refused(bytes(data), "encrypted")

    def test_not_a_zip(self):
        for data in (b"", b"x", b"x" * 100, wheel()[:-30], b"PK\5\6" + b"\xff" * 18):
            with self.subTest(data[:8]), self.assertRaises(Refused):
                Archive(data)

    def test_every_cut_and_many_flips_end_in_a_refusal_or_the_same_wheel(self):
        good = wheel({"demo/a.py": b"a = 1\n" * 50})
        contents = lambda archive: {name: archive.read(entry) for name, entry in archive.files.items()}
        known = contents(Archive(good))
        for cut in range(0, len(good), 7):
            with self.assertRaises(Refused):
                Archive(good[:cut])
        for at in range(0, len(good), 3):
            bad = bytearray(good)
            bad[at] ^= 0x41
            try:
                found = contents(Archive(bytes(bad)))
            except Refused:
                continue
            # times, versions and the like carry no meaning here
            self.assertEqual(list(found.values()), list(known.values()), at)

    def test_data_descriptors(self):
        class Stream(io.BytesIO):
            def seekable(self):
                return False

            def tell(self):
                raise OSError

        data = Stream()
        with zipfile.ZipFile(data, "w") as archive:
            for name, content in entries():
                archive.writestr(member(name), content)
        self.install(data.getvalue())

    def test_zip64(self):
        with mock.patch.object(zipfile, "ZIP_FILECOUNT_LIMIT", 2):
            data = wheel()
        self.assertIn(b"PK\6\6", data)
        self.install(data)


class Links(Case):
    """P4 is about tar; a wheel knows no links at all, see Slip."""

    def test_nothing_is_written_through_a_link(self):
        os.makedirs(os.path.join(self.root, "lib"))
        outside = tempfile.mkdtemp(dir=os.path.dirname(os.path.dirname(self.root)))
        self.addCleanup(os.rmdir, outside)
        os.makedirs(os.path.join(self.root, SITE, "demo"))
        os.symlink(os.path.join(outside, "x"), os.path.join(self.root, SITE, "demo/__init__.py"))
        with self.assertRaises(FileExistsError):
            self.install(wheel())
        self.assertEqual(os.listdir(outside), [])


class Empty(Case):
    """A directory says nothing, however it is packed."""

    def with_directory(self, stream):
        """A wheel with a directory whose bytes are `stream`, by its headers deflated from nothing."""
        data = bytearray(pack([*entries(), (member("demo/sub/", stat.S_IFDIR | 0o755), b"")]))
        central = data.rindex(b"PK\1\2")
        local = data.rindex(b"PK\3\4", 0, central)
        for at in (local + 8, central + 10):
            struct.pack_into("<H", data, at, zipfile.ZIP_DEFLATED)
        for at in (local + 18, central + 20):
            struct.pack_into("<L", data, at, len(stream))
        start = local + 30 + len("demo/sub/")
        was = struct.unpack_from("<L", data, len(data) - 6)[0]
        old = data.index(b"PK\1\2") - start
        data[start : start + old] = stream
        struct.pack_into("<L", data, len(data) - 6, was + len(stream) - old)
        return bytes(data)

    def test_nothing_that_is_deflated(self):
        # PySocks 1.7.1 has such an entry
        self.install(self.with_directory(b"\x03\0"))

    def test_nothing_that_is_stored(self):
        self.install(wheel(extra=[(member("demo/sub/", stat.S_IFDIR | 0o755), b"")]))

    def test_something(self):
        packed = zlib.compressobj(wbits=-15)
        something = packed.compress(b"x") + packed.flush()
        for stream, why in (
            (something, "has not the size|does not end"),
            (b"\x03\0\x03\0", "does not end where it says"),
            (b"\x03\0PK\1\2", "does not end where it says|directory"),
            (b"\x03", "does not end where it says"),
            (b"\xff\xff", "cannot be unpacked"),
        ):
            with self.subTest(stream):
                self.refused(self.with_directory(stream), why)


class Bombs(Case):
    """P5: sizes."""

    def test_many_entries(self):
        with mock.patch.object(wheel_archive, "MAX_ENTRIES", 5):
            self.refused(wheel({"demo/a.py": b"", "demo/b.py": b""}), "the limit is 5")

    def test_large(self):
        with mock.patch.object(wheel_archive, "MAX_BYTES", 1000):
            self.refused(wheel({"demo/a.py": b"x" * 600, "demo/b.py": b"y" * 600}), "the limit is 1000")
            self.refused(wheel({"demo/a.py": b"x" * 1001}), "the limit is 1000")

    def test_ratio(self):
        data = wheel({"demo/zeros": bytes(1 << 20)})
        self.install(data)
        with mock.patch.object(wheel_archive, "RATIO_FLOOR", 1 << 19):
            self.refused(data, "more than 100 times")

    def test_a_stream_longer_than_it_says(self):
        content = b"x" * 100_000
        data = bytearray(pack([(member("demo/x"), content)]))
        struct.pack_into("<L", data, 22, 10)
        struct.pack_into("<L", data, data.index(b"PK\1\2") + 24, 10)
        archive = Archive(bytes(data))
        with self.assertRaisesRegex(Refused, "does not end where it says"):
            archive.read(archive.files["demo/x"])

    def test_a_size_of_zero_is_no_licence(self):
        data = bytearray(pack([(member("demo/x"), b"x" * 100_000)]))
        struct.pack_into("<L", data, 22, 0)
        struct.pack_into("<L", data, data.index(b"PK\1\2") + 24, 0)
        archive = Archive(bytes(data))
        with self.assertRaises(Refused):
            archive.read(archive.files["demo/x"])


class Records(Case):
    """P6: RECORD and entry points."""

    def test_a_record_that_points_outside(self):
        for path, why in (("/etc/x", "absolute"), ("../../x", "leaves"), ("a\\b", "backslash"), ("a\nb", "control")):
            with self.subTest(path):
                self.refused(wheel(record_rows=[[path, "", ""]]), why)

    def test_a_hash_that_does_not_fit(self):
        found = dict(entries())
        record = found.pop(f"{INFO}/RECORD").replace(field(METADATA).encode(), field(b"other").encode())
        self.refused(pack([*found.items(), (f"{INFO}/RECORD", record)]), "does not fit")

    def test_a_file_that_it_does_not_name(self):
        self.refused(wheel(extra=[("demo/more.py", b"")]), "does not name 'demo/more.py'")

    def test_a_weak_hash(self):
        self.refused(wheel({"demo/a.py": b""}, record=record_of({}, [["demo/a.py", "md5=x", "0"]])), "no sha256 or better")

    def test_two_hashes(self):
        self.refused(wheel(record_rows=[["demo/__init__.py", field(b"other"), ""]]), "two hashes")

    def test_rows_that_are_no_rows(self):
        self.refused(wheel(record=b"demo/__init__.py\n"), "a row of 1 fields")
        self.refused(wheel(record=b'"demo\n'), "cannot be read")
        self.refused(wheel(record=b"\xff\n"), "not UTF-8")

    def test_no_record(self):
        self.refused(pack(entries()[:-1]), "has no .*RECORD")

    def test_entry_point_names(self):
        for name in ("../x", "a/b", "/bin/sh", "a b", "-x", ".x", "a\\b", "a\x00b", ""):
            with self.subTest(name):
                self.refused(wheel(entry_points=f"[console_scripts]\n{name} = demo:main\n".encode()), "no name of a program|no `name =")

    def test_an_entry_point_on_two_lines(self):
        self.refused(wheel(entry_points=b"[console_scripts]\nx = demo:main\n  y = os:system\n"), "no `name = module:function`")

    def test_entry_point_targets(self):
        for target in ("demo", "demo:", "demo:main()", 'demo:main"', "import os; os:system", "demo:a b", "demo:main\r\x0bimport os"):
            with self.subTest(target):
                self.refused(wheel(entry_points=f"[console_scripts]\nx = {target}\n".encode()), "no `module:function`")

    def test_one_script_twice(self):
        self.refused(wheel(entry_points=b"[console_scripts]\nx = demo:a\n[gui_scripts]\nx = demo:b\n"), "there twice")

    def test_scripts_are_listed(self):
        meta = self.install(wheel(entry_points=b"[console_scripts]\na = os:system\nb.c = demo:x.y [extra]\n[other]\nz z = q\n"))
        self.assertEqual(meta["scripts"], {"a": "os:system", "b.c": "demo:x.y"})
        self.assertEqual(self.read("bin/a"), b'#!/app/.venv/bin/python\nimport sys\nfrom os import system\nif __name__ == "__main__":\n    sys.exit(system())\n')
        self.assertIn(b"from demo import x\n", self.read("bin/b.c"))

    def test_another_major_version_of_the_format(self):
        files = {f"{INFO}/WHEEL": WHEEL.replace(b"1.0", b"2.0"), f"{INFO}/METADATA": METADATA}
        self.refused(pack([*files.items(), (f"{INFO}/RECORD", record_of(files))]), "not 1.x")


class Installed(Case):
    """What a good wheel becomes."""

    FILES = {
        "demo/data.bin": b"\x00\xff",
        "demo/broken.py": b"def (\n",
        "demo/__pycache__/x.cpython-313.pyc": b"evil",
        "demo/native.so": b"\x7fELF...",
        f"{DATA}/scripts/tool": b"#!python\nprint(1)\n",
        f"{DATA}/scripts/native": b"\x7fELF...",
        f"{DATA}/platlib/more/__init__.py": b"x = 1\n",
        f"{DATA}/data/share/demo/x": b"x",
        f"{DATA}/headers/demo.h": b"h",
    }

    def tree(self):
        return sorted(os.path.relpath(os.path.join(top, name), self.root) for top, _, names in os.walk(self.root) for name in names)

    def test_places(self):
        meta = self.install(wheel(self.FILES, entry_points=b"[console_scripts]\ndemo = demo:main\n"))
        tag = sys.implementation.cache_tag
        self.assertEqual(self.tree(), sorted([
            "bin/demo", "bin/native", "bin/tool", "include/site/python3.13/demo/demo.h", "share/demo/x",
            *(f"{SITE}/{name}" for name in (
                "demo/__init__.py", f"demo/__pycache__/__init__.{tag}.pyc", "demo/broken.py", "demo/data.bin", "demo/native.so",
                "more/__init__.py", f"more/__pycache__/__init__.{tag}.pyc",
                *(f"{INFO}/{name}" for name in ("INSTALLER", "METADATA", "RECORD", "WHEEL", "entry_points.txt")),
            )),
        ]))
        self.assertEqual(self.read("bin/tool"), b"#!/app/.venv/bin/python\nprint(1)\n")
        self.assertTrue(os.stat(os.path.join(self.root, "bin/tool")).st_mode & 0o111)
        self.assertEqual(meta["elf"], ["bin/native", f"{SITE}/demo/native.so"])

    def test_record_is_true(self):
        self.install(wheel(self.FILES))
        rows = list(csv.reader(io.StringIO(self.read(f"{SITE}/{INFO}/RECORD").decode(), newline="")))
        self.assertEqual(rows[:-1], sorted(rows[:-1]))
        self.assertEqual(sorted(os.path.normpath(os.path.join(SITE, row[0])) for row in rows), self.tree())
        for path, digest, size in rows:
            if digest:
                content = self.read(os.path.join(SITE, path))
                self.assertEqual((digest, size), (field(content), str(len(content))))

    def test_bytecode_names_the_image_and_is_checked_against_its_source(self):
        self.install(wheel())
        path = f"{SITE}/demo/__pycache__/__init__.{sys.implementation.cache_tag}.pyc"
        code = self.read(path)
        self.assertEqual(struct.unpack_from("<L", code, 4)[0], 0b11)
        self.assertIn(f"/app/.venv/{SITE}/demo/__init__.py".encode(), code)
        self.assertNotIn(self.root.encode(), code)

    def test_two_installations_are_equal(self):
        program = (
            "import sys; sys.path.insert(0, sys.argv[1]); import install_wheel\n"
            "install_wheel.install(open(sys.argv[2], 'rb').read(), 'demo', '1.0', '3.13', '/app/.venv', sys.argv[3])\n"
        )
        source = b"def f(x):\n    return x in {'a', 'b', 'c', 1.5, None}\n" * 3
        data, trees = self.root + ".whl", []
        with open(data, "wb") as file:
            file.write(wheel({**self.FILES, "demo/sets.py": source}))
        for seed in ("1", "2"):
            self.root = os.path.join(os.path.dirname(self.root), seed)
            subprocess.run([sys.executable, "-B", "-c", program, os.path.dirname(HERE), data, self.root], check=True, stderr=subprocess.DEVNULL, env={"PYTHONHASHSEED": seed})
            trees.append({path: self.read(path) for path in self.tree()})
        self.assertEqual(trees[0], trees[1])


if __name__ == "__main__":
    unittest.main()
