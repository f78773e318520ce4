"""The scripts that make an image's root: merging, alternatives, the loader's
cache and the ELF check. Run: python3 -m unittest discover -s nix/tests"""

import functools
import io
import os
import struct
import sys
import tarfile
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "root"))
sys.dont_write_bytecode = True

import alternatives
import ld_cache
import tree as tree_module
from check_elf import Checker, reaches_out
from control import Control
from elf import read_elf
from farm import Farm, Package
from tree import Root, write_layer


def elf(needed=(), soname=None, runpath=None, rpath=None, interpreter=None, machine=62):
    """A small 64-bit ELF file with a dynamic section."""
    strings, tags = bytearray(b"\0"), []

    def text(value):
        strings.extend(value.encode() + b"\0")
        return len(strings) - len(value) - 1

    for tag, values in ((1, needed), (14, [soname]), (15, [rpath]), (29, [runpath])):
        tags += [(tag, text(value)) for value in values if value is not None]
    program = (interpreter or "").encode() + b"\0" * bool(interpreter)
    headers = 2 + bool(interpreter)
    start = 64 + 56 * headers
    at_strings = start + len(program)
    dynamic_at = at_strings + len(strings)
    tags += [(5, at_strings), (10, len(strings)), (0, 0)]
    dynamic = b"".join(struct.pack("<qQ", *tag) for tag in tags)
    size = dynamic_at + len(dynamic)
    segment = lambda kind, offset, length: struct.pack("<IIQQQQQQ", kind, 4, offset, offset, offset, length, length, 1)
    table = segment(1, 0, size) + segment(2, dynamic_at, len(dynamic))
    if interpreter:
        table += segment(3, start, len(program))
    head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 3, machine, 1, 0, 64, 0, 0, 64, 56, headers, 64, 0, 0)
    return head + table + program + bytes(strings) + dynamic


