"""Runs one member's register(context) and writes what it registered, as JSON, to standard output.

lychd-forge starts it in its sandbox with the member's directory, the name of a package for it, and the limits
as words `NAME=SOFT:HARD`. What it writes is data for the forge to judge: the hook can forge it as well as it
can call the context.
"""

import os
import resource
import sys


def confine(limits):
    """Before any line of the member's runs: no descriptor but the three, and no way to raise a limit again."""
    for word in limits:
        name, values = word.split("=")
        soft, hard = map(int, values.split(":"))
        which = getattr(resource, "RLIMIT_" + name)
        most = resource.getrlimit(which)[1]
        if most != resource.RLIM_INFINITY:
            hard = min(hard, most)
        resource.setrlimit(which, (min(soft, hard), hard))
    os.closerange(3, 1 << 20)
    nothing = os.open("/dev/null", os.O_RDONLY)
    if nothing != 0:
        os.dup2(nothing, 0)
        os.close(nothing)


confine(sys.argv[3:])

# Nothing of the standard library that has to be compiled first: that would be most of a hook's time.
from importlib.machinery import ModuleSpec, SourceFileLoader

from _json import encode_basestring_ascii

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

import lychd_forge


def load(path, package):
    """Imports the hook as LychD does: as a module of a package that is the member's own directory."""
    above = ModuleSpec(package, loader=None, is_package=True)
    above.submodule_search_locations = [os.path.dirname(path)]
    module(above)
    name = package + ".register"
    loader = SourceFileLoader(name, path)
    hook = module(ModuleSpec(name, loader, origin=path))
    hook.__file__ = path
    loader.exec_module(hook)
    return hook


def module(spec):
    """An empty module, known by its name."""
    made = type(sys)(spec.name)
    made.__spec__ = spec
    made.__loader__ = spec.loader
    made.__package__ = spec.parent
    if spec.submodule_search_locations is not None:
        made.__path__ = spec.submodule_search_locations
    sys.modules[spec.name] = made
    return made


def encode(value):
    """JSON; what JSON does not have becomes what no reader takes."""
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if isinstance(value, list):
        return "[" + ",".join(map(encode, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode(key)}:{encode(item)}" for key, item in value.items()) + "}"
    return repr(value)


def failed(kind, error, path):
    """What went wrong, and where in the hook."""
    line = 0
    if isinstance(error, SyntaxError) and error.filename == path:
        line = error.lineno or 0
    trace = error.__traceback__
    frames = []
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name == path:
            line = trace.tb_lineno
        if name.startswith(os.path.dirname(path)):
            frames.append(f"{name}:{trace.tb_lineno} in {trace.tb_frame.f_code.co_name}")
        trace = trace.tb_next
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    message = f"{type(error).__name__}: {text}"[:1000]
    return {"failed": {"kind": kind, "line": line, "message": message, "missing": missing, "trace": frames[-20:]}}


def answer(path, package):
    """The one JSON object."""
    try:
        module = load(path, package)
    except BaseException as error:
        return failed("import", error, path)
    register = getattr(module, "register", None)
    if not callable(register):
        return {"failed": {"kind": "missing", "line": 0, "message": "", "missing": None, "trace": []}}
    record = lychd_forge.Record(path)
    try:
        result = register(lychd_forge.Context(record))
        if result is not None:
            if hasattr(result, "close"):
                result.close()
            raise TypeError("register(context) must return None and must not be asynchronous")
    except BaseException as error:
        return failed("register", error, path)
    ignored = [{"line": line, "name": name} for name, line in sorted(record.ignored.items())]
    return {"registered": {**record.registered, "ignored": ignored}}


def main():
    # What the hook prints is not the answer: from here on standard output is standard error.
    channel = os.dup(1)
    os.dup2(2, 1)
    data = encode(answer(os.path.join(sys.argv[1], "register.py"), sys.argv[2])).encode()
    while data:
        data = data[os.write(channel, data):]
    sys.stderr.flush()
    sys.stdout.flush()
    os._exit(0)


main()
