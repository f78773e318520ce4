"""What a virtual environment has besides its packages: the interpreter and
pyvenv.cfg, with the keys that the module venv and uv write and look for; and what
puts members that are no packages on Python's path."""

import platform

# place below the prefix -> place below it, as the module venv makes them
LINKS = {"lib64": "lib"}
# Of a line for each directory: docs.python.org/3/library/site.html
TREES = "lychd-forge-sources.pth"


def own(python, trees=()):
    """path below the prefix -> node. `python` is the series; the interpreter of the
    builders is the same package as the image's. `trees` are the places of members that
    are no packages."""
    config = {
        "home": "/usr/bin",
        "implementation": platform.python_implementation(),
        "version_info": platform.python_version(),
        "include-system-site-packages": "false",
    }
    return {
        **LINKS,
        "pyvenv.cfg": "".join(f"{key} = {value}\n" for key, value in config.items()).encode(),
        "bin/python": f"/usr/bin/python{python}",
        "bin/python3": "python",
        f"bin/python{python}": "python",
        **({f"lib/python{python}/site-packages/{TREES}": "".join(f"{place}\n" for place in trees).encode()} if trees else {}),
    }
