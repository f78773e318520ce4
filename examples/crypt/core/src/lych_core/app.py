"""The ASGI application and its own routes."""

from html import escape
from importlib.resources import files
from string import Template

from litestar import Litestar, MediaType, get
from litestar.datastructures import State
from msgspec import Struct

from lych_core import database
from lych_core.extensions import Extension, discover
from lych_core.members import Member, installed
from lych_core.notes import Notes
from lych_core.settings import Settings


class Health(Struct):
    """Whether the application is well."""

    status: str
    database: database.Condition
    extensions: list[str]


@get("/health")
async def health(state: State) -> Health:
    """Answer 200 as long as the application runs; the database has a field of its own."""
    settings: Settings = state.settings
    condition = await database.condition(settings.database_url, settings.database_timeout)
    return Health(status="ok", database=condition, extensions=[extension.name for extension in state.extensions])


@get("/members")
async def members(state: State) -> list[Member]:
    """List the core and its extensions."""
    return installed(state.extensions)


@get("/", media_type=MediaType.HTML)
async def index(state: State) -> str:
    """Show what is installed, for people."""
    page = Template((files("lych_core") / "page.html").read_text(encoding="utf-8"))
    rows = [
        f"<li><b>{escape(member.name)}</b> {escape(member.version)}: {escape(member.summary)}"
        f" {' '.join(f'<code>{escape(route)}</code>' for route in member.routes)}</li>"
        for member in installed(state.extensions)
    ]
    return page.substitute(title=escape(state.settings.title), members="\n".join(rows))


def create_app(settings: Settings | None = None, extensions: list[Extension] | None = None) -> Litestar:
    """Build the application; granian calls this without arguments."""
    settings = settings or Settings.from_environment()
    extensions = discover() if extensions is None else extensions
    handlers = [handler for extension in extensions for handler in extension.handlers]
    return Litestar(
        route_handlers=[index, health, members, Notes, *handlers],
        state=State({"settings": settings, "extensions": extensions}),
        request_max_body_size=settings.body_limit,
    )
