"""The routes below `/scribe`."""

import asyncio

import magic
from litestar import get, post
from litestar.exceptions import ClientException
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct

TOOLS = {"tesseract": "--version", "ffmpeg": "-version"}
TOOL_TIMEOUT = 10.0


class Identity(Struct):
    """What libmagic makes of some bytes."""

    media_type: str
    description: str
    size: int


@post("/scribe/identify", status_code=HTTP_200_OK, sync_to_thread=True)
def identify(body: bytes) -> Identity:
    """Identify the request's bytes."""
    if not body:
        raise ClientException(detail="send the bytes to identify as the request's body")
    return Identity(
        media_type=magic.from_buffer(body, mime=True),
        description=magic.from_buffer(body),
        size=len(body),
    )


@get("/scribe/tools")
async def tools() -> dict[str, str]:
    """Ask each tool for its version."""
    answers = await asyncio.gather(*(_first_line(tool, option) for tool, option in TOOLS.items()))
    return dict(zip(TOOLS, answers, strict=True))


async def _first_line(tool: str, option: str) -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            tool, option, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
    except FileNotFoundError:
        return "missing"
    try:
        output, _ = await asyncio.wait_for(process.communicate(), TOOL_TIMEOUT)
    except TimeoutError:
        process.kill()
        await process.wait()
        return "no answer"
    lines = output.decode(errors="replace").splitlines()
    return lines[0] if lines and process.returncode == 0 else f"failed with status {process.returncode}"
