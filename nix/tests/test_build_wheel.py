"""The build environment of build_environment.py and what starts in it; what
build_wheel.py does to a source and puts back; what call_backend.py asks."""

import io
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
NIX = os.path.dirname(HERE)
sys.path[:0] = [NIX, HERE]
sys.dont_write_bytecode = True

import build_environment
import build_wheel
import install_wheel
import programs
from test_install_wheel import INFO, METADATA, WHEEL, record_of, wheel
from wheel_archive import Refused

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
SITE = f"lib/python{VERSION}/site-packages"
PYTHON = {
    "program": os.path.realpath(sys.executable),
    "loader": "/lib64/ld-linux-x86-64.so.2",
    "libraries": [],
    "version": VERSION,
}


def content(path):
    with open(path, "rb") as file:
        return file.read()


def program():
    """Some program that is linked against a C library."""
    return content(shutil.which("true"))


class Case(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = scratch.name
        self.enterContext(mock.patch.dict(os.environ))

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def write(self, path, data, mode=0o644):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), "wb") as file:
            file.write(data)
        os.chmod(self.path(path), mode)
        return self.path(path)

    def installed(self, place, files, **more):
        """An installed wheel, as install_wheel.py leaves it."""
        meta = install_wheel.install(wheel(files, **more), "demo", "1.0", VERSION, "/app/.venv", self.path(place))
        return {"out": self.path(place), "meta": self.write(f"{place}.json", json.dumps(meta).encode())}

    def make(self, *wheels, **more):
        spec = {"wheels": list(wheels), "libraries": ["/"], "python": PYTHON, **more}
        build_environment.make(self.path("environment"), spec)
        return spec


