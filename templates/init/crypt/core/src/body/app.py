"""The ASGI application."""

from litestar import Litestar, MediaType, get


@get("/", media_type=MediaType.TEXT)
async def index() -> str:
    """Say that the body lives."""
    return "It lives.\n"


@get("/health")
async def health() -> dict[str, str]:
    """Answer 200 as long as the application runs."""
    return {"status": "ok"}


def create_app() -> Litestar:
    """Build the application; granian calls this."""
    return Litestar(route_handlers=[index, health])
