"""What the core has to do with its database."""

from enum import StrEnum
from types import TracebackType

import asyncpg


FAILURES = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Condition(StrEnum):
    """The state of the database."""

    ABSENT = "absent"
    UP = "up"
    DOWN = "down"


async def condition(url: str | None, timeout: float) -> Condition:
    """Connect and ask, within `timeout` seconds; without a URL there is no database to ask."""
    if url is None:
        return Condition.ABSENT
    try:
        connection = await asyncpg.connect(url, timeout=timeout)
    except FAILURES:
        return Condition.DOWN
    try:
        await connection.fetchval("select 1", timeout=timeout)
    except FAILURES:
        return Condition.DOWN
    finally:
        connection.terminate()
    return Condition.UP


class Session:
    """A connection for the length of an `async with`."""

    def __init__(self, url: str, timeout: float) -> None:
        """Take where the database is, and how many seconds it has to answer."""
        self._url, self._timeout = url, timeout

    async def __aenter__(self) -> asyncpg.Connection:
        """Connect."""
        self._connection = await asyncpg.connect(self._url, timeout=self._timeout, command_timeout=self._timeout)
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of it."""
        await self._connection.close()
