"""The one question the core asks of its database."""

from enum import StrEnum

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
