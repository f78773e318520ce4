"""What makes an image's root out of packages of nixpkgs, and its wheels find one
another. Run: python3 -m unittest discover -s nix/tests"""

import os
import sys

import test_root
from test_root import HERE, elf

sys.path.insert(0, os.path.join(os.path.dirname(HERE), "nixpkgs/root"))

import store_root
from check_elf import Checker
from collision import Decisions
from elf import read_elf
from farm import Farm, reaches_out
from nixpkgs import FONTS, merged, own_files
from patch_elf import Patcher
from share import links
from store_root import StoreRoot as Root
from tree import put

PREFIX = "/app/.venv"
SITE = "lib/python3.13/site-packages"
RPATH = [f"{PREFIX}/lib", "/usr/lib"]


class Case(test_root.Case):
    def setUp(self):
        super().setUp()
        known = store_root.STORE
        store_root.STORE = self.store
        self.addCleanup(setattr, store_root, "STORE", known)

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

    def test_two_packages_with_one_file(self):
        one, two = self.package("one", {"a": b"1"}), self.package("two", {"a": b"2"})
        self.assertEqual(Farm([one, two], at="/app").errors, ["/app/a is provided twice: by package one (requested by core) and by package two (requested by core)"])
        farm = Farm([one, two], Decisions({"/app/a": "two"}), "/app")
        self.assertEqual((farm.errors, farm.tree()), ([], {"a": f"{two.path}/a"}))

    def test_two_packages_with_equal_files(self):
        self.merged(self.package("one", {"a": b"1"}), self.package("two", {"a": b"1"}))

    def test_a_file_where_another_has_a_directory(self):
        one, two = self.package("one", {"a": b""}), self.package("two", {"a/b": b""})
        self.assertEqual(len(Farm([one, two]).errors), 1)
        self.assertEqual(len(Farm([two, one]).errors), 1)

    def test_a_directory_is_opened_for_libraries_that_look_out_of_it(self):
        one = self.package("one", {"n/a/lib/x.so": elf(["liby.so"], runpath="$ORIGIN/../../b/lib"), "n/a/include/x.h": b""})
        two = self.package("two", {"n/b/lib/liby.so": elf()})
        farm = Farm([one, two])

        def errors():
            checker = Checker(Root(farm.tree()), {})
            checker.check("/n/a/lib/x.so", one)
            return len(checker.errors)

        self.assertEqual(errors(), 1)
        self.assertTrue(reaches_out(read_elf(f"{one.path}/n/a/lib/x.so"), "n/a/lib/x.so", lambda place: os.path.isdir(f"{one.path}/{place}")))
        farm.open_up("n/a/lib")
        self.assertEqual(errors(), 0)
        self.assertEqual(farm.tree()["n"]["a"], {"lib": {"x.so": f"{one.path}/n/a/lib/x.so"}, "include": f"{one.path}/n/a/include"})


class Layout(Case):
    def named(self, name, files):
        path = self.package(name, files).path
        return {"name": name, "paths": [path], "requested_by": ["core"]}, path

    def test_packages_meet_below_usr_and_etc_stays_at_the_root(self):
        one, first = self.named("one", {"bin/one": b"", "lib/libone.so.1": b"", "etc/one/conf": b"", "etc/one/more": "../../share/one/more", "share/one/more": b""})
        two, second = self.named("two", {"bin/two": b"", "lib/libtwo.so": "libtwo.so.2", "lib/libtwo.so.2": b"", "sbin": "bin", "lib64": "lib"})
        tree = merged([one, two])
        self.assertEqual(tree["usr"]["bin"], {"one": f"{first}/bin/one", "two": f"{second}/bin/two"})
        self.assertEqual(tree["usr"]["lib"]["libtwo.so"], "libtwo.so.2")
        self.assertEqual((tree["bin"], tree["lib"], tree["lib64"], tree["sbin"]), ("usr/bin", "usr/lib", "usr/lib64", "usr/sbin"))
        self.assertEqual((tree["usr"]["lib64"], tree["usr"]["sbin"]), ("lib", "bin"))
        root = Root(tree)
        self.assertEqual(root.real("/lib64/libtwo.so"), f"{second}/lib/libtwo.so.2")
        self.assertEqual(tree["etc"]["one"]["conf"], f"{first}/etc/one/conf")
        self.assertEqual(root.real("/etc/one/more"), f"{first}/share/one/more")
        self.assertEqual(tree["tmp"], {})

    def test_real_sbin_and_lib64_are_kept(self):
        one, first = self.named("one", {"sbin/tool": b"", "lib64/libx.so": b"", "bin/other": b""})
        tree = merged([one])
        self.assertEqual(Root(tree).real("/usr/sbin/tool"), f"{first}/sbin/tool")
        self.assertEqual(Root(tree).real("/lib64/libx.so"), f"{first}/lib64/libx.so")
        self.assertEqual(Root(tree).real("/bin/tool"), f"{first}/sbin/tool")

    def test_what_only_people_and_compilers_read_is_left_out(self):
        one, _ = self.named("one", {"nix-support/x": b"1", "include/x.h": b"1", "share/man/man1/x.1": b"1", "bin/x": b""})
        two, _ = self.named("two", {"nix-support/x": b"2", "include/x.h": b"2", "share/info/dir": b"2", "bin/y": b""})
        self.assertEqual(sorted(merged([one, two])["usr"]["bin"]), ["x", "y"])
        self.assertNotIn("include", merged([one, two])["usr"])

    def test_two_packages_with_one_program(self):
        one, _ = self.named("one", {"bin/x": b"1"})
        two, _ = self.named("two", {"bin/x": b"2"})
        with self.assertRaisesRegex(SystemExit, "/bin/x is provided twice: by package one .requested by core. and by package two"):
            merged([one, two])

    def test_generated_files(self):
        one, _ = self.named("one", {"etc/ssl/certs/ca-bundle.crt": b"certificates", "share/fonts/x.ttf": b"", "bin/bash": b""})
        tree = merged([one])
        made = own_files(Root(tree))
        self.assertEqual(made["/etc/ssl/certs/ca-certificates.crt"], "ca-bundle.crt")
        self.assertEqual(made["/etc/fonts/fonts.conf"], FONTS)
        self.assertEqual(made["/usr/bin/sh"], "bash")
        self.assertIn(b"hosts: files dns", made["/etc/nsswitch.conf"])
        self.assertNotIn("/etc/ld.so.conf", made)