class Case(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        # stands for /nix/store
        self.store = os.path.realpath(scratch.name)
        known = tree_module.STORE
        tree_module.STORE = self.store
        self.addCleanup(setattr, tree_module, "STORE", known)

    def package(self, name, files, **kwargs):
        """files: path -> bytes, or str for a link."""
        for path, content in files.items():
            full = os.path.join(self.store, name, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            if isinstance(content, str):
                os.symlink(content, full)
            else:
                with open(full, "wb") as file:
                    file.write(content)
        return Package(os.path.join(self.store, name), f"package {name}", ["core"], **kwargs)

    def merged(self, *packages):
        farm = Farm(packages)
        self.assertEqual(farm.errors, [])
        return farm.tree()


class Merging(Case):
    def test_a_directory_of_one_package_is_one_link(self):
        one = self.package("one", {"usr/share/one/a": b"", "usr/bin/a": b""})
        two = self.package("two", {"usr/bin/b": b""})
        self.assertEqual(self.merged(one, two), {"usr": {"share": f"{one.path}/usr/share", "bin": {"a": f"{one.path}/usr/bin/a", "b": f"{two.path}/usr/bin/b"}}})

    def test_a_relative_link_that_leads_to_another_package(self):
        one = self.package("one", {"d/x.so": "x.so.1", "e/in": b"", "e/also": "in"})
        two = self.package("two", {"d/x.so.1": b""})
        three = self.package("three", {"f/y": "../d/x.so.1"})
        tree = self.merged(one, two, three)
        self.assertEqual(tree["d"], {"x.so": "x.so.1", "x.so.1": f"{two.path}/d/x.so.1"})
        self.assertEqual(tree["e"], f"{one.path}/e")
        self.assertEqual(tree["f"], {"y": "../d/x.so.1"})
        self.assertEqual(Root(tree).real("/f/y"), f"{two.path}/d/x.so.1")

    def test_merged_usr(self):
        base = self.package("base", {"lib": "usr/lib"})
        old = self.package("old", {"lib/x.so": b"", "lib/deep/y.so": "../../etc/y"})
        new = self.package("new", {"usr/lib/z.so": b""})
        tree = self.merged(base, old, new)
        self.assertEqual(tree["lib"], "usr/lib")
        self.assertEqual(tree["usr"]["lib"], {"x.so": f"{old.path}/lib/x.so", "deep": {"y.so": "/etc/y"}, "z.so": f"{new.path}/usr/lib/z.so"})

    def test_two_packages_with_one_file(self):
        one, two = self.package("one", {"a": b"1"}), self.package("two", {"a": b"2"})
        self.assertEqual(Farm([one, two]).errors, ["/a is provided twice: by package one (requested by core) and by package two (requested by core)"])

    def test_two_packages_with_equal_files(self):
        self.merged(self.package("one", {"a": b"1"}), self.package("two", {"a": b"1"}))

    def test_a_file_where_another_has_a_directory(self):
        one, two = self.package("one", {"a": b""}), self.package("two", {"a/b": b""})
        self.assertEqual(len(Farm([one, two]).errors), 1)
        self.assertEqual(len(Farm([two, one]).errors), 1)

    def test_generated_files_win(self):
        one = self.package("one", {"a": b"1", "b": b"1"})
        own = self.package("own", {"a": b"2"}, wins=True)
        self.assertEqual(self.merged(one, own), {"a": f"{own.path}/a", "b": f"{one.path}/b"})

    def test_an_opened_directory(self):
        one = self.package("one", {"nvidia/cublas/lib/x.so": b"", "nvidia/cublas/include/x.h": b""})
        farm = Farm([one])
        farm.open_up("nvidia/cublas/lib")
        at = f"{one.path}/nvidia/cublas"
        self.assertEqual(farm.tree(), {"nvidia": {"cublas": {"lib": {"x.so": f"{at}/lib/x.so"}, "include": f"{at}/include"}}})


class Layer(Case):
    def test_modes_and_order(self):
        data = io.BytesIO()
        write_layer({"tmp": {}, "app": {"x": "/nix/store/x"}, "etc": {"passwd": b"root\n"}}, data, 1, lambda path: 0o1777 if path == "/tmp" else 0o755)
        data.seek(0)
        with tarfile.open(fileobj=data) as archive:
            found = [(member.name, member.mode, member.type, member.mtime, member.uname) for member in archive]
        self.assertEqual(found, [
            (".", 0o755, b"5", 1, "root"),
            ("app", 0o755, b"5", 1, "root"),
            ("app/x", 0o777, b"2", 1, "root"),
            ("etc", 0o755, b"5", 1, "root"),
            ("etc/passwd", 0o444, b"0", 1, "root"),
            ("tmp", 0o1777, b"5", 1, "root"),
        ])


class Lookup(Case):
    def test_links(self):
        one = self.package("one", {"d/f": b"x", "d/up": "../e", "d/abs": "/etc/x", "e": b"y"})
        root = Root({"lib": "usr/lib", "usr": {"lib": {"d": f"{one.path}/d"}}, "etc": {"x": b"z"}, "loop": "loop"})
        self.assertEqual(root.real("/lib/d/f"), f"{one.path}/d/f")
        self.assertEqual(root.read("/lib/d/up"), b"y")
        self.assertEqual(root.read("/lib/d/abs"), b"z")
        for path in ("/loop", "/lib/none", "/lib/d/f/below", "/etc/x/below"):
            self.assertIsNone(root.real(path), path)
        self.assertEqual(root.names("/lib/d"), ["abs", "f", "up"])


class Alternatives(unittest.TestCase):
    def links(self, *scripts, missing=()):
        self.notes = []
        found = [each for number, script in enumerate(scripts) for each in alternatives.parse(script, f"p{number}", self.notes.append)]
        return alternatives.links(found, lambda path: path not in missing)

    def test_the_highest_priority_wins_with_its_slaves(self):
        gawk = "update-alternatives --quiet --install /usr/bin/awk awk /usr/bin/gawk 10 \\\n  --slave /usr/share/man/man1/awk.1.gz awk.1.gz /usr/share/man/man1/gawk.1.gz \\\n  --slave /usr/bin/nawk nawk /usr/bin/gawk\n"
        mawk = "if x; then\n\tupdate-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5 || true\nfi\n"
        expected = {"/usr/bin/awk": "/etc/alternatives/awk", "/etc/alternatives/awk": "/usr/bin/gawk", "/usr/bin/nawk": "/etc/alternatives/nawk", "/etc/alternatives/nawk": "/usr/bin/gawk"}
        missing = ["/usr/share/man/man1/gawk.1.gz"]
        self.assertEqual(self.links(gawk, mawk, missing=missing), expected)
        self.assertEqual(self.links(mawk, gawk, missing=missing), expected)
        self.assertEqual(self.links(gawk, mawk, missing=["/usr/bin/gawk"])["/etc/alternatives/awk"], "/usr/bin/mawk")

    def test_variables_of_the_script(self):
        script = "#!/bin/sh\nLIB=/usr/lib/x\nN=\"n\"\nupdate-alternatives --install $LIB/l.so.3 ${N}-x '/usr/lib/blas/l.so.3' 10; exit 0\n"
        self.assertEqual(self.links(script), {"/usr/lib/x/l.so.3": "/etc/alternatives/n-x", "/etc/alternatives/n-x": "/usr/lib/blas/l.so.3"})

    def test_loops(self):
        script = "more=b\nlist=\"a $more\"\nfor prog in \\\n  $list; do\n  if x; then y\n  fi\n  update-alternatives --install /usr/bin/$prog-im7 $prog-im7 \\\n /usr/bin/$prog-im7.q16 1\ndone\nupdate-alternatives --install /$prog p /x 1\n"
        self.assertEqual(sorted(self.links(script)), ["/etc/alternatives/a-im7", "/etc/alternatives/b-im7", "/usr/bin/a-im7", "/usr/bin/b-im7"])
        self.assertEqual(len(self.notes), 1)

    def test_what_cannot_be_read_is_noted(self):
        for line in ("--install $UNKNOWN/a a /b 1", "--install /a a /b ten", "--install /a ../../b /c 1", "--install /a", "--install `x` a /b 1"):
            with self.subTest(line):
                self.assertEqual(self.links(f"update-alternatives {line}\n"), {})
                self.assertEqual(len(self.notes), 1)

    def test_other_uses_are_nothing(self):
        self.assertEqual(self.links("# update-alternatives --install /a a /b 1\nupdate-alternatives --remove a /b\n"), {})
        self.assertEqual(self.notes, [])


class Controls(Case):
    def deb(self, control, postinst):
        inner = io.BytesIO()
        with tarfile.open(fileobj=inner, mode="w:xz") as archive:
            for name, text in (("./control", control), ("./postinst", postinst)):
                member = tarfile.TarInfo(name)
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text.encode()))
        path = os.path.join(self.store, "x.deb")
        with open(path, "wb") as file:
            file.write(b"!<arch>\n")
            for name, content in (("debian-binary", b"2.0\n"), ("control.tar.xz", inner.getvalue())):
                file.write(f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode() + content + b"\n" * (len(content) % 2))
        return Control(path)

    def test_fields(self):
        control = self.deb("Package: a\nProvides: b (= 1), c\nDepends: libx1 (>= 1), liby1 | libz1:any,\n dpkg\n", "echo\n")
        self.assertEqual(control.postinst, "echo\n")
        self.assertEqual(control.names(), {"a", "b", "c"})
        self.assertEqual(control.missing_libraries({"libx1", "libz1"}), [])
        self.assertEqual(control.missing_libraries({"libx1"}), ["liby1|libz1"])


