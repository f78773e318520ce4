"""A PEP 517 build environment as a front end makes one: a virtual environment.

    bin/python                     the substrate's Python, which takes this for its prefix
    bin                            the scripts and programs of its wheels, ready to start
    lib/python3.x/site-packages    what its wheels are, each file a link

Scripts of the wheels name the image's Python, and programs the loader of a
system; both are not here. So these alone are copied and changed (programs.py),
also those deep inside a package: what looks for its data beside its own real
path, as cmake does, finds the links there.
"""

import json
import os
import shutil

import programs
from wheel_archive import Refused

# As long as /bin/sh, which programs have written in them.
SHELL = "/tmp/sh"


def make(directory, spec):
    """Makes it at `directory`, an absolute path, and puts it before what this
    process has on its search paths. Of the spec of build_wheel.py:

        {"wheels": [{"out", "meta"}], "libraries": [trees],
         "python": {"program", "loader" or null, "libraries": [directories], "version"},
         "headers": directory, where something is compiled}

    `libraries` are what programs of wheels are linked to, their loader among
    them. Raises Refused when two wheels cannot lie in one environment.
    """
    libraries = programs.library_directories(spec["libraries"])
    for wheel in spec["wheels"]:
        merge(wheel["out"], directory)
    install_python(directory, spec["python"], libraries, spec.get("headers"))
    put_before("PATH", [os.path.join(directory, "bin")])
    put_before("LD_LIBRARY_PATH", libraries)
    adapt_programs(directory, spec["wheels"], programs.loader(libraries))
    adapt_scripts(os.path.join(directory, "bin"))


def put_before(variable, paths):
    """Puts paths before what a search path has."""
    os.environ[variable] = os.pathsep.join([*paths, *filter(None, [os.environ.get(variable)])])


def merge(tree, directory):
    """Links every file of a wheel; of two at one place the first stays, as on a search path."""
    for above, _, names in os.walk(tree):
        target = os.path.normpath(os.path.join(directory, os.path.relpath(above, tree)))
        try:
            os.makedirs(target, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise Refused(f"{os.path.relpath(target, directory)} is a file of one build requirement and a directory of another") from None
        for name in names:
            place = os.path.join(target, name)
            if not os.path.lexists(place):
                os.symlink(os.path.join(above, name), place)


def install_python(directory, python, libraries, headers):
    """A virtual environment's Python: its prefix is where pyvenv.cfg lies beside
    the directory of what was started (PEP 405)."""
    path = os.path.join(directory, "bin/python")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    for name in ("python", "python3", f"python{python['version']}"):
        place = os.path.join(directory, "bin", name)
        if os.path.isdir(place) and not os.path.islink(place):
            raise Refused(f"a build requirement has a directory bin/{name}")
        if os.path.lexists(place):
            os.unlink(place)
        if name != "python":
            os.symlink("python", place)
    if python["loader"] is None:
        os.symlink(python["program"], path)
    else:
        # A wheel's extension modules may want libraries that the interpreter itself does not.
        search = os.pathsep.join([*python["libraries"], *libraries])
        words = [python["loader"], "--library-path", search, "--argv0", path, python["program"]]
        write(path, f"#!{shutil.which('sh')}\nexec {' '.join(map(quoted, words))} \"$@\"\n".encode())
    config = os.path.join(directory, "pyvenv.cfg")
    if os.path.isdir(config) and not os.path.islink(config):
        raise Refused("a build requirement has a directory pyvenv.cfg")
    if os.path.lexists(config):
        os.unlink(config)
    with open(config, "x", encoding="utf-8") as file:
        file.write(f"home = {home(directory, python['program'], headers)}\ninclude-system-site-packages = false\n")


def home(directory, program, headers):
    """The directory that Python takes for its own, below whose parent it looks
    for its library and says that its headers are."""
    if headers is None:
        return os.path.dirname(program)
    prefix, base = os.path.dirname(os.path.dirname(program)), os.path.join(directory, "base")
    os.mkdir(base)
    for name in sorted({*os.listdir(prefix), "include"}):
        os.symlink(headers if name == "include" else os.path.join(prefix, name), os.path.join(base, name))
    return os.path.join(base, "bin")


def adapt_programs(directory, wheels, loader):
    """Gives the programs of all wheels the loader and a shell that are there."""
    shell = None if os.path.exists("/bin/sh") else SHELL
    for wheel in wheels:
        with open(wheel["meta"], encoding="utf-8") as file:
            paths = json.load(file)["elf"]
        for path in (os.path.join(directory, path) for path in paths):
            if not programs.wants_loader(path):
                continue
            with open(path, "rb") as file:
                content = file.read()
            os.unlink(path)
            write(path, content)
            programs.set_interpreter(path, loader)
            if shell is not None:
                programs.set_shell(path, shell)
    if shell is not None and not os.path.lexists(shell):
        os.symlink(shutil.which("sh"), shell)


def adapt_scripts(directory):
    """Gives the scripts that wheels have in a directory interpreters that are there."""
    for name in sorted(os.listdir(directory)):
        path = os.path.join(directory, name)
        if not os.path.islink(path) or not os.path.isabs(os.readlink(path)):
            continue
        with open(path, "rb") as file:
            content = file.read(4096)
            line = programs.adapted_line(content, shutil.which)
            if line is None:
                continue
            if line.split()[0] == b"#!" + path.encode():
                raise Refused(f"a build requirement has a script `{name}` that would start itself")
            content += file.read()
        os.unlink(path)
        write(path, line + content.partition(b"\n")[2])


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, 0o755)


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"