class Sharing(Case):
    def links(self, *wheels):
        """wheels: (name, {path in site-packages: bytes})."""
        tree, told = {"usr": {"lib": {}}}, []
        for name, files in wheels:
            package = self.package(name, {f"{SITE}/{path}": content for path, content in files.items()}, at=PREFIX.strip("/"))
            for path in files:
                put(tree, f"{PREFIX}/{SITE}/{path}", f"{package.path}/{SITE}/{path}")
            told.append((package, {"elf": [f"{SITE}/{path}" for path in files]}))
        return links(PREFIX, told, Checker(Root(tree), {"libc.so.6": "/usr/lib/libc.so.6"}))

    def test_a_library_of_another_wheel_and_what_it_needs_itself(self):
        own = ":".join(["$ORIGIN", *RPATH])
        shared, notes = self.links(
            ("torch", {"torch/_C.so": elf(["libcublas.so.12", "libc.so.6", "libown.so"], rpath=own), "torch/libown.so": elf()}),
            ("cublas", {"nvidia/cublas/lib/libcublas.so.12": elf(["libcublasLt.so.12"], rpath=own), "nvidia/cublas/lib/libcublasLt.so.12": elf(["libcuda.so.1"])}),
        )
        place = f"{PREFIX}/{SITE}/nvidia/cublas/lib"
        # reached by a link, the first looks for the second beside the link
        self.assertEqual(shared, {"libcublas.so.12": f"{place}/libcublas.so.12", "libcublasLt.so.12": f"{place}/libcublasLt.so.12"})
        self.assertEqual(notes, [])

    def test_a_library_is_known_by_its_soname_too(self):
        shared, _ = self.links(("a", {"a.so": elf(["libx.so.1"])}), ("b", {"b/libx-1.2.so": elf(soname="libx.so.1")}))
        self.assertEqual(shared, {"libx.so.1": f"{PREFIX}/{SITE}/b/libx-1.2.so"})

    def test_of_two_wheels_that_bring_it_the_first_is_taken_and_told(self):
        shared, notes = self.links(
            ("user", {"u.so": elf(["libomp.so"])}), ("zeta", {"z/libomp.so": elf()}), ("alpha", {"a/libomp.so": elf()})
        )
        self.assertEqual(shared, {"libomp.so": f"{PREFIX}/{SITE}/a/libomp.so"})
        self.assertEqual(len(notes), 1)
        self.assertIn("package alpha's is taken", notes[0])

    def test_what_is_nowhere_is_left_to_the_check(self):
        self.assertEqual(self.links(("a", {"a.so": elf(["libgone.so"])})), ({}, []))


class Patching(Case):
    """A program stands for patchelf: it writes its arguments over the file."""

    def patcher(self, script="import sys; open(sys.argv[-1], 'w').write(' '.join(sys.argv[1:-1]))"):
        path = os.path.join(self.store, "patchelf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!{sys.executable}\n{script}\n")
        os.chmod(path, 0o700)
        here = os.getcwd()
        os.chdir(self.store)
        self.addCleanup(os.chdir, here)
        return Patcher(path, RPATH)

    def test_what_a_file_says_itself_comes_first(self):
        patch = self.patcher()
        for keyword in ("rpath", "runpath"):
            patched = patch("x.so", elf(["liby.so"], **{keyword: "$ORIGIN/../x.libs:/usr/lib"}))
            self.assertEqual(patched, b"--force-rpath --set-rpath $ORIGIN/../x.libs:/usr/lib:/app/.venv/lib")
        self.assertEqual(patch("x.so", elf(["liby.so"])), b"--force-rpath --set-rpath /app/.venv/lib:/usr/lib")
        self.assertEqual(os.listdir(self.store), ["patchelf"], "nothing is left behind")

    def test_what_looks_for_nothing_stays_as_it_is(self):
        patch = self.patcher()
        for content in (elf(), elf(["libc.musl-x86_64.so.1"]), elf(["liby.so"], machine=243), b"\x7fELF and no more"):
            self.assertEqual(patch("x.so", content), content)

    def test_a_file_that_cannot_be_patched_is_named(self):
        patch = self.patcher("import sys; sys.exit('no room')")
        with self.assertRaisesRegex(SystemExit, "^dir/x.so: patchelf: no room$"):
            patch("dir/x.so", elf(["liby.so"]))


if __name__ == "__main__":
    test_root.unittest.main()