class Environment(Case):
    def test_it_is_a_virtual_environment(self):
        headers = os.path.dirname(self.write(f"headers/python{VERSION}/Python.h", b""))
        self.make(self.installed("one", {"demo/data": b"x"}), headers=os.path.dirname(headers))
        script = (
            "import json, shutil, sys, sysconfig, demo\n"
            "print(json.dumps([sys.prefix, sys.executable, sysconfig.get_path('scripts'), sysconfig.get_path('purelib'),\n"
            "    sysconfig.get_path('include'), demo.__file__, shutil.which('python3')]))"
        )
        said = subprocess.run(["python", "-c", script], cwd=self.root, stdout=subprocess.PIPE, check=True).stdout
        place = self.path("environment")
        self.assertEqual(json.loads(said), [
            place, f"{place}/bin/python", f"{place}/bin", f"{place}/{SITE}", f"{place}/base/include/python{VERSION}",
            f"{place}/{SITE}/demo/__init__.py", f"{place}/bin/python3",
        ])
        self.assertTrue(os.path.isfile(f"{place}/base/include/python{VERSION}/Python.h"))

    def test_scripts_of_its_wheels_are_on_the_path_and_start(self):
        self.make(self.installed("one", {
            "demo/__init__.py": b"def main():\n    print('console')\n",
            "demo-1.0.data/scripts/by-env": b"#!/usr/bin/env python3\nimport demo\ndemo.main()\n",
            "demo-1.0.data/scripts/by-name": b"#!python\nimport demo\ndemo.main()\n",
            "demo-1.0.data/scripts/shell": b"#!/bin/bash -e\necho shell\n",
            "demo-1.0.data/scripts/other": b"#!/no/such/interpreter\n",
            "demo-1.0.data/scripts/python": b"#!/bin/sh\necho not Python\n",
        }, entry_points=b"[console_scripts]\ncommand = demo:main\n"))
        for command, wanted in (("command", "console"), ("by-env", "console"), ("by-name", "console"), ("shell", "shell")):
            said = subprocess.run([command], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
            self.assertEqual(said, wanted, command)
        self.assertTrue(os.path.islink(self.path("environment/bin/other")), "nothing that it could be changed to")
        self.assertNotIn(b"not Python", content(self.path("environment/bin/python")))

    def test_programs_start_with_the_loader_that_is_there_and_find_what_lies_beside_them(self):
        self.make(self.installed("one", {
            "demo/bin/true": program(), "demo/share/data": b"x", "demo-1.0.data/scripts/deep": program(),
            "demo/library.so": b"\x7fELF\x02\x01 and no header",
        }))
        loader = programs.loader(programs.library_directories(["/"]))
        for path in (f"{SITE}/demo/bin/true", "bin/deep"):
            place = self.path("environment", path)
            with open(place, "rb") as file:
                self.assertEqual(programs.interpreter(file)[2], loader.encode() + b"\0")
            self.assertEqual(os.path.realpath(place), os.path.realpath(self.path("environment")) + f"/{path}")
        subprocess.run(["deep"], check=True)
        subprocess.run([self.path("environment", SITE, "demo/bin/true")], check=True)
        self.assertEqual(content(self.path("environment", SITE, "demo/bin/../share/data")), b"x")
        self.assertTrue(os.path.islink(self.path("environment", SITE, "demo/library.so")))
        self.assertEqual(content(self.path("one", SITE, "demo/bin/true")), program(), "the wheel itself stays as it is")
        self.assertIn(os.path.dirname(loader), os.environ["LD_LIBRARY_PATH"].split(":"))

    def test_of_two_files_at_one_place_the_first_stays(self):
        self.make(self.installed("one", {"demo/x": b"1"}), self.installed("two", {"demo/x": b"2", "demo/y": b"2"}))
        self.assertEqual([content(self.path("environment", SITE, "demo", name)) for name in "xy"], [b"1", b"2"])

    def test_a_file_and_a_directory_at_one_place_are_refused(self):
        wheels = [self.installed("one", {"demo/x": b""}), self.installed("two", {"demo/x/y": b""})]
        with self.assertRaisesRegex(Refused, "demo/x is a file of one build requirement and a directory of another"):
            self.make(*wheels)

    def test_without_a_loader_among_the_libraries_it_is_refused(self):
        with self.assertRaisesRegex(Refused, "no loader"):
            self.make(self.installed("one", {}), libraries=[self.root])


class Programs(Case):
    def test_headers_that_lie_are_no_programs(self):
        good = program()
        table, header = struct.unpack_from("<Q", good, 32)[0], programs.interpreter(io.BytesIO(good))[0]
        most = (1 << 64) - 1
        for at, layout, value in ((32, "<Q", most), (54, "<H", 57), (56, "<H", 0), (header, "<I", 1), (header + 8, "<Q", most), (header + 32, "<Q", 0)):
            broken = bytearray(good)
            struct.pack_into(layout, broken, at, value)
            path = self.write("broken", bytes(broken))
            self.assertFalse(programs.wants_loader(path), at)
            programs.set_interpreter(path, "/no/such/loader")
            self.assertEqual(content(path), bytes(broken))
        for short in (b"", b"\x7fELF\x02\x01", good[:63], good[:table]):
            self.assertFalse(programs.wants_loader(self.write("short", short)))

    def test_a_loader_of_the_store_becomes_the_usual_one(self):
        path = self.write("program", program(), 0o755)
        programs.set_interpreter(path, "/nix/store/00000000000000000000000000000000-libc/lib/ld-linux-x86-64.so.2")
        self.assertFalse(programs.wants_loader(path))
        usual = self.write("usual", programs.with_usual_loader(content(path)), 0o755)
        with open(usual, "rb") as file:
            self.assertEqual(programs.interpreter(file)[2].rstrip(b"\0"), programs.USUAL_LOADER)
        subprocess.run([usual], check=True)
        for other in (program(), b"", b"\x7fELF\x02\x01", b"/nix/store/x/ld-linux"):
            self.assertIsNone(programs.with_usual_loader(other))

    def test_a_shell_is_replaced_where_it_is_all_that_is_said(self):
        before = b"x\0/bin/sh\0/bin/sh\0#!/bin/sh\0/bin/shell\0/bin/sh"
        path = self.write("program", before)
        programs.set_shell(path, "/tmp/sh")
        self.assertEqual(content(path), b"x\0/tmp/sh\0/tmp/sh\0#!/bin/sh\0/bin/shell\0/bin/sh")
        with self.assertRaises(ValueError):
            programs.set_shell(path, "/tmp/other")


class PutBack(Case):
    def test_scripts_and_programs_leave_a_build_as_they_came(self):
        script = self.write("source/demo/run.sh", b"#!/bin/sh -e\necho x\n", 0o755)
        data = self.write("source/demo/data.sh", b"#!/bin/sh\n", 0o644)
        originals = build_wheel.name_shell(self.path("source"), "/nix/store/x/bin/sh")
        self.assertEqual(content(script), b"#!/nix/store/x/bin/sh\necho x\n")
        self.assertEqual(content(data), b"#!/bin/sh\n")
        made = self.write("made", program(), 0o755)
        programs.set_interpreter(made, "/nix/store/x/lib/ld-linux-x86-64.so.2")
        path = self.write("demo.whl", wheel({"demo/run.sh": content(script), "demo/made": content(made), "demo/data": b"x"}))
        build_wheel.put_back(path, originals)
        with zipfile.ZipFile(path) as archive:
            self.assertEqual(archive.read("demo/run.sh"), b"#!/bin/sh -e\necho x\n")
            self.assertNotIn(b"/nix/store/x/lib/ld-linux", archive.read("demo/made")[: len(program())])
            self.assertEqual(programs.interpreter(io.BytesIO(archive.read("demo/made")))[2].rstrip(b"\0"), programs.USUAL_LOADER)
        # Its RECORD is true, or this would refuse it.
        install_wheel.install(content(path), "demo", "1.0", VERSION, "/app/.venv", self.path("out"))

    def test_a_wheel_without_them_stays_as_it_is(self):
        path = self.write("demo.whl", wheel({"demo/true": program(), "demo/run.sh": b"#!/bin/sh\n"}))
        before = content(path)
        build_wheel.put_back(path, {b"#!/nix/store/x\n": b"#!/bin/sh\n"})
        self.assertEqual(content(path), before)


BACKEND = """
import os, subprocess, sys, zipfile

def get_requires_for_build_wheel(settings=None):
    return {wants!r}

def build_wheel(directory, settings=None, metadata=None):
    assert os.path.isfile("pyproject.toml"), os.getcwd()
    said = subprocess.run(["command"], stdout=subprocess.PIPE, check=True).stdout
    with zipfile.ZipFile(os.path.join(directory, "{made}"), "w") as wheel:
        wheel.writestr("said", said)
    return "demo-1.0-py3-none-any.whl"
"""


class Built(Case):
    def build(self, wants=(), made="demo-1.0-py3-none-any.whl", path="backends", backend=BACKEND):
        self.write("tree/pyproject.toml", b"")
        self.write("tree/backends/own.py", backend.format(wants=list(wants), made=made).encode())
        tool = self.installed("one", {"demo/__init__.py": b"def main():\n    print('console')\n"}, entry_points=b"[console_scripts]\ncommand = demo:main\n")
        spec = {
            "name": "a", "source": self.path("tree"), "backend": {"object": "own", "path": [path]},
            "environment": {"wheels": [tool], "libraries": ["/"], "python": PYTHON}, "requested_by": [],
        }
        os.mkdir(self.path("work"))
        environment = {"PATH": os.environ["PATH"], "specPath": self.write("spec.json", json.dumps(spec).encode()), "out": self.path("out")}
        return subprocess.run(
            [sys.executable, "-B", os.path.join(NIX, "build_wheel.py")], cwd=self.path("work"), env=environment, stderr=subprocess.PIPE, check=False
        )

    def test_a_backend_builds_with_the_commands_of_its_requirements(self):
        done = self.build(wants=["demo>=1"])
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        with zipfile.ZipFile(self.path("out/demo-1.0-py3-none-any.whl")) as archive:
            self.assertEqual(archive.read("said"), b"console\n")

    def test_what_it_wants_besides_is_told_and_not_tried(self):
        done = self.build(wants=["demo", "ninja>=1.5"])
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"a: its backend also wants ninja>=1.5: add that to [build-system] requires", done.stderr)
        self.assertEqual(os.listdir(self.path("out")), [])

    def test_another_file_than_it_promises_is_refused(self):
        done = self.build(made="other.whl")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"the backend promised demo-1.0-py3-none-any.whl and left ['other.whl']", done.stderr)

    def test_a_backend_that_leaves_is_no_success(self):
        done = self.build(backend="raise SystemExit(0)")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"a: the backend ended without a wheel", done.stderr)

    def test_a_backend_outside_the_tree_is_refused(self):
        done = self.build(path="../elsewhere")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"backend-path leaves the source tree", done.stderr)


if __name__ == "__main__":
    unittest.main()
