"""The scripts that make an image's root: packages put together, alternatives, the
loader's cache and the ELF check. Run: python3 -m unittest discover -s nix/tests"""

import functools
import io
import os
import struct
import sys
import tarfile
import tempfile
import unittest
from types import SimpleNamespace

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "root"))
sys.dont_write_bytecode = True

import accounts
import alternatives
import diversions
import image
import ld_cache
import special
import started
import ucf
from check_elf import Checker
from collision import Decisions
from control import Control, compare_versions
from elf import read_elf
from generated import generated, skeleton
from modes import mode_of
from packages import Package
from tree import Root, Stored, from_plain, plain, write_to_disk
from union import LINKS, Union


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
        return Package(os.path.join(self.store, name), f"package {name}", ["core"], name, **kwargs)

    def stored(self, package, path):
        return Stored(f"{package.path}/{path}")

    def union(self, *packages, winners=(), prefix=None):
        union = Union(LINKS, Decisions(winners, prefix))
        union.add_all(packages)
        return union

    def united(self, *packages):
        union = self.union(*packages)
        self.assertEqual(union.errors, [])
        return union.tree

    def on_disk(self, files):
        """A tree of one package."""
        return self.united(self.package("one", files))


class Joining(Case):
    def test_files_of_several_packages_meet_in_one_directory(self):
        one = self.package("one", {"usr/share/one/a": b"", "usr/bin/a": b"", "usr/bin/c": "a"})
        two = self.package("two", {"usr/bin/b": b""})
        self.assertEqual(self.united(one, two), {"usr": {"share": {"one": {"a": self.stored(one, "usr/share/one/a")}}, "bin": {"a": self.stored(one, "usr/bin/a"), "b": self.stored(two, "usr/bin/b"), "c": "a"}}})

    def test_what_lies_behind_a_directory_link_of_the_root(self):
        base = self.package("base", {"lib": "usr/lib", "var/run/keep": b"", "var/lock/keep": b""})
        old = self.package("old", {"lib/x.so": b"", "lib/deep/y.so": "../../etc/y"})
        new = self.package("new", {"usr/lib/z.so": b""})
        tree = self.united(base, old, new)
        self.assertEqual(tree["usr"]["lib"], {"x.so": self.stored(old, "lib/x.so"), "deep": {"y.so": "../../etc/y"}, "z.so": self.stored(new, "usr/lib/z.so")})
        self.assertEqual(tree["run"], {"keep": self.stored(base, "var/run/keep"), "lock": {"keep": self.stored(base, "var/lock/keep")}})
        made = dict(skeleton(tree, LINKS))
        self.assertEqual((tree["lib"], tree["var"]["run"], tree["var"]["lock"]), ("usr/lib", "/run", "/run/lock"))
        self.assertNotIn("/lib", made)
        self.assertEqual(made["/var/run"], "/run")
        self.assertNotIn("sbin", tree, "it would lead nowhere")

    def test_a_package_lies_at_its_place(self):
        wheel = self.package("wheel", {"bin/x": b""}, at="app/.venv")
        union = self.union(wheel)
        self.assertEqual(union.tree, {"app": {".venv": {"bin": {"x": self.stored(wheel, "bin/x")}}}})
        self.assertEqual(union.owners, {"app/.venv/bin/x": (wheel, "bin/x")})

    def test_the_file_on_the_way_to_a_directory(self):
        union = self.union(self.package("one", {"a/b": b"", "a/l": "b"}))
        self.assertEqual([union.file_on(place) for place in ("a", "a/new/x", "a/b", "a/b/c", "a/l/c")], [None, None, "a/b", "a/b", "a/l"])

    def test_a_file_is_taken_away(self):
        one = self.package("one", {"a/b": b"", "a/c": b""})
        union = self.union(one)
        union.remove("a/b")
        self.assertEqual((union.tree, union.left_out, list(union.owners)), ({"a": {"c": self.stored(one, "a/c")}}, {one.path: ["a/b"]}, ["a/c"]))

    def test_two_packages_with_one_file(self):
        one, two = self.package("one", {"a": b"1"}), self.package("two", {"a": b"2"})
        self.assertEqual(self.union(one, two).errors, ["/a is provided twice: by package one (requested by core) and by package two (requested by core)"])

    def test_two_packages_with_equal_files(self):
        one, two = self.package("one", {"a": b"1", "l": "a"}), self.package("two", {"a": b"1", "l": "a"})
        union = self.union(one, two)
        self.assertEqual((union.errors, union.left_out), ([], {two.path: ["a", "l"]}))
        self.assertEqual(union.shared, {"a": ["package one", "package two"], "l": ["package one", "package two"]})
        self.assertEqual(union.tree["a"], self.stored(one, "a"))

    def test_a_file_where_another_has_a_directory(self):
        one, two, link = self.package("one", {"a": b""}), self.package("two", {"a/b": b""}), self.package("link", {"a": "elsewhere"})
        for pair in ((one, two), (two, one), (link, two), (two, link), (one, link)):
            self.assertEqual(len(self.union(*pair).errors), 1, pair)
        for pair in ((one, two), (two, one)):
            self.assertEqual(len(self.union(*pair).undecided()), 1, "no line to paste would help")
        self.assertEqual(self.union(two, one).errors, ["/a is provided twice: by package two (requested by core) and by package one (requested by core)"])

    def test_what_is_made_here_wins(self):
        one = self.package("one", {"a": b"1", "b": b"1"})
        own = self.package("own", {"a": b"2"}, made=True)
        union = self.union(one, own)
        self.assertEqual((union.errors, union.tree), ([], {"a": self.stored(own, "a"), "b": self.stored(one, "b")}))
        self.assertEqual((union.left_out, union.replaced), ({one.path: ["a"]}, {"a": ["package own", "package one"]}))

    def test_the_operator_names_the_winner(self):
        one, two = self.package("one", {"a": b"1"}), self.package("two", {"a": b"2"})
        union = self.union(one, two, winners={"/a": "two", "/b": "one", "/a/c": "three"})
        self.assertEqual((union.errors, union.left_out), ([], {one.path: ["a"]}))
        self.assertEqual(union.decisions.unused(["/b"]), ["[policy] collisions: no two packages have a different /a/c, or three is none of them"])
        union = self.union(one, two, winners={"/a": "three"})
        self.assertEqual((len(union.errors), len(union.decisions.unused())), (1, 1))

    def test_the_winner_may_come_last(self):
        one, two, three = (self.package(name, {"f": name.encode()}) for name in ("one", "two", "three"))
        union = self.union(one, two, three, winners={"/f": "three"})
        self.assertEqual((union.errors, union.tree), ([], {"f": self.stored(three, "f")}))
        self.assertEqual(union.left_out, {one.path: ["f"], two.path: ["f"]})
        self.assertEqual(len(self.union(one, two, winners={"/f": "four"}).errors), 1)

    def test_how_to_decide_is_told_as_a_line_to_paste(self):
        files = {f"d/{number:02}": b"" for number in range(20)}
        one, two = self.package("one", files), self.package("two", {path: b"2" for path in files})
        told = self.union(one, two).undecided()
        self.assertEqual(len(told), 13)
        self.assertIn('under [policy]: collisions = { "/d/00" = "one", "/d/01" = "one",', told[-1])
        self.assertTrue(told[-1].endswith('"/d/11" = "one" } (and 8 more)'), told[-1])

    def test_a_readme_at_the_top_of_the_environment_carries_nothing(self):
        for name in ("LICENSE", "LICENSE.txt", "README.md", "CHANGELOG.rst"):
            one, two = (self.package(f"{which}-{name}", {name: which.encode()}, at="app/.venv") for which in ("one", "two"))
            union = self.union(one, two, prefix="/app/.venv")
            self.assertEqual((union.errors, union.left_out), ([], {two.path: [name]}), name)
        one, two = (self.package(f"{which}-more", {"share/README": which.encode(), "data.json": which.encode()}, at="app/.venv") for which in ("one", "two"))
        self.assertEqual(len(self.union(one, two, prefix="/app/.venv").errors), 2)

    def test_a_diversion_moves_the_file_of_the_others(self):
        common = self.package("postgresql-common", {"usr/bin/pg_config": b"perl"})
        dev = self.package("libpq-dev", {"usr/bin/pg_config": b"elf"})
        preinst = "dpkg-divert --package postgresql-common --add --rename --divert /usr/bin/pg_config.libpq-dev /usr/bin/pg_config\ndpkg-divert --no-rename --divert /lib64/x.usr-is-merged --add /lib64/x\ndpkg-divert --remove /gone\n"
        notes = []
        diverted = diversions.parse(preinst, "postgresql-common", notes.append)
        self.assertEqual((diverted, notes), ({"usr/bin/pg_config": ("postgresql-common", "usr/bin/pg_config.libpq-dev")}, []))
        self.assertEqual((diversions.parse('dpkg-divert --add "$x"\n', "y", notes.append), len(notes)), ({}, 1))
        for pair in ((common, dev), (dev, common)):
            union = Union(LINKS, Decisions(), diverted)
            union.add_all(pair)
            self.assertEqual((union.errors, union.tree["usr"]["bin"]), ([], {"pg_config": self.stored(common, "usr/bin/pg_config")}))
            self.assertEqual(union.diverted, {"usr/bin/pg_config.libpq-dev": self.stored(dev, "usr/bin/pg_config")})
        self.assertEqual(self.united(dev)["usr"]["bin"], {"pg_config": self.stored(dev, "usr/bin/pg_config")})

    def test_a_tree_survives_json_and_disk(self):
        one = self.package("one", {"a": b"1", "d/l": "/a", "d/r": "../a"})
        tree = self.united(one)
        self.assertEqual(from_plain(plain(tree)), tree)
        made = os.path.join(self.store, "made")
        write_to_disk({**tree, "own": b"x"}, made, made)
        self.assertEqual([os.readlink(f"{made}/{path}") for path in ("a", "d/l", "d/r")], [f"{one.path}/a", f"{made}/a", "../a"])


