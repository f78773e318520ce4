"""Tells what bytes are, and which tools can read them."""

from lych_core.extensions import Context

from lych_scribe.routes import identify, tools


def register(context: Context) -> None:
    """Add this extension's routes."""
    context.add_routes(identify, tools)
