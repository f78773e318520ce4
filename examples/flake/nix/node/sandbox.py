"""Node and the programs of packages, in a sandbox that has nothing but the store.

A script whose first line asks /usr/bin/env, or a shell at its usual place, gets
the program of the store; a dynamic program gets the store's loader. Libraries
are found by LD_LIBRARY_PATH, which children inherit.
"""

import json
import os
import re
import shutil
import subprocess
import sys

from wheel_archive import Refused

HASH_BANG = re.compile(rb"#![ \t]*(/[^ \t\r\n]+)(?:[ \t]+(?:-S[ \t]+)?([^ \t\r\n]+))?([^\r\n]*)\r?\n")
# What the kernel reads of a first line.
LONGEST = 255
ELF, INTERPRETER = b"\x7fELF\x02\x01", 3


class Tools:
    """A toolchain of toolchain.py: Node, npm and the libraries."""

    def __init__(self, directory):
        self.directory = directory
        self.node = os.path.join(directory, "bin/node")
        self.npm = os.path.join(directory, "lib/node_modules/npm/bin/npm-cli.js")

    def environment(self, home):
        """Of every script: nothing of a user, no network to try, no colours."""
        return {
            "HOME": home,
            "TMPDIR": os.environ.get("TMPDIR", home),
            "PATH": os.pathsep.join([os.path.join(self.directory, "bin"), os.environ["PATH"]]),
            "LD_LIBRARY_PATH": os.path.join(self.directory, "lib"),
            "TZ": "UTC",
            "LC_ALL": "C.UTF-8",
            "SOURCE_DATE_EPOCH": os.environ["SOURCE_DATE_EPOCH"],
            "CI": "1",
            "NODE_ENV": "production",
            "NO_COLOR": "1",
            "DISABLE_OPENCOLLECTIVE": "1",
            "ADBLOCK": "1",
            "NEXT_TELEMETRY_DISABLED": "1",
            "ASTRO_TELEMETRY_DISABLED": "1",
            "DO_NOT_TRACK": "1",
            "npm_config_offline": "true",
            "npm_config_update_notifier": "false",
            "npm_config_fund": "false",
            "npm_config_audit": "false",
            "npm_config_logs_max": "0",
            "npm_config_loglevel": "error",
            "npm_config_cache": os.path.join(home, "npm"),
            "npm_config_userconfig": os.path.join(home, "npmrc"),
            "npm_config_globalconfig": os.path.join(home, "global-npmrc"),
            "npm_config_script_shell": program("sh", self.directory),
        }

    def run(self, directory, script, home, *options):
        """`npm run`; the exit code. What it says goes where the builder's own words go."""
        os.makedirs(home, exist_ok=True)
        arguments = [self.node, self.npm, "run", script, *options]
        sys.stdout.flush()
        return subprocess.run(arguments, cwd=directory, env=self.environment(home), stdin=subprocess.DEVNULL, check=False).returncode

    def install_script(self, directory, package, event):
        with open(os.path.join(directory, "package.json"), "rb") as file:
            known = json.load(file).get("scripts", {})
        if event not in known:
            return
        label = f"{package['name']}@{package['version']}"
        code = self.run(directory, event, os.path.join(os.getcwd(), "home"), "--ignore-scripts")
        if code:
            raise Refused(f"{label}: its script `{event}` ended with exit code {code}")


def program(name, toolchain):
    """The path of a program of the toolchain or of the builder, or None."""
    return shutil.which(name, path=os.pathsep.join([os.path.join(toolchain, "bin"), os.environ["PATH"]]))


def adapt(root, toolchain):
    """Makes the programs below root start with what the toolchain has."""
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            if not os.path.islink(path) and os.stat(path).st_mode & 0o100:
                adapt_file(path, toolchain)


def adapt_file(path, toolchain):
    with open(path, "rb") as file:
        start = file.read(4096)
    if start.startswith(b"#!"):
        line = adapted_line(start, toolchain)
        if line is not None:
            with open(path, "rb") as file:
                rest = file.read().partition(b"\n")[2]
            with open(path, "r+b") as file:
                file.write(line + rest)
                file.truncate()
    elif start.startswith(ELF):
        set_interpreter(path, loader(toolchain))


def adapted_line(start, toolchain):
    """A first line that names a program of the store, or None."""
    match = HASH_BANG.match(start)
    if not match or match[1].startswith(b"/nix/"):
        return None
    interpreter, first, rest = match[1], match[2], match[3]
    wanted = first if os.path.basename(interpreter) == b"env" else interpreter
    if wanted is None or b"=" in wanted:
        return None
    name = os.path.basename(wanted).decode(errors="replace")
    # busybox's shell is the only one here
    found = program("sh" if name == "bash" else name, toolchain)
    if found is None:
        return None
    words = rest if wanted is first else b" ".join(filter(None, [first, rest.strip()]))
    line = b"#!" + found.encode() + (b" " + words.strip() if words.strip() else b"") + b"\n"
    return line if len(line) <= LONGEST else None


def loader(toolchain):
    """The loader among a toolchain's libraries."""
    libraries = os.path.join(toolchain, "lib")
    found = sorted(name for name in os.listdir(libraries) if name.startswith("ld-linux"))
    if not found:
        raise Refused("the toolchain has no loader")
    return os.path.join(libraries, found[0])


def set_interpreter(path, loader):
    """Gives a dynamic ELF program the store's loader: its name goes behind the
    file's end, and the header that names the interpreter points there."""
    with open(path, "r+b") as file:
        header = file.read(64)
        table, size, count = int.from_bytes(header[32:40], "little"), int.from_bytes(header[54:56], "little"), int.from_bytes(header[56:58], "little")
        if size != 56:
            return
        for index in range(count):
            file.seek(table + index * size)
            entry = file.read(size)
            if len(entry) == size and int.from_bytes(entry[:4], "little") == INTERPRETER:
                file.seek(int.from_bytes(entry[8:16], "little"))
                known = file.read(int.from_bytes(entry[32:40], "little"))
                if known.startswith(b"/nix/") or b"ld-linux" not in known:
                    return
                name = loader.encode() + b"\0"
                at = file.seek(0, os.SEEK_END)
                file.write(name)
                # the address stays: only libc's own list of names looks there
                file.seek(table + index * size + 8)
                file.write(at.to_bytes(8, "little"))
                file.seek(table + index * size + 32)
                file.write(len(name).to_bytes(8, "little"))
                return