class Special(Case):
    LIST = """drwx------ root/root         0 2026-07-02 19:05:00 ./root/
drwxrwxrwt root/root         0 2026-07-02 19:05:00 ./tmp/
-rwxr-sr-x root/shadow     80376 2025-12-14 14:00:01 ./usr/bin/chage
-rwsr-xr-x root/root     62672 2025-12-14 14:00:01 ./usr/bin/ch fn
-rwxr-xr-x root/root         0 2026-09-29 01:59:07 ./usr/bin/a -> ./usr/bin/b
"""

    def test_modes_owners_and_hard_links(self):
        modes, twins = special.read(self.LIST, "package x")
        self.assertEqual(modes, {"root": (0o700, 0, 0), "tmp": (0o1777, 0, 0), "usr/bin/chage": (0o755, 0, 42), "usr/bin/ch fn": (0o755, 0, 0)})
        self.assertEqual(twins, {"usr/bin/a": "usr/bin/b"})
        self.assertEqual(special.read("drwxrwxr-x root/root 0 2026-07-02 19:05:00 ./\n", "x"), ({}, {}))

    def test_all_names_of_one_file_have_its_mode_and_its_bytes_come_first(self):
        names = ["usr/x/f", "usr/x-y/f", "usr/x-y/gone"]
        package = self.package("x", {name: b"1" for name in names[:2]})
        path = os.path.join(self.store, "special")
        with open(path, "w", encoding="utf-8") as file:
            file.write("-rw-r----- root/shadow 1 2026-07-02 19:05:00 ./usr/x-y/gone\n" + "".join(f"-rw-r----- root/shadow 0 2026-07-02 19:05:00 ./{name} -> ./usr/x-y/gone\n" for name in names[:2]))
        told = special.account([{"name": "x", "path": package.path, "special": path}], self.union(package))
        self.assertEqual(told, {"modes": {name: ["640", 0, 42] for name in names[:2]}, "hard_links": {"usr/x-y/f": "usr/x/f"}})

    def test_what_cannot_be_read_ends_the_build(self):
        for line in ("crw-r--r-- root/root 0 2026-07-02 19:05:00 ./dev/x", "-rw-r----- root/made-up 0 2026-07-02 19:05:00 ./x", "nonsense"):
            with self.assertRaisesRegex(SystemExit, "package x: mode or owner cannot be read"):
                special.read(line + "\n", "package x")

    def test_the_first_name_in_order_has_the_bytes(self):
        package = self.package("x", {"usr/bin/a": b"1", "usr/bin/b": b"1", "lib/keep": b"", "root/keep": b""})
        more = self.package("y", {"root/more": b""})
        lists = {"x": self.LIST.replace("drwxrwxrwt root/root         0 2026-07-02 19:05:00 ./tmp/\n", "drwxr-x--- root/adm 0 2026-07-02 19:05:00 ./lib/\n"), "y": "drwxr-x--- root/root 0 2026-07-02 19:05:00 ./root/\n"}
        debs = []
        for name, text in lists.items():
            path = os.path.join(self.store, f"{name}.special")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            debs.append({"name": name, "path": f"{self.store}/{name}", "special": path})
        told = special.account(debs, self.union(package, more))
        self.assertEqual(told, {"modes": {"root": ["700", 0, 0], "usr/lib": ["750", 0, 4]}, "hard_links": {"usr/bin/b": "usr/bin/a"}})

    def test_directories_of_the_image(self):
        told = [f"{mode_of(path, ['/home/lich', '/var/lib/x']):o}" for path in ("/tmp", "/root", "/etc", "/home", "/home/lich", "/home/lich/a", "/home/lichen")]
        self.assertEqual(told, ["1777", "700", "755", "755", "777", "777", "755"])
        self.assertEqual([f"{mode_of(path, ['/tmp', '/root']):o}" for path in ("/tmp", "/tmp/x", "/root")], ["1777", "777", "777"])

    def test_a_directory_that_is_written_through_a_link_of_the_root(self):
        union = self.union(self.package("base", {"lib": "usr/lib", "var/run/lich/keep": b""}), self.package("old", {"lib/lich/keep": b""}))
        modes = image.modes(union, ["/var/run/lich", "/lib/lich"])
        self.assertEqual(modes, {"run/lich": ["777", 0, 0], "usr/lib/lich": ["777", 0, 0]})


