"""Compiles the standard library of some Debian packages.

Reads {"version", "debs"} from $specPath; writes the files to $out.
"""

import json
import os
import sys
import warnings
from importlib.util import cache_from_source, source_hash
from importlib._bootstrap_external import _code_to_hash_pyc


def sources(deb, library):
    """Yields the modules below a package's library directory, sorted."""
    for directory, folders, files in os.walk(os.path.join(deb, library)):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(directory, name)
            if name.endswith(".py") and os.path.isfile(path) and not os.path.islink(path):
                yield path, os.path.relpath(path, deb)


def main():
    with open(os.environ["specPath"], encoding="utf-8") as file:
        spec = json.load(file)
    out = os.environ["out"]
    warnings.simplefilter("ignore")
    os.mkdir(out)
    for deb in sorted(spec["debs"]):
        for path, relative in sources(deb, "usr/lib/python" + spec["version"]):
            with open(path, "rb") as file:
                source = file.read()
            try:
                code = compile(source, "/" + relative, "exec", dont_inherit=True, optimize=0)
            except (SyntaxError, ValueError) as error:
                # lib2to3 and the like carry files that are not meant to compile
                print(f"{relative}: {error}", file=sys.stderr)
                continue
            target = os.path.join(out, cache_from_source(relative))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as file:
                file.write(_code_to_hash_pyc(code, source_hash(source), True))


main()
