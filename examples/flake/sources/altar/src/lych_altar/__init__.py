"""Shows what the body is made of."""

from pathlib import Path

from litestar.static_files import create_static_files_router
from lych_core.extensions import Context

STATIC = Path(__file__).resolve().parent / "static"
"""What `npm run build` in `web/` writes."""


def register(context: Context) -> None:
    """Serve the page and its files."""
    context.add_routes(create_static_files_router("/altar", directories=[STATIC], html_mode=True, name="altar"))