class Lookup(Case):
    def test_links(self):
        one = self.package("one", {"usr/lib/d/f": b"x", "usr/lib/d/up": "../e", "usr/lib/d/abs": "/etc/x", "usr/lib/e": b"y"})
        root = Root({**self.united(one), "lib": "usr/lib", "etc": {"x": b"z"}, "loop": "loop"})
        self.assertEqual(root.real("/lib/d/f"), "/usr/lib/d/f")
        self.assertEqual(root.on_disk("/usr/lib/d/f"), f"{one.path}/usr/lib/d/f")
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

    def test_what_closes_a_loop(self):
        for end in ("done", "done || true", "done < /list", "  done 2>/dev/null"):
            script = f"for f in a b; do\n while read x; do :\n done\n update-alternatives --install /$f $f /t/$f 1\n{end}\nf=c\nupdate-alternatives --install /$f $f /t/$f 1 2>&1\n"
            self.assertEqual(sorted(self.links(script)), ["/a", "/b", "/c", *(f"/etc/alternatives/{name}" for name in "abc")], end)
        deep = "".join(f"for v{number} in 0 1 2 3 4 5 6 7 8 9; do\n" for number in range(9)) + "update-alternatives --install /a a /b 1\n"
        self.assertEqual(len(self.links(deep)), 2)
        self.assertEqual(self.links("for x in" + " " * 3000 + "$\n"), {})

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


