"""Node and the programs of packages, in a sandbox that has nothing but the store."""

import json
import os
import shutil
import subprocess
import sys

import programs
from wheel_archive import Refused


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
        line = programs.adapted_line(start, lambda name: program(name, toolchain))
        if line is not None:
            with open(path, "rb") as file:
                rest = file.read().partition(b"\n")[2]
            with open(path, "r+b") as file:
                file.write(line + rest)
                file.truncate()
    elif programs.wants_loader(path):
        programs.set_interpreter(path, loader(toolchain))


def loader(toolchain):
    """The loader among a toolchain's libraries."""
    return programs.loader([os.path.join(toolchain, "lib")])
