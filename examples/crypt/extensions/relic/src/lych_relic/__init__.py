"""An extension of an older age."""

from lych_core.extensions import Context


def register(context: Context) -> None:
    """Add nothing: the age of this extension is over."""
