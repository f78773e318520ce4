"""Builds one member's front end, in $out.

Run by asset.nix in the hermetic Python; reads from $specPath

    {"id", "root", "directory", "script", "output", "modules", "toolchain",
     "trees": [{"root", "path"}]}

The workspace is laid out afresh: the trees, each at its root, and node_modules
as a copy, because bundlers follow links and would leave store paths in what
they write, and some write below node_modules.
"""

import json
import os
import shutil
import stat
import subprocess
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]

import sandbox
import tailwind
from wheel_archive import Refused, safe_parts


def copy(source, target):
    """A copy that can be written to. busybox's cp is faster than Python."""
    os.makedirs(target, exist_ok=True)
    subprocess.run(["cp", "-R", f"{source}/.", target], check=True)
    subprocess.run(["chmod", "-R", "u+w", target], check=True)


def checked_files(directory):
    """Every regular file below directory, by path; anything else is refused."""
    found = []
    for entry in sorted(os.scandir(directory), key=lambda entry: entry.name):
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            found += [f"{entry.name}/{path}" for path in checked_files(entry.path)]
        elif stat.S_ISREG(mode):
            safe_parts(entry.name)
            found.append(entry.name)
        else:
            raise Refused(f"it left {entry.path!r}, which is no regular file")
    return found


def packages(modules):
    """Names of the packages right below a node_modules."""
    for name in sorted(os.listdir(modules)):
        if name.startswith("@"):
            yield from (f"{name}/{inner}" for inner in sorted(os.listdir(os.path.join(modules, name))))
        elif not name.startswith("."):
            yield name


def link_hoisted(directory, workspace):
    """Puts links to the workspace's packages beside a front end's package.json: some scripts look for them there,
    where they are when the front end is installed alone."""
    own, shared = (os.path.join(above, "node_modules") for above in (directory, workspace))
    if directory == workspace or not os.path.isdir(shared):
        return
    for name in packages(shared):
        link = os.path.join(own, name)
        itself = os.path.realpath(os.path.join(shared, name)) == os.path.realpath(directory)
        if not itself and not os.path.lexists(link):
            os.makedirs(os.path.dirname(link), exist_ok=True)
            os.symlink(os.path.relpath(os.path.join(shared, name), os.path.dirname(link)), link)


def build(spec, workspace, out):
    copy(spec["modules"], workspace)
    for tree in spec["trees"]:
        copy(tree["path"], os.path.join(workspace, tree["root"]))
    directory = os.path.normpath(os.path.join(workspace, spec["directory"]))
    link_hoisted(directory, workspace)
    try:
        with open(os.path.join(directory, "package.json"), "rb") as file:
            scripts = json.load(file).get("scripts", {})
    except (OSError, ValueError) as error:
        raise Refused(f"its package.json cannot be read: {error}") from None
    if spec["script"] not in scripts:
        known = ", ".join(f"`{name}`" for name in sorted(scripts)) or "none"
        raise Refused(f"package.json has no script `{spec['script']}`; it has {known}")
    tailwind.write(directory, workspace, [tree["root"] for tree in spec["trees"]])

    tools = sandbox.Tools(spec["toolchain"])
    code = tools.run(directory, spec["script"], os.path.join(os.path.dirname(workspace), "home"))
    if code:
        # the last words of a failed build are those that a person sees
        raise Refused(f"its script `{spec['script']}` ({scripts[spec['script']]}) ended with exit code {code}; what it said is above")
    output = os.path.join(workspace, spec["root"], spec["output"])
    if os.path.islink(output) or not os.path.isdir(output):
        raise Refused(f"the script `{spec['script']}` left no directory `{spec['output']}`, which `output` of [tool.lychd.assets] promises (it is below the member's root, not below `source`)")
    files = checked_files(output)
    if not files:
        raise Refused(f"the script `{spec['script']}` left nothing in `{spec['output']}`")
    for path in files:
        target = os.path.join(out, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(os.path.join(output, path), target)


def main():
    with open(os.environ["specPath"], encoding="utf-8") as file:
        spec = json.load(file)
    try:
        build(spec, os.path.join(os.getcwd(), "work"), os.environ["out"])
    except Refused as error:
        sys.exit(f"the front end of `{spec['id']}` was not built: {error}")


if __name__ == "__main__":
    main()