class Ucf(Case):
    def test_a_fresh_system_gets_a_copy(self):
        notes = []
        script = 'base=/usr/share/x\nif true; then\n\tucf --three-way "$base/a.conf" "/etc/a.conf"\n  ucfr x /etc/a.conf\n ucf --debconf-ok /usr/share/x/gone /etc/gone >&2\n ucf /usr/share/x/b /etc/b || true\nfi\nucf "$UNKNOWN" /etc/c\nucf --purge /etc/d\n# ucf /a /b\n'
        self.assertEqual(ucf.copies(script, "x", notes.append), [("/usr/share/x/a.conf", "/etc/a.conf"), ("/usr/share/x/gone", "/etc/gone"), ("/usr/share/x/b", "/etc/b")])
        self.assertEqual(len(notes), 1)
        package = self.package("x", {"usr/share/x/a.conf": b"a", "usr/share/x/b": b"b", "etc/b": b"own"})
        control = SimpleNamespace(script=lambda name: {"postinst": script}[name])
        made = generated(Root(self.united(package)), {"x": control}, notes.append)
        self.assertEqual(made["/etc/a.conf"], self.stored(package, "usr/share/x/a.conf"))
        self.assertFalse({"/etc/b", "/etc/gone"} & made.keys())
        self.assertIn("x: ucf installs /usr/share/x/gone, which is not there", notes)


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
        self.assertEqual(control.script("postinst"), "echo\n")
        self.assertEqual(control.names(), {"a", "b", "c"})
        self.assertEqual(control.missing_libraries({"libx1", "libz1"}), [])
        self.assertEqual(control.missing_libraries({"libx1"}), ["liby1|libz1"])

    def test_replaces_is_of_a_version(self):
        old = self.deb("Package: old\nVersion: 1:2.0-3\n", "")
        for relation, wins in (("old", True), ("x, old (<< 1:2.1)", True), ("old (<= 1:2.0-3)", True), ("old (<< 1:2.0-3~)", False), ("old (= 2.0-3)", False), ("older", False), ("", False), ("old:any (>> 1)", True)):
            self.assertEqual(self.deb(f"Package: new\nVersion: 3\nReplaces: {relation}\n", "").replaces(old), wins, relation)
        one, two = self.package("one", {"a": b"1"}), self.package("two", {"a": b"2"})
        one.control, two.control = old, self.deb("Package: new\nReplaces: old\n", "")
        for pair in ((one, two), (two, one)):
            self.assertEqual(self.union(*pair).left_out, {one.path: ["a"]})
        one.control = self.deb("Package: old\nReplaces: new\n", "")
        self.assertEqual(len(self.union(one, two).errors), 1, "each says it of the other")

    def test_versions_compare_as_dpkg_has_them(self):
        ordered = ["0~~", "0~", "0", "1.0~rc1", "1.0-1~bpo12+1", "1.0-1", "1.0-1+b1", "1.0-2", "1.0+b1-1", "1.2a", "1.2.1", "1.9", "1.10", "1:0"]
        for one, other in zip(ordered, ordered[1:]):
            self.assertLess(compare_versions(one, other), 0, (one, other))
            self.assertGreater(compare_versions(other, one), 0, (one, other))
        for one, other in (("1.002", "1.2"), ("2.4", "2.4-0"), ("0:1", "1")):
            self.assertEqual(compare_versions(one, other), 0, (one, other))


