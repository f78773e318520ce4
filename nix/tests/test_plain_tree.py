"""Members that are no packages: how their trees are laid out, and where they lie in the
image. Run: python3 -m unittest discover -s nix/tests"""

import contextlib
import io
import json
import os
import struct
import subprocess
import sys
import tarfile

import test_root
from test_root import HERE, elf

sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "nixpkgs/root")]

import environment
import linked_image
import plain_tree
from collision import Decisions

PYC = f".{sys.implementation.cache_tag}.pyc"
PREFIX = "/app/.venv"
SITE = "lib/python3.13/site-packages"


class Case(test_root.Case):
    def written(self, name, files):
        """The path of a directory with these files; see `package`."""
        return self.package(name, files).path

    def json(self, name, value):
        path = os.path.join(self.store, name)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(value, file)
        return path

    def read(self, *path):
        with open(os.path.join(self.store, *path), "rb") as file:
            return file.read()


class LayingOut(Case):
    def laid_out(self, files, programs=(), patch=None):
        source, out = self.written("source", files), os.path.join(self.store, "out")
        for path in programs:
            os.chmod(f"{source}/{path}", 0o755)
        told = io.StringIO()
        with contextlib.redirect_stderr(told):
            found = plain_tree.lay_out(source, "/app", out, patch)
        return out, found, told.getvalue()

    def test_a_tree_is_what_it_was(self):
        out, found, _ = self.laid_out({"run": b"#!/bin/sh\n", "web/a.css": b"a", "web/b.css": "a.css", "also": "web"}, ["run"])
        self.assertEqual((self.read("out/run"), self.read("out/web/a.css")), (b"#!/bin/sh\n", b"a"))
        self.assertEqual((os.readlink(f"{out}/web/b.css"), os.readlink(f"{out}/also")), ("a.css", "web"))
        self.assertEqual([bool(os.stat(f"{out}/{path}").st_mode & 0o100) for path in ("run", "web/a.css")], [True, False])
        self.assertEqual((sorted(os.listdir(out)), sorted(os.listdir(f"{out}/web")), found), (["also", "run", "web"], ["a.css", "b.css"], []))

    def test_bytecode_names_the_image_and_none_is_taken_along(self):
        out, _, told = self.laid_out({"main.py": b"x = 1\n", "web/__init__.py": b"", "web/bad.py": b"x = (\n", f"__pycache__/main{PYC}": b"stranger"})
        code = self.read(f"out/__pycache__/main{PYC}")
        # checked, by the hash of the source: PEP 552
        self.assertEqual(struct.unpack_from("<L", code, 4)[0], 0b11)
        self.assertIn(b"/app/main.py", code)
        self.assertNotIn(self.store.encode(), code)
        self.assertEqual(os.listdir(f"{out}/web/__pycache__"), [f"__init__{PYC}"])
        self.assertIn("/app/web/bad.py: not compiled", told)

    def test_libraries_are_told_and_changed_where_asked(self):
        library = elf(["libx.so.1"])
        self.assertEqual(self.laid_out({"fast/x.so": library, "y.txt": b""})[1], ["fast/x.so"])
        self.assertEqual(self.read("out/fast/x.so"), library)
        os.rename(f"{self.store}/out", f"{self.store}/first")
        plain_tree.lay_out(f"{self.store}/source", "/app", f"{self.store}/out", lambda path, content: path.encode() + content)
        self.assertEqual(self.read("out/fast/x.so"), b"fast/x.so" + library)

    def test_the_builder_reads_its_spec(self):
        source = self.written("source", {"main.py": b"x = 1\n"})
        spec = self.json("spec", {"name": "flat", "source": source, "place": "/app/extensions/words"})
        variables = {"specPath": spec, "out": f"{self.store}/out", "meta": f"{self.store}/meta"}
        subprocess.run([sys.executable, "-B", os.path.join(os.path.dirname(HERE), "plain_tree.py")], env=variables, check=True)
        self.assertEqual(json.loads(self.read("meta")), {"name": "flat", "version": None, "scripts": {}, "elf": []})
        self.assertIn(b"/app/extensions/words/main.py", self.read(f"out/__pycache__/main{PYC}"))


