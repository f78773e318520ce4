"""Node and npm for the sandbox, out of the packages that the forge pins.

Run by toolchain.nix in the hermetic Python; reads from $specPath

    {"node": {"archive", "kind": "wheel" or "npm", "root", "version"}, "npm": the same,
     "libraries": [trees]}

and writes bin/{node,npm,npx}, lib/node_modules/npm, and in lib the libraries
that Node and native packages are linked to, with their loader.
"""

import json
import os
import shutil
import subprocess
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]

import programs
import sandbox
from tarball import Tarball
from wheel_archive import Archive, Refused


def contents(tool):
    """Path below the tool's root -> bytes."""
    with open(tool["archive"], "rb") as file:
        data = file.read()
    if tool["kind"] == "wheel":
        archive = Archive(data)
        files = {name: (lambda entry=entry: archive.read(entry)) for name, entry in archive.files.items()}
        prefix = tool["root"]
    elif tool["kind"] == "npm":
        files = {name: (lambda file=file: file.content) for name, file in Tarball(data).files.items()}
        # the tarball's own top directory is gone already
        prefix = tool["root"].partition("/")[2]
    else:
        raise Refused(f"{tool['kind']!r} is no kind of a tool")
    prefix = prefix + "/" if prefix else ""
    return {name.removeprefix(prefix): read for name, read in files.items() if name.startswith(prefix)}


def write(path, content, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)


def main():
    with open(os.environ["specPath"], encoding="utf-8") as file:
        spec = json.load(file)
    out = os.environ["out"]
    os.makedirs(f"{out}/lib")
    for directory in programs.library_directories(spec["libraries"]):
        for name in sorted(os.listdir(directory)):
            at = f"{out}/lib/{name}"
            if ".so" in name and not os.path.lexists(at):
                os.symlink(os.path.join(directory, name), at)
    node = f"{out}/bin/node"
    try:
        write(node, contents(spec["node"])["bin/node"](), 0o755)
        programs.set_interpreter(node, sandbox.loader(out))
        for name, read in contents(spec["npm"]).items():
            write(f"{out}/lib/node_modules/npm/{name}", read())
    except (Refused, KeyError) as error:
        sys.exit(f"node {spec['node']['version']}: {error}")
    shell = shutil.which("sh")
    for name in ("npm", "npx"):
        cli = f"{out}/lib/node_modules/npm/bin/{name}-cli.js"
        write(f"{out}/bin/{name}", f'#!{shell}\nexec {node} {cli} "$@"\n'.encode(), 0o755)

    tools = sandbox.Tools(out)
    home = os.path.join(os.getcwd(), "home")
    for command, expected in (([node, "--version"], "v" + spec["node"]["version"]), ([f"{out}/bin/npm", "--version"], spec["npm"]["version"])):
        said = subprocess.run(command, env=tools.environment(home), stdout=subprocess.PIPE, check=True).stdout.decode().strip()
        if said != expected:
            sys.exit(f"{command[0]} says that it is {said!r}, not {expected!r}")


if __name__ == "__main__":
    main()
