"""The npm side: what tarball.py refuses (P1, P4, P5 of the threat table) and what
it makes of an archive as npm does; layout, commands, programs, the CSS entry,
and the check that a wheel carries what was built for it."""

import gzip
import io
import json
import os
import stat
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
NIX = os.path.dirname(HERE)
sys.path[:0] = [NIX, os.path.join(NIX, "node")]
sys.dont_write_bytecode = True

import asset
import bins
import build_wheel
import layout
import programs
import sandbox
import tailwind
import tarball
from tarball import Tarball
from wheel_archive import Refused


def pack(*entries, compress=True, **options):
    """A tarball of (name, content) or (name, content, changes to its header)."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", **{"format": tarfile.USTAR_FORMAT, **options}) as archive:
        for name, content, *changes in entries:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in (changes[0] if changes else {}).items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(data.getvalue(), mtime=0) if compress else data.getvalue()


def package(name="a", version="1.0.0", **more):
    return {"name": name, "version": version, "bin": {}, "scripts": False, "places": [f"node_modules/{name}"], **more}


class Directory(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = temporary.name

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def write(self, name, content, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(content)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()


class Refusals(unittest.TestCase):
    def refused(self, data, text):
        with self.assertRaises(Refused) as caught:
            Tarball(data)
        self.assertIn(text, str(caught.exception))

    def test_names_that_leave(self):
        for name in ("package/../../x", "../x", "package/a/../../../x", "package/.."):
            self.refused(pack((name, b"")), "leaves")

    def test_absolute_names(self):
        self.refused(pack(("/etc/passwd", b"")), "absolute")
        self.refused(pack(("//x/y", b"")), "absolute")

    def test_drives_and_backslashes(self):
        self.refused(pack(("C:../x", b"")), "drive")
        self.refused(pack(("package/C:../x", b"")), "drive")
        self.refused(pack(("package/a\\b", b"")), "backslash")

    def test_control_characters(self):
        self.refused(pack(("package/a\nb", b"")), "control")

    def test_links_and_special_files(self):
        kinds = {tarfile.SYMTYPE: "symbolic link", tarfile.LNKTYPE: "hard link", tarfile.CHRTYPE: "device", tarfile.BLKTYPE: "device", tarfile.FIFOTYPE: "pipe", b"Z": "unknown kind"}
        for kind, text in kinds.items():
            self.refused(pack(("package/a", b"", {"type": kind, "linkname": "/etc/passwd"})), text)

    def test_setuid(self):
        self.refused(pack(("package/a", b"", {"mode": 0o4755})), "setuid")

    def test_one_name_twice(self):
        self.refused(pack(("package/a", b"1"), ("package/a", b"2")), "twice")
        self.refused(pack(("package/a", b"1"), ("other/a", b"2")), "twice")
        self.refused(pack(("package/a", b"1"), ("package/a/b", b"2")), "a file and a directory")
        self.refused(pack(("package/e\u0301", b"1"), ("package/\u00e9", b"1"), format=tarfile.PAX_FORMAT), "one name")
        # no two readers can disagree on these
        self.assertEqual(Tarball(pack(("package/a", b"1"), ("package/a", b"1"))).files["a"].content, b"1")

    def test_names_in_pax_headers(self):
        hostile = {"pax_headers": {"path": "package/../../x"}}
        self.refused(pack(("package/a", b"", hostile), format=tarfile.PAX_FORMAT), "leaves")
        self.refused(pack(("package/a", b"", {"pax_headers": {"path": "package/a\0b"}}), format=tarfile.PAX_FORMAT), "control")
        self.refused(pack(("package/a", b"", {"pax_headers": {"size": "-1"}}), format=tarfile.PAX_FORMAT), "no number")

    def test_sizes_that_lie(self):
        data = bytearray(pack(("package/a", b"x" * 10), compress=False))
        field = slice(124, 136)

        def resized(size):
            changed = data[:]
            changed[field] = size
            changed[148:156] = b" " * 8
            changed[148:156] = f"{sum(changed[:512]):06o}\0 ".encode()
            return bytes(changed)

        self.refused(resized(b"\xff" * 12), "negative")
        self.refused(resized(b"\x80" + bytes(6) + b"\x7f" + bytes(4)), "cut short")
        self.refused(resized(b"00000000zz8\0"), "no number")
        self.refused(bytes([data[0] ^ 1]) + bytes(data[1:]), "checksum")

    def test_what_is_cut_or_longer(self):
        whole = pack(("package/a", b"x" * 2000))
        self.refused(whole[:-20], "cut short")
        self.refused(whole + b"more", "behind the archive")
        plain = pack(("package/a", b"x" * 2000), compress=False)
        self.refused(plain[:1500], "cut short")
        self.refused(plain + b"more", "behind the end")
        self.refused(b"\x1f\x8bnonsense", "cannot be unpacked")

    def test_bombs(self):
        bomb = gzip.compress(b"\0" * (tarball.RATIO_FLOOR + tarball.RATIO_FLOOR), mtime=0)
        self.refused(bomb, "unpacks to more")
        known, tarball.MAX_ENTRIES = tarball.MAX_ENTRIES, 3
        self.addCleanup(setattr, tarball, "MAX_ENTRIES", known)
        self.refused(pack(*((f"package/{n}", b"") for n in range(4))), "more than 3 entries")


class Contents(unittest.TestCase):
    def test_the_top_directory_has_any_name(self):
        found = Tarball(pack(("react-1.0/a", b"1"), ("react-1.0/b/c", b"2"), ("._react-1.0", b"junk")))
        self.assertEqual(sorted(found.files), ["a", "b/c"])

    def test_parts_that_say_nothing_are_left_out(self):
        self.assertEqual(sorted(Tarball(pack(("p/./a", b""), ("p//b/./c", b""))).files), ["a", "b/c"])
        with self.assertRaisesRegex(Refused, "twice"):
            Tarball(pack(("p/a", b"1"), ("p/./a", b"2")))

    def test_programs_keep_their_bit(self):
        found = Tarball(pack(("p/a", b"", {"mode": 0o755}), ("p/b", b"", {"mode": 0o644}), ("p/c", b"", {"mode": 0})))
        self.assertEqual([found.files[name].executable for name in "abc"], [True, False, False])

    def test_gitignore_is_npmignore_unless_there_is_one(self):
        self.assertEqual(Tarball(pack(("p/.gitignore", b"g"))).files[".npmignore"].content, b"g")
        for order in (1, -1):
            entries = [("p/x/.gitignore", b"g"), ("p/x/.npmignore", b"n")][::order]
            found = Tarball(pack(*entries)).files
            self.assertEqual((list(found), found["x/.npmignore"].content), (["x/.npmignore"], b"n"))

    def test_long_names(self):
        name = "package/" + "/".join(["directory"] * 30) + "/é"
        for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
            self.assertEqual(list(Tarball(pack((name, b""), format=form)).files), [name[8:]])

    def test_empty_directories_stay(self):
        self.assertEqual(Tarball(pack(("p/empty/", b"", {"type": tarfile.DIRTYPE}))).directories, {"empty"})


class Layout(Directory):
    def lay_out(self, *packages, links=()):
        for number, (described, data) in enumerate(packages):
            described["archive"] = self.write(f"archives/{number}", data)
        spec = {"packages": [described for described, _ in packages], "links": list(links), "bundled": []}
        return layout.lay_out(spec, self.path("out"))

    def test_nested_packages_and_links(self):
        inner = package("b", places=["node_modules/b", "node_modules/@s/a/node_modules/b"])
        link = {"place": "node_modules/@s/web", "target": "extensions/altar/web", "bin": {}}
        self.lay_out((inner, pack(("package/i", b"2"))), (package("@s/a"), pack(("package/i", b"1"))), links=[link])
        self.assertEqual(self.read("out/node_modules/@s/a/i"), b"1")
        self.assertEqual(self.read("out/node_modules/@s/a/node_modules/b/i"), b"2")
        self.assertEqual(os.readlink(self.path("out/node_modules/@s/web")), "../../extensions/altar/web")

    def test_bundled_packages_stay_and_replaced_ones_go(self):
        bundle = pack(("p/node_modules/in/i", b"1"), ("p/node_modules/b/old", b"1"))
        inner = package("b", places=["node_modules/a/node_modules/b"])
        self.lay_out((package("a"), bundle), (inner, pack(("p/new", b"2"))))
        self.assertEqual(self.read("out/node_modules/a/node_modules/in/i"), b"1")
        self.assertEqual(os.listdir(self.path("out/node_modules/a/node_modules/b")), ["new"])

    def test_places_are_places(self):
        for place in ("x", "../node_modules/x", "/node_modules/x", "node_modules", "node_modules/../x", "node_modules/.bin/x"):
            with self.subTest(place), self.assertRaises(Refused):
                self.lay_out((package(places=[place]), pack()))
            os.path.isdir(self.path("out")) and layout.remove(self.path("out"))

    def test_two_packages_at_one_place(self):
        with self.assertRaisesRegex(Refused, "two packages go to"):
            self.lay_out((package("a"), pack()), (package("b", places=["node_modules/a"]), pack()))

    def test_a_refusal_names_the_package(self):
        with self.assertRaisesRegex(Refused, "^a@1.0.0: entry .* is an absolute path"):
            self.lay_out((package(), pack(("/x", b""))))


class Commands(Directory):
    def test_links_as_npm_makes_them(self):
        for name in ("@s/a/cli.js", "b/cli.js", "c/cli.js", "b/node_modules/d/x"):
            self.write(f"node_modules/{name}", b"#!/usr/bin/env node\r\nx\r\n")
        packages = [
            ("node_modules/b", {"run": "cli.js", "gone": "gone.js"}),
            ("node_modules/@s/a", {"a": "cli.js"}),
            ("node_modules/c", {"run": "cli.js"}),
            ("node_modules/b/node_modules/d", {"x": "x"}),
        ]
        targets = bins.link(self.root, packages, [("node_modules/web", {"web": "cli.js", "run": "r"})])
        bins.unix_hash_bangs(targets)
        links = {name: os.readlink(self.path("node_modules/.bin", name)) for name in os.listdir(self.path("node_modules/.bin"))}
        self.assertEqual(links, {"a": "../@s/a/cli.js", "run": "../b/cli.js", "web": "../web/cli.js"})
        self.assertEqual(os.readlink(self.path("node_modules/b/node_modules/.bin/x")), "../d/x")
        self.assertEqual(self.read("node_modules/b/cli.js"), b"#!/usr/bin/env node\nx\r\n")
        self.assertTrue(os.stat(self.path("node_modules/b/cli.js")).st_mode & 0o100)
        self.assertFalse(os.stat(self.path("node_modules/c/cli.js")).st_mode & 0o100)

    def test_commands_are_file_names(self):
        for commands in ({"../x": "a"}, {"x": "../a"}, {"x": "/a"}, {".": "a"}):
            with self.subTest(commands), self.assertRaises(Refused):
                bins.link(self.root, [("node_modules/a", commands)])


class Programs(Directory):
    def setUp(self):
        super().setUp()
        for name in ("node", "sh"):
            self.write(f"tools/bin/{name}", b"", 0o755)
        self.tools = self.path("tools")

    def line(self, text):
        return programs.adapted_line(text.encode() + b"\nrest", lambda name: sandbox.program(name, self.tools))

    def test_first_lines_name_programs_of_the_store(self):
        node, shell = (f"#!{self.tools}/bin/{name}".encode() for name in ("node", "sh"))
        self.assertEqual(self.line("#!/usr/bin/env node"), node + b"\n")
        self.assertEqual(self.line("#!/usr/bin/env -S node --no-warnings"), node + b" --no-warnings\n")
        self.assertEqual(self.line("#! /usr/local/bin/node --x"), node + b" --x\n")
        self.assertEqual(self.line("#!/bin/bash -e"), shell + b" -e\n")
        for left in ("#!/usr/bin/env no-such-program", "#!/nix/store/x/bin/node", "#!/usr/bin/env X=1 node", "x"):
            self.assertIsNone(self.line(left), left)

    def test_scripts_are_rewritten_and_data_is_not(self):
        script, data = self.write("m/a", b"#!/usr/bin/env node\nx\n", 0o755), self.write("m/b", b"#!/usr/bin/env node\nx\n")
        sandbox.adapt(self.path("m"), self.tools)
        self.assertEqual(self.read("m/a"), f"#!{self.tools}/bin/node\nx\n".encode())
        self.assertEqual(self.read("m/b"), b"#!/usr/bin/env node\nx\n")
        self.assertTrue(os.path.isfile(script) and os.path.isfile(data))

    def test_a_dynamic_program_starts_with_another_loader(self):
        with open("/proc/self/exe", "rb") as file:
            program = self.write("program", file.read(), 0o755)
        with open(program, "rb") as file:
            if b"ld-linux" not in file.read(8192):
                self.fail("this Python is no dynamic program")
        programs.set_interpreter(program, "/no/such/loader")
        with self.assertRaises(FileNotFoundError):
            subprocess.run([program, "-c", ""], check=False)
        with open(program, "rb") as file:
            self.assertTrue(file.read().endswith(b"/no/such/loader\0"))


class Assets(Directory):
    def test_output_is_regular_files(self):
        self.write("o/a/b.js", b"")
        self.write("o/c.css", b"")
        self.assertEqual(asset.checked_files(self.path("o")), ["a/b.js", "c.css"])
        os.symlink("/etc/passwd", self.path("o/link"))
        with self.assertRaisesRegex(Refused, "no regular file"):
            asset.checked_files(self.path("o"))

    def test_hoisted_packages_are_found_beside_the_manifest(self):
        for name in ("node_modules/a/package.json", "node_modules/@s/b/x.js", "node_modules/.bin/a", "core/web/node_modules/a/own.js"):
            self.write(name, b"")
        os.symlink("../core/web", self.path("node_modules/itself"))
        asset.link_hoisted(self.path("core/web"), self.path(""))
        self.assertTrue(os.path.isfile(self.path("core/web/node_modules/@s/b/x.js")))
        self.assertEqual(os.readlink(self.path("core/web/node_modules/@s/b")), "../../../../node_modules/@s/b")
        self.assertEqual(sorted(os.listdir(self.path("core/web/node_modules"))), ["@s", "a"])
        self.assertEqual(os.listdir(self.path("core/web/node_modules/a")), ["own.js"])

    def test_the_css_entry_lists_the_trees(self):
        os.makedirs(self.path("extensions/altar/web"))
        tailwind.write(self.path("extensions/altar/web"), self.root, ["extensions/altar", "core"])
        lines = self.read("extensions/altar/web/tailwind.federation.css").decode().splitlines()
        self.assertEqual(lines[1:], ['@source "../../../core";', '@source "..";'])

    def test_the_configuration_lists_those_of_all_members(self):
        for name in ("core/web/tailwind.config.js", "core/web/tailwind.config.mjs", "core/node_modules/x/tailwind.config.js", "extensions/a/tailwind.config.cjs"):
            self.write(name, b"")
        self.write("core/tailwind.config.js", b"module.exports = require('./web/tailwind.federation.cjs')")
        text = tailwind.config(self.path("core/web"), [self.path("core"), self.path("extensions/a")])
        listed = json.loads(text.partition("const files = ")[2].partition(";")[0])
        self.assertEqual(listed, ["./tailwind.config.js", "./../../extensions/a/tailwind.config.cjs"])

    def test_a_file_of_the_member_is_left_alone(self):
        self.write("web/tailwind.federation.css", b"own")
        tailwind.write(self.path("web"), self.root, ["core"])
        self.assertEqual(self.read("web/tailwind.federation.css"), b"own")


class Carried(Directory):
    """build_wheel.py: what was built must be in the wheel."""

    def setUp(self):
        super().setUp()
        self.write("built/index.html", b"<p>")
        self.write("built/assets/x.js", b"1")
        self.asset = {"output": "src/altar/static", "path": self.path("built")}
        self.spec = {"name": "altar", "backend": {"object": "hatchling.build", "path": []}, "assets": [self.asset]}

    def wheel(self, *entries):
        with zipfile.ZipFile(self.path("x.whl"), "w") as archive:
            for name, content in entries:
                info = zipfile.ZipInfo(name)
                info.create_system, info.external_attr = 3, (stat.S_IFREG | 0o644) << 16
                archive.writestr(info, content)
        return self.path("x.whl")

    def test_a_whole_wheel_passes(self):
        build_wheel.check(self.wheel(("altar/static/index.html", b"<p>"), ("altar/static/assets/x.js", b"1")), self.spec)

    def test_a_lost_file_is_told_with_the_remedy(self):
        for entries in ([("altar/static/index.html", b"<p>")], [("altar/static/index.html", b"<p>"), ("altar/static/assets/x.js", b"2")]):
            with self.assertRaises(SystemExit) as caught:
                build_wheel.check(self.wheel(*entries), self.spec)
            self.assertIn("left 1 built files of `src/altar/static` out of the wheel: assets/x.js", str(caught.exception))
            self.assertIn('artifacts = ["/src/altar/static"]', str(caught.exception))

    def test_the_output_takes_the_place_of_the_source(self):
        self.write("source/src/altar/static/old.js", b"")
        build_wheel.lay_over(self.path("source"), self.asset)
        self.assertEqual(sorted(os.listdir(self.path("source/src/altar/static"))), ["assets", "index.html"])
        with self.assertRaises(SystemExit):
            build_wheel.lay_over(self.path("source"), {**self.asset, "output": "../x"})


if __name__ == "__main__":
    unittest.main()
