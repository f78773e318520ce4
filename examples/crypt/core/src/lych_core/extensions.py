"""How an extension becomes part of the application."""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import Distribution, entry_points

from litestar import Router
from litestar.handlers import BaseRouteHandler

GROUP = "lychd.extensions"

type Handler = BaseRouteHandler | Router


@dataclass(slots=True)
class Context:
    """What an extension's `register(context)` may add to."""

    handlers: list[Handler] = field(default_factory=list)

    def add_routes(self, *handlers: Handler) -> None:
        """Serve these as well."""
        self.handlers.extend(handlers)


@dataclass(frozen=True, slots=True)
class Extension:
    """An installed extension and what it registered."""

    name: str
    distribution: Distribution
    handlers: list[Handler]


def discover() -> list[Extension]:
    """Load every installed extension, by name."""
    extensions = []
    for entry_point in sorted(entry_points(group=GROUP), key=lambda entry_point: entry_point.name):
        if entry_point.dist is None:
            message = f"the extension {entry_point.name!r} belongs to no distribution"
            raise LookupError(message)
        register: Callable[[Context], None] = entry_point.load()
        context = Context()
        register(context)
        extensions.append(Extension(entry_point.name, entry_point.dist, context.handlers))
    return extensions
