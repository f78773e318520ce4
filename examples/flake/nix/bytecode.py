"""Bytecode beside its source, checked by the hash of that, so that no time takes part."""

import os
import sys
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import source_hash


def cached(path):
    """Where the bytecode of the module at `path` lies."""
    folder, name = os.path.split(path)
    return os.path.join(folder, "__pycache__", f"{name[:-3]}.{sys.implementation.cache_tag}.pyc")


def compiled(source, place):
    """The bytecode of a source that lies at `place` of the image; None for one that this Python cannot compile."""
    try:
        code = compile(source, place, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        # templates and code for other versions; importing them fails as ever
        print(f"{place}: not compiled: {error}", file=sys.stderr)
        return None
    return _code_to_hash_pyc(code, source_hash(source), True)