class Libraries(Case):
    def test_reading(self):
        one = self.package("one", {"a": elf(["x", "y"], "s", "$ORIGIN:/b", None, "/lib64/ld"), "b": b"no", "c": elf()[:40], "d": elf(machine=183)})
        found = read_elf(f"{one.path}/a")
        self.assertEqual((found.needed, found.soname, found.runpath, found.rpath, found.interpreter), (["x", "y"], "s", ["$ORIGIN", "/b"], [], "/lib64/ld"))
        self.assertIsNone(read_elf(f"{one.path}/b"))
        self.assertIsNone(read_elf(f"{one.path}/c"))
        self.assertEqual(read_elf(f"{one.path}/d").machine, "aarch64")

    def check(self, tree, path, siblings=(), optional=False, waivers=None):
        root = Root(tree)
        checker = Checker(root, {"libc.so.6": "/lib/libc.so.6"}, waivers)
        checker.check(path, Package("", "package x", ["core"]), siblings, optional)
        self.notes, self.unneeded = checker.notes, checker.unneeded()
        return checker.errors

    def test_a_missing_library_names_everything(self):
        one = self.package("one", {"x.so": elf(["libc.so.6", "libgone.so.1"])})
        self.assertEqual(self.check({"x.so": f"{one.path}/x.so"}, "/x.so"), ["/x.so of package x (requested by core) needs libgone.so.1, which no package of the image provides where the loader looks"])

    def test_optional_ones_are_notes_but_not_for_programs(self):
        one = self.package("one", {"x.so": elf(["libgone.so.1"]), "x": elf(["libgone.so.1"], interpreter="/ld")})
        tree = {"x.so": f"{one.path}/x.so", "x": f"{one.path}/x", "ld": f"{one.path}/x"}
        self.assertEqual((self.check(tree, "/x.so", optional=True), len(self.notes)), ([], 1))
        self.assertEqual(len(self.check(tree, "/x", optional=True)), 1)

    def test_a_waiver_is_for_one_library_of_one_package(self):
        one = self.package("one", {"x.so": elf(["liba.so.1", "libb.so.1", "libc.so.6"]), "x": elf(["liba.so.1"], interpreter="/x")})
        tree = {name: f"{one.path}/{name}" for name in ("x.so", "x")}
        self.assertEqual(self.check(tree, "/x.so", waivers={"x": ["liba.so.1", "libb.so.1", "libc.so.6"]}), [])
        self.assertEqual(self.notes, [f"/x.so: {name} is missing, as [policy] missing-libraries of forge.toml lets it be" for name in ("liba.so.1", "libb.so.1")])
        self.assertEqual(self.unneeded, ["[policy] missing-libraries of forge.toml: nothing in x lacks libc.so.6"])
        # another package's waiver, and another library's
        self.assertEqual(len(self.check(tree, "/x.so", waivers={"y": ["liba.so.1"], "package x": ["liba.so.1"], "x": ["libb.so.1"]})), 1)
        self.assertEqual(len(self.unneeded), 2)
        # a program as well: who waives it has to know
        self.assertEqual((self.check(tree, "/x", waivers={"x": ["liba.so.1"]}), self.unneeded), ([], []))

    def test_a_program_without_its_loader(self):
        one = self.package("one", {"x": elf(["libc.so.6"], interpreter="/lib64/ld.so")})
        self.assertEqual(len(self.check({"x": f"{one.path}/x"}, "/x")), 1)

    def test_origin_is_where_a_library_was_opened(self):
        one = self.package("one", {"n/a/lib/x.so": elf(["liby.so"], runpath="$ORIGIN/../../b/lib")})
        two = self.package("two", {"n/b/lib/liby.so": elf()})
        farm = Farm([one, two])
        self.assertEqual(len(self.check(farm.tree(), "/n/a/lib/x.so")), 1)
        self.assertTrue(reaches_out(read_elf(f"{one.path}/n/a/lib/x.so"), "n/a/lib/x.so", lambda place: os.path.isdir(f"{one.path}/{place}")))
        farm.open_up("n/a/lib")
        self.assertEqual(self.check(farm.tree(), "/n/a/lib/x.so"), [])

    def test_origin_of_a_program_is_its_real_place(self):
        one = self.package("one", {"bin/x": elf(["liby.so"], runpath="${ORIGIN}/../lib", interpreter="/ld"), "lib/liby.so": elf()})
        tree = {"usr": {"x": f"{one.path}/bin/x"}, "ld": f"{one.path}/bin/x"}
        self.assertEqual(self.check(tree, "/usr/x"), [])

    def test_a_library_for_another_machine_is_none(self):
        one = self.package("one", {"x.so": elf(["liby.so"], runpath="/d"), "liby.so": elf(machine=183), "z.so": elf(["q"], machine=183)})
        tree = {"x.so": f"{one.path}/x.so", "d": {"liby.so": f"{one.path}/liby.so"}, "z.so": f"{one.path}/z.so"}
        self.assertEqual(len(self.check(tree, "/x.so")), 1)
        self.assertEqual((self.check(tree, "/z.so"), len(self.notes)), ([], 1))

    def test_siblings_musl_and_drivers(self):
        one = self.package("one", {"x.so": elf(["liby.so", "libcuda.so.1"]), "m.so": elf(["libc.musl-x86_64.so.1", "libz"])})
        tree = {name: f"{one.path}/{name}" for name in ("x.so", "m.so")}
        self.assertEqual(self.check(tree, "/x.so", siblings={"liby.so"}), [])
        self.assertEqual(len(self.check(tree, "/x.so")), 1)
        self.assertEqual(self.check(tree, "/m.so"), [])

    def test_the_cache(self):
        self.assertEqual(sorted(["liba.so.10", "liba.so.9", "libb.so", "liba.so"], key=functools.cmp_to_key(ld_cache.compare)), ["liba.so", "liba.so.9", "liba.so.10", "libb.so"])
        data = ld_cache.cache({"liba.so.9": "/x/liba.so.9", "liba.so.10": "/y"})
        self.assertEqual(data[:20], b"glibc-ld.so.cache1.1")
        count, length = struct.unpack_from("<II", data, 20)
        self.assertEqual((count, len(data)), (2, 48 + 24 * 2 + length))
        text = lambda at: data[at : data.index(b"\0", at)].decode()
        names = [tuple(map(text, struct.unpack_from("<iII", data, 48 + 24 * number)[1:])) for number in range(count)]
        self.assertEqual(names, [("liba.so.10", "/y"), ("liba.so.9", "/x/liba.so.9")])

    def test_configured_directories_come_first(self):
        one = self.package("one", {"d/libx.so.1": elf(soname="libx.so.1"), "d/libr.so.1.2": elf(soname="libr.so.1"), "u/libx.so.1": elf(soname="libx.so.1"), "u/libn.so": b"GROUP ( x )"})
        root = Root({"etc": {"ld.so.conf.d": {"a.conf": b"# x\n/opt/d\n"}}, "opt": {"d": f"{one.path}/d"}, "usr": {"lib": f"{one.path}/u"}})
        found = ld_cache.libraries(root, ld_cache.directories(root))
        self.assertEqual(found, {"libx.so.1": "/opt/d/libx.so.1", "libr.so.1": "/opt/d/libr.so.1.2"})

    def test_a_library_is_known_by_its_soname(self):
        one = self.package("one", {"libx.so.1.2": elf(soname="libx.so.1"), "libx.so.1": "libx.so.1.2", "libx.so": "libx.so.1.2", "liby.so": elf(soname="liby.so.3"), "libplugin.so": elf()})
        root = Root({"usr": {"lib": f"{one.path}"}})
        found = ld_cache.libraries(root, ["/usr/lib"])
        self.assertEqual(found, {name: f"/usr/lib/{path}" for name, path in {"libx.so.1": "libx.so.1", "libx.so": "libx.so", "liby.so.3": "liby.so", "libplugin.so": "libplugin.so"}.items()})
        self.assertEqual(sorted(ld_cache.loadable(root, found).keys() - found.keys()), ["libx.so.1.2", "liby.so"])


if __name__ == "__main__":
    unittest.main()
