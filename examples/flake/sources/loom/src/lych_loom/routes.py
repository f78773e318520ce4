"""The route below `/loom`."""

from typing import Annotated

from litestar import Response, get
from litestar.params import Parameter

from lych_loom.weave import weave

Pixels = Annotated[int, Parameter(ge=16, le=2048)]
Seed = Annotated[int, Parameter(ge=0, lt=2**32)]


@get("/loom/weave.png", media_type="image/png", sync_to_thread=True)
def weave_png(width: Pixels = 256, height: Pixels = 256, seed: Seed = 1) -> Response[bytes]:
    """Answer with a woven picture."""
    return Response(weave(width, height, seed), media_type="image/png")