class InTheImage(Case):
    def spec(self, *members):
        """members: (name, place, files)."""
        wheels = [
            {"name": name, "at": place, "path": self.written(name, files), "meta": self.json(f"{name}.json", {"elf": []}), "requested_by": [name]}
            for name, place, files in members
        ]
        return {
            "wheels": wheels,
            "trees": [place for _, place, _ in members if place != PREFIX],
            **{"prefix": PREFIX, "python": "3.13", "path": f"{PREFIX}/bin", "image": "localhost/x", "starts": {}, "entry": None},
            **{"user": {"name": "lich", "uid": 1001}, "directories": ["/home/lich"], "working_directory": "/app", "winners": {}, "missing_libraries": {}},
        }

    def image(self, *members):
        """(what root/image.py says, its plan, path of its root, path of each member)."""
        python = self.written("system", {"python": b""}) + "/python"
        account = {**{key: {} for key in ("modes", "hard_links", "left_out", "shared", "replaced")}, "notes": [], "waived": [], "decided": []}
        tree = {"usr": {"bin": {"python3.13": [python]}, "lib": {}}}
        files = {"tree": self.json("tree", tree), "loader": self.json("loader", {}), "account": self.json("account", account)}
        spec = {**self.spec(*members), **files}
        variables = {"specPath": self.json("spec", spec), "out": f"{self.store}/out", "plan": f"{self.store}/plan"}
        script = os.path.join(os.path.dirname(HERE), "root/image.py")
        done = subprocess.run([sys.executable, "-B", script], env=variables, check=False, capture_output=True, text=True)
        return done, [wheel["path"] for wheel in spec["wheels"]]

    CORE = ("flat", "/app", {"main.py": b"", "extensions/notes.txt": b"", "run": b""})
    WORDS = ("words", "/app/extensions/words", {"words.py": b""})
    WHEEL = ("idna", PREFIX, {f"{SITE}/idna/__init__.py": b""})

    def test_python_looks_into_their_places_in_order(self):
        done, _ = self.image(self.WHEEL, self.CORE, self.WORDS)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.read(f"out{PREFIX}/{SITE}/lychd-forge-sources.pth"), b"/app\n/app/extensions/words\n")

    def test_no_such_member_and_no_such_file(self):
        self.assertEqual(self.image(self.WHEEL)[0].returncode, 0)
        self.assertEqual(os.listdir(f"{self.store}/out{PREFIX}/{SITE}"), [])

    def test_nobody_may_write_to_them(self):
        _, (_, core, words) = self.image(self.WHEEL, self.CORE, self.WORDS)
        os.chmod(f"{core}/run", 0o755)
        layer = io.BytesIO()
        # the module runs when it is imported; its functions are wanted
        with open(os.path.join(os.path.dirname(HERE), "debian/stream.py"), encoding="utf-8") as file:
            stream = {"__name__": "stream"}
            exec(file.read().removesuffix("main()\n"), stream)
        contents = [{"path": core, "at": "/app"}, {"path": words, "at": "/app/extensions/words"}]
        stream["write_layer"](layer, contents, stream["Plan"](f"{self.store}/plan"), 1)
        layer.seek(0)
        with tarfile.open(fileobj=layer) as archive:
            modes = {header.name: f"{header.mode:o}" for header in archive}
        self.assertEqual(
            modes,
            {
                **{".": "755", "app": "555", "app/main.py": "444", "app/run": "555"},
                **{"app/extensions": "555", "app/extensions/notes.txt": "444", "app/extensions/words": "555", "app/extensions/words/words.py": "444"},
            },
        )

    def test_two_trees_with_one_file(self):
        core = ("flat", "/app", {"extensions/words/words.py": b"other"})
        done, _ = self.image(core, self.WORDS)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/app/extensions/words/words.py is provided twice: by tree flat (requested by flat) and by tree words (requested by words)", done.stderr)

    def test_a_tree_in_the_environment(self):
        wheel = ("idna", PREFIX, {"x": b"1"})
        done, _ = self.image(wheel, ("flat", "/app", {".venv/x": b"2"}))
        self.assertIn("/app/.venv/x is provided twice: by wheel idna (requested by idna) and by tree flat", done.stderr)
        done, _ = self.image(("other", "/app", {".venv/pyvenv.cfg": b""}))
        self.assertIn("/app/.venv/pyvenv.cfg belongs to the environment and is provided by tree other", done.stderr)

    def test_on_nixpkgs_they_are_links_at_the_same_places(self):
        spec = self.spec(self.WHEEL, self.CORE, self.WORDS, ("web", "/app/extensions/web", {"web/__init__.py": b"", "again": "web"}))
        tree = linked_image.application(spec, linked_image.installed(spec), Decisions((), PREFIX))
        idna, core, words, web = (wheel["path"] for wheel in spec["wheels"])
        app = tree["app"]
        self.assertEqual((app["main.py"], app["extensions"]["words"]["words.py"]), (f"{core}/main.py", f"{words}/words.py"))
        self.assertEqual(app["extensions"]["web"], {"web": f"{web}/web", "again": "web"})
        site = app[".venv"]["lib"]["python3.13"]["site-packages"]
        pth = environment.TREES
        self.assertEqual(site, {"idna": f"{idna}/{SITE}/idna", pth: b"/app\n/app/extensions/words\n/app/extensions/web\n"})
        self.assertEqual(app[".venv"]["bin"]["python"], "/usr/bin/python3.13")

    def test_on_nixpkgs_two_trees_with_one_file(self):
        spec = self.spec(("flat", "/app", {"extensions/words/words.py": b"other"}), self.WORDS)
        with self.assertRaisesRegex(SystemExit, "/app/extensions/words/words.py is provided twice: by tree flat .* and by tree words"):
            linked_image.application(spec, linked_image.installed(spec), Decisions((), PREFIX))


if __name__ == "__main__":
    test_root.unittest.main()
