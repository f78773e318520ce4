"""What a member's register(context) finds when lychd-forge runs it, at synthesis time.

The fields and what they may hold are those of pyproject.toml's [tool.lychd]; the forge checks them after the
hook has ended, outside its sandbox. Nothing here decides anything.
"""

import sys

__all__ = ["Context", "RuneDefinition"]


class RuneDefinition:
    """A container beside the body; the fields are the keys of [[tool.lychd.rune]]."""

    __slots__ = ("capabilities", "expose_port", "grants", "groups", "health", "image", "name", "port", "volumes")

    def __init__(
        self,
        *,
        name,
        image,
        capabilities=None,
        groups=None,
        port=None,
        expose_port=None,
        volumes=None,
        grants=None,
        health=None,
    ):
        self.name = name
        self.image = image
        self.capabilities = capabilities
        self.groups = groups
        self.port = port
        self.expose_port = expose_port
        self.volumes = volumes
        self.grants = grants
        self.health = health


class Context:
    """What register(context) is called with. What the forge does not know is noted down and does nothing."""

    __slots__ = ("_record",)

    def __init__(self, record):
        object.__setattr__(self, "_record", record)

    def add_system_dependency(self, name, *, debian=None, nixpkgs=None):
        """Asks for a system package: Debian's name for it, or a name of its own with both worlds' names."""
        given = {"name": name, "debian": debian, "nixpkgs": nixpkgs}
        self._record.add("system_dependencies", {key: value for key, value in given.items() if value is not None})

    def add_rune(self, rune):
        """Asks for a container: a RuneDefinition, or a dict with its fields."""
        if isinstance(rune, RuneDefinition):
            given = {key: getattr(rune, key) for key in RuneDefinition.__slots__}
            given = {key: value for key, value in given.items() if value is not None}
        elif isinstance(rune, dict):
            given = dict(rune)
        else:
            raise TypeError(f"add_rune takes a RuneDefinition or a dict, not {type(rune).__name__}")
        if "expose_port" in given:
            if "expose-port" in given:
                raise TypeError("a rune has both `expose_port` and `expose-port`")
            given["expose-port"] = given.pop("expose_port")
        self._record.add("runes", given)

    add_container = add_rune

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Ignored(self._record, name)

    def __setattr__(self, name, value):
        self._record.ignore(name)


class _Ignored:
    """A part of LychD's own context: whatever is done with it does nothing here."""

    __slots__ = ("_path", "_record")

    def __init__(self, record, path):
        object.__setattr__(self, "_record", record)
        object.__setattr__(self, "_path", path)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Ignored(self._record, f"{self._path}.{name}")

    def __setattr__(self, name, value):
        self._record.ignore(f"{self._path}.{name}")

    def __call__(self, *arguments, **named):
        self._record.ignore(self._path)
        return self

    def __iter__(self):
        self._record.ignore(self._path)
        return iter(())


class Record:
    """Everything one hook registered, as plain values with the line of the hook that did it."""

    def __init__(self, hook):
        self._hook = hook
        self.registered = {"system_dependencies": [], "runes": []}
        self.ignored = {}

    def add(self, kind, value):
        """Keeps a copy, so that what the hook changes later has no say."""
        self.registered[kind].append({"line": self._line(), "value": plain(value)})

    def ignore(self, path):
        """Keeps the name of something that is not the forge's, with the first line that has it."""
        if len(self.ignored) < 100:
            self.ignored.setdefault(path[:200], self._line())

    def _line(self):
        frame = sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_filename == self._hook:
                return frame.f_lineno
            frame = frame.f_back
        return 0


def plain(value, depth=0):
    """A copy made of what JSON has; sets are sorted."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if depth < 8:
        if isinstance(value, (list, tuple)):
            return [plain(item, depth + 1) for item in value]
        if isinstance(value, (set, frozenset)):
            return sorted(plain(item, depth + 1) for item in value)
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return {key: plain(item, depth + 1) for key, item in value.items()}
    raise TypeError(f"{type(value).__name__} cannot be part of a registration")
