"""What the application is made of."""

from importlib.metadata import Distribution, distribution

from litestar import Router
from msgspec import Struct

from lych_core.extensions import Extension, Handler


class Member(Struct):
    """The core or an extension."""

    name: str
    role: str
    distribution: str
    version: str
    summary: str
    routes: list[str]


def installed(extensions: list[Extension]) -> list[Member]:
    """The core first, then the extensions by name."""
    core = _member("core", "core", distribution("lych-core"), ["/", "/health", "/members", "/notes"])
    return [core, *(_of_extension(extension) for extension in extensions)]


def _of_extension(extension: Extension) -> Member:
    routes = sorted(path for handler in extension.handlers for path in _paths(handler))
    return _member(extension.name, "extension", extension.distribution, routes)


def _member(name: str, role: str, dist: Distribution, routes: list[str]) -> Member:
    summary = dist.metadata["Summary"] or ""
    return Member(name, role, dist.metadata["Name"], dist.version, summary, routes)


def _paths(handler: Handler) -> list[str]:
    return [handler.path] if isinstance(handler, Router) else list(handler.paths)