class Libraries(Case):
    def test_reading(self):
        one = self.package("one", {"a": elf(["x", "y"], "s", "$ORIGIN:/b", None, "/lib64/ld"), "b": b"no", "c": elf()[:40], "d": elf(machine=183)})
        found = read_elf(f"{one.path}/a")
        self.assertEqual((found.needed, found.soname, found.runpath, found.rpath, found.interpreter), (["x", "y"], "s", ["$ORIGIN", "/b"], [], "/lib64/ld"))
        self.assertIsNone(read_elf(f"{one.path}/b"))
        self.assertIsNone(read_elf(f"{one.path}/c"))
        self.assertEqual(read_elf(f"{one.path}/d").machine, "aarch64")

    def check(self, files, path, siblings=(), optional=False, waivers=None):
        root = Root(self.on_disk(files))
        checker = Checker(root, {"libc.so.6": "/lib/libc.so.6"}, waivers)
        checker.check(path, Package("", "package x", ["core"], "x"), siblings, optional)
        self.notes, self.unneeded = checker.notes, checker.unneeded()
        return checker.errors

    def test_a_missing_library_names_everything(self):
        self.assertEqual(self.check({"x.so": elf(["libc.so.6", "libgone.so.1"])}, "/x.so"), ["/x.so of package x (requested by core) needs libgone.so.1, which no package of the image provides where the loader looks"])

    def test_optional_ones_are_notes_but_not_for_programs(self):
        files = {"x.so": elf(["libgone.so.1"]), "x": elf(["libgone.so.1"], interpreter="/ld"), "ld": b""}
        self.assertEqual((self.check(files, "/x.so", optional=True), len(self.notes)), ([], 1))
        self.assertEqual(len(self.check(files, "/x", optional=True)), 1)

    def test_a_waiver_is_for_one_library_of_one_package(self):
        tree = {"x.so": elf(["liba.so.1", "libb.so.1", "libc.so.6"]), "x": elf(["liba.so.1"], interpreter="/x")}
        self.assertEqual(self.check(tree, "/x.so", waivers={"x": ["liba.so.1", "libb.so.1", "libc.so.6"]}), [])
        self.assertEqual(self.notes, [f"/x.so: {name} is missing, as [policy] missing-libraries of forge.toml lets it be" for name in ("liba.so.1", "libb.so.1")])
        self.assertEqual(self.unneeded, ["[policy] missing-libraries of forge.toml: nothing in x lacks libc.so.6"])
        # another package's waiver, and another library's
        self.assertEqual(len(self.check(tree, "/x.so", waivers={"y": ["liba.so.1"], "package x": ["liba.so.1"], "x": ["libb.so.1"]})), 1)
        self.assertEqual(len(self.unneeded), 2)
        # a program as well: who waives it has to know
        self.assertEqual((self.check(tree, "/x", waivers={"x": ["liba.so.1"]}), self.unneeded), ([], []))

    def test_a_program_without_its_loader(self):
        self.assertEqual(len(self.check({"x": elf(["libc.so.6"], interpreter="/lib64/ld.so")}, "/x")), 1)

    def test_origin_leads_to_another_package(self):
        one = self.package("one", {"n/a/lib/x.so": elf(["liby.so"], runpath="$ORIGIN/../../b/lib")})
        two = self.package("two", {"n/b/lib/liby.so": elf()})
        for packages, errors in (((one,), 1), ((one, two), 0)):
            checker = Checker(Root(self.united(*packages)), {})
            checker.check("/n/a/lib/x.so", one)
            self.assertEqual(len(checker.errors), errors)

    def test_origin_of_a_program_is_its_real_place(self):
        files = {"bin/x": elf(["liby.so"], runpath="${ORIGIN}/../lib", interpreter="/ld"), "lib/liby.so": elf(), "opt/x": "../bin/x", "ld": b""}
        self.assertEqual(self.check(files, "/opt/x"), [])

    def test_a_library_for_another_machine_is_none(self):
        files = {"x.so": elf(["liby.so"], runpath="/d"), "d/liby.so": elf(machine=183), "z.so": elf(["q"], machine=183)}
        self.assertEqual(len(self.check(files, "/x.so")), 1)
        self.assertEqual((self.check(files, "/z.so"), len(self.notes)), ([], 1))

    def test_siblings_musl_and_drivers(self):
        files = {"x.so": elf(["liby.so", "libcuda.so.1"]), "m.so": elf(["libc.musl-x86_64.so.1", "libz"])}
        self.assertEqual(self.check(files, "/x.so", siblings={"liby.so"}), [])
        self.assertEqual(len(self.check(files, "/x.so")), 1)
        self.assertEqual(self.check(files, "/m.so"), [])

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
        files = {"opt/d/libx.so.1": elf(soname="libx.so.1"), "opt/d/libr.so.1.2": elf(soname="libr.so.1"), "usr/lib/libx.so.1": elf(soname="libx.so.1"), "usr/lib/libn.so": b"GROUP ( x )"}
        root = Root({**self.on_disk(files), "etc": {"ld.so.conf.d": {"a.conf": b"# x\n/opt/d\n"}}})
        found = ld_cache.libraries(root, ld_cache.directories(root))
        self.assertEqual(found, {"libx.so.1": "/opt/d/libx.so.1", "libr.so.1": "/opt/d/libr.so.1.2"})

    def test_a_library_is_known_by_its_soname(self):
        files = {"libx.so.1.2": elf(soname="libx.so.1"), "libx.so.1": "libx.so.1.2", "libx.so": "libx.so.1.2", "liby.so": elf(soname="liby.so.3"), "libplugin.so": elf()}
        root = Root(self.on_disk({f"usr/lib/{name}": content for name, content in files.items()}))
        found = ld_cache.libraries(root, ["/usr/lib"])
        self.assertEqual(found, {name: f"/usr/lib/{path}" for name, path in {"libx.so.1": "libx.so.1", "libx.so": "libx.so", "liby.so.3": "liby.so", "libplugin.so": "libplugin.so"}.items()})
        self.assertEqual(sorted(ld_cache.loadable(root, found).keys() - found.keys()), ["libx.so.1.2", "liby.so"])


