"""Weaves pictures out of numbers."""

from lych_core.extensions import Context

from lych_loom.routes import weave_png


def register(context: Context) -> None:
    """Add this extension's routes."""
    context.add_routes(weave_png)
