"""Caches that triggers keep up to date: made by the packages' own programs,
started through the image's loader in a root on disk. Each runs only when its
program and something for it are in the image."""

import os
import shutil
import subprocess

from tree import Stored

LIBRARIES = "usr/lib/x86_64-linux-gnu"


def place(path, node):
    """Writes a file (bytes, or one that is copied), a link (str) or an empty directory."""
    os.makedirs(path if isinstance(node, dict) else os.path.dirname(path), exist_ok=True)
    if isinstance(node, dict):
        return
    if os.path.lexists(path):
        os.unlink(path)
    if isinstance(node, str):
        os.symlink(node, path)
    elif isinstance(node, Stored):
        shutil.copy(node.path, path)
    else:
        with open(path, "wb") as file:
            file.write(node)


def collect(made, out):
    """Copies the regular files below `made` to `out`: all else there is links, so
    they are what the programs wrote."""
    for directory, _, files in os.walk(made):
        for name in files:
            path = os.path.join(directory, name)
            target = out + path[len(made) :]
            if not os.path.islink(path) and not os.path.lexists(target):
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(path, target)


class Programs:
    """Starts programs of the root at `made`."""

    def __init__(self, made):
        self.made = made
        self.loader = next(path for path in (f"{made}/{LIBRARIES}/ld-linux-x86-64.so.2", f"{made}/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2") if os.path.exists(path))

    def has(self, path):
        return os.path.exists(f"{self.made}/{path}")

    def run(self, program, *arguments, **environment):
        """The program's stdout; a failure ends the build."""
        path = [f"{self.made}/{LIBRARIES}", f"{self.made}/lib/x86_64-linux-gnu", f"{self.made}/usr/lib"]
        command = [self.loader, "--library-path", ":".join(path), f"{self.made}/{program}", *arguments]
        environment = {"LC_ALL": "C", "HOME": "/nonexistent", "SOURCE_DATE_EPOCH": os.environ["SOURCE_DATE_EPOCH"], "PATH": os.environ["PATH"], **environment}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
        if done.returncode:
            raise SystemExit(f"/{program} failed with status {done.returncode}")
        return done.stdout

    def files(self, folder, suffix):
        folder = f"{self.made}/{folder}"
        return sorted(f"{folder}/{name}" for name in os.listdir(folder) if name.endswith(suffix)) if os.path.isdir(folder) else []


def fontconfig(programs, note):
    if programs.has("usr/bin/fc-cache") and programs.has("usr/share/fonts"):
        # A cache holds the time of its directory and is thrown away if the image
        # has another: the one that every file of a layer has.
        epoch = int(os.environ["SOURCE_DATE_EPOCH"])
        for directory, _, _ in os.walk(f"{programs.made}/usr/share/fonts"):
            os.utime(directory, (epoch, epoch))
        programs.run("usr/bin/fc-cache", "--sysroot", programs.made, "--system-only", "--force")
        # a note of when it ran, which nothing reads
        folder = f"{programs.made}/var/cache/fontconfig"
        if os.path.exists(f"{folder}/CACHEDIR.TAG"):
            os.unlink(f"{folder}/CACHEDIR.TAG")


def mime(programs, note):
    if programs.has("usr/bin/update-mime-database") and programs.has("usr/share/mime/packages"):
        programs.run("usr/bin/update-mime-database", f"{programs.made}/usr/share/mime", PKGSYSTEM_ENABLE_FSYNC="0", XDG_DATA_DIRS=f"{programs.made}/usr/share")


def pixbuf(programs, note):
    base = f"{LIBRARIES}/gdk-pixbuf-2.0"
    program = f"{base}/gdk-pixbuf-query-loaders"
    if programs.has(program):
        loaders = programs.files(f"{base}/2.10.0/loaders", ".so")
        text = programs.run(program, *loaders).decode().replace(programs.made, "")
        place(f"{programs.made}/{base}/2.10.0/loaders.cache", text.encode())


def glib_modules(programs, note):
    program, folder = f"{LIBRARIES}/glib-2.0/gio-querymodules", f"{LIBRARIES}/gio/modules"
    if programs.has(program) and programs.files(folder, ".so"):
        programs.run(program, f"{programs.made}/{folder}")


def glib_schemas(programs, note):
    program, folder = f"{LIBRARIES}/glib-2.0/glib-compile-schemas", "usr/share/glib-2.0/schemas"
    if programs.has(program) and programs.files(folder, ".xml"):
        programs.run(program, f"{programs.made}/{folder}")


def run_all(made, note):
    programs = Programs(made)
    for make in (fontconfig, mime, pixbuf, glib_modules, glib_schemas):
        make(programs, note)