class Started(unittest.TestCase):
    def test_what_a_contract_starts_is_in_the_image(self):
        with tempfile.TemporaryDirectory() as scratch:
            for name, mode in (("runs", 0o555), ("text", 0o444)):
                with open(f"{scratch}/{name}", "w", encoding="utf-8"):
                    os.chmod(f"{scratch}/{name}", mode)
            runs, text = Stored(f"{scratch}/runs"), Stored(f"{scratch}/text")
            tree = {"app": {".venv": {"bin": {"lych": runs, "gone": "nowhere"}}}, "bin": "usr/bin", "usr": {"bin": {"sh": runs, "notes": text}, "lib": {}}, "etc": {"passwd": b""}}
            absent = lambda **starts: started.absent("localhost/x", Root(tree), starts, "/app/.venv/bin:/usr/bin", "/app")
            self.assertEqual(absent(command="lych", health="/bin/sh", migrate=".venv/bin/lych"), [])
            for program in ("granian", "gone", "notes", "/etc/passwd", "/usr/lib", "/bin/bash", "/bin/sh/", "bin/lych"):
                (message,) = absent(command=program)
                self.assertIn(f"the image localhost/x has no program `{program}`, which `command` of its contract starts (looked for: /", message)
            self.assertEqual([message.split("`")[3] for message in absent(migrate="b", health="a")], ["health", "migrate"])

    def test_what_debian_gives_the_images_user_is_its_own(self):
        modes = {"etc/postgresql": ["755", 428, 428], "etc/ssl/private": ["710", 0, 163], "run/x": ["750", 428, 163]}
        passwd, group = "root:x:0:0::/:/x\npostgres:x:428:428::/:/x\n", "root:x:0:\npostgres:x:428:\n"
        was = accounts.numbers(passwd, group, "postgres")
        self.assertEqual(accounts.renumbered(modes, was, 1001), {**modes, "etc/postgresql": ["755", 1001, 1001], "run/x": ["750", 1001, 163]})
        for other in (accounts.numbers(passwd, group, "lich"), accounts.numbers(None, None, "lich"), accounts.numbers(passwd, "shadow:x:163:\n", "shadow")):
            self.assertEqual(accounts.renumbered(modes, other, 1001), modes)
        written = accounts.accounts("redis", 1001, [], "root:x:0:0::/:/x\nredis:x:688:688::/var/lib/redis:/x\n", "root:x:0:\nredis:x:688:web\n")
        self.assertIn(b"redis:x:1001:1001:redis:/var/lib/redis:/bin/sh\n", written["/etc/passwd"])
        self.assertIn(b"redis:x:1001:web\n", written["/etc/group"])


if __name__ == "__main__":
    unittest.main()
