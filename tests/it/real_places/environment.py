"""Holds the environment of an image against the one that uv makes of the same wheels.

    environment.py IMAGE UV WHEEL...

IMAGE is where the image's /app lies; /app itself is empty and can be written to.
Prints {"compared": files, "different": [lines], "list": ..., "check": ...}.
"""

import filecmp
import json
import os
import re
import stat
import subprocess
import sys

IMAGE, UV, *WHEELS = sys.argv[1:]
HERE, THERE = "/app/.venv", f"{IMAGE}/.venv"
# What differs, and why.
EXPECTED = {
    r".*\.dist-info/INSTALLER": "names the installer",
    r".*\.dist-info/RECORD": "lists what the installer wrote: scripts, bytecode, INSTALLER",
    r".*\.dist-info/(direct_url\.json|uv_cache\.json|REQUESTED)": "uv notes that it was given a file",
    r"bin/activate.*|bin/deactivate\.bat|bin/pydoc\.bat|\.gitignore|\.lock|CACHEDIR\.TAG|lib/python3\.\d+/site-packages/_virtualenv\.(py|pth)": "of the shell and of uv, not of a package",
    r"pyvenv\.cfg": "names uv's version",
}


def uv(*arguments):
    environment = {**os.environ, "UV_NO_CACHE": "1", "UV_OFFLINE": "1", "HOME": "/tmp", "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run([UV, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"uv {arguments[:3]}: {done.stderr}")
    return done.stdout + done.stderr


def entry_points():
    """Scripts that an installer makes: names of bin/ by entry_points.txt."""
    names = set()
    site = [f"{HERE}/lib/{name}/site-packages" for name in os.listdir(f"{HERE}/lib")][0]
    for name in os.listdir(site):
        path = f"{site}/{name}/entry_points.txt"
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                section = None
                for line in file:
                    if line.startswith("["):
                        section = line.strip()
                    elif "=" in line and section in ("[console_scripts]", "[gui_scripts]"):
                        names.add(line.partition("=")[0].strip())
    return names


def named(path):
    """A wheel by its own name, which a store path has behind its hash."""
    if os.path.dirname(path) != "/mnt/nix/store":
        return path
    link = f"/tmp/wheels/{os.path.basename(path)[33:]}"
    os.makedirs(os.path.dirname(link), exist_ok=True)
    os.symlink(path, link)
    return link


uv("venv", "--quiet", "--python", f"/usr/bin/python3.{sys.version_info.minor}", HERE)
uv("pip", "install", "--quiet", "--python", f"{HERE}/bin/python", "--no-deps", "--no-index", "--link-mode", "copy", *map(named, WHEELS))
scripts, compared, different, expected = entry_points(), 0, [], {}
for directory, folders, files in os.walk(HERE):
    folders[:] = [name for name in folders if name != "__pycache__"]
    for name in files + [name for name in folders if os.path.islink(f"{directory}/{name}")]:
        here = f"{directory}/{name}"
        path = os.path.relpath(here, HERE)
        there = f"{THERE}/{path}"
        why = next((why for pattern, why in EXPECTED.items() if re.fullmatch(pattern, path)), None)
        if why:
            expected[why] = expected.get(why, 0) + 1
            continue
        compared += 1
        if not os.path.lexists(there):
            different.append(f"{path} is not there")
        elif stat.S_IFMT(os.lstat(here).st_mode) != stat.S_IFMT(os.lstat(there).st_mode):
            different.append(f"{path} is of another kind")
        elif os.path.islink(here):
            # both are the interpreter of the system; uv names it by another of its names
            if os.path.realpath(here) != os.path.realpath(there.replace(THERE, HERE)):
                different.append(f"{path} leads elsewhere")
        elif bool(os.lstat(here).st_mode & 0o100) != bool(os.lstat(there).st_mode & 0o100):
            different.append(f"{path} can be run in one of them")
        elif os.path.dirname(path) == "bin" and os.path.basename(path) in scripts:
            # the installer's own words: the interpreter and the function count
            texts = [open(one, encoding="utf-8").read() for one in (here, there)]
            told = [(text.partition("\n")[0], re.findall(r"^from (\S+) import (\S+)", text, re.M)) for text in texts]
            if told[0] != told[1]:
                different.append(f"{path} starts something else: {told}")
        elif not filecmp.cmp(here, there, shallow=False):
            different.append(f"{path} has other bytes")
extra = []
for directory, folders, files in os.walk(THERE):
    folders[:] = [name for name in folders if name != "__pycache__"]
    for name in files:
        path = os.path.relpath(f"{directory}/{name}", THERE)
        if not os.path.lexists(f"{HERE}/{path}"):
            extra.append(path)
print(json.dumps({"compared": compared, "different": different, "extra": extra, "expected": expected}))
