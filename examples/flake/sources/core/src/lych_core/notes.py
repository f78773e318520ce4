"""Notes, kept in the database and found again by what they are like."""

from collections import Counter
from string import ascii_lowercase

import asyncpg
from litestar import Controller, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.params import Parameter
from msgspec import Struct

from lych_core import database

SCHEMA = f"""
create extension if not exists vector;
create table if not exists note (
    id bigint generated always as identity primary key,
    text text not null,
    letters vector({len(ascii_lowercase)}) not null
);
"""


class Note(Struct):
    """What is written down."""

    text: str


def letters(text: str) -> str:
    """How often each letter occurs, as pgvector reads it: a poor man's embedding, and enough to show the way."""
    counted = Counter(text.lower())
    return "[" + ",".join(str(counted[letter]) for letter in ascii_lowercase) + "]"


class Notes(Controller):
    """Writes notes and finds them."""

    path = "/notes"

    @post()
    async def write(self, data: Note, state: State) -> Note:
        """Keep a note."""
        async with _connection(state) as connection:
            query = "insert into note (text, letters) values ($1, $2::text::vector)"
            await connection.execute(query, data.text, letters(data.text))
        return data

    @get()
    async def like(self, state: State, text: str, most: int = Parameter(default=3, ge=1, le=100)) -> list[Note]:
        """Return the notes that are most like a text, the nearest first."""
        async with _connection(state) as connection:
            query = "select text from note order by letters <-> $1::text::vector, id limit $2"
            rows = await connection.fetch(query, letters(text), most)
        return [Note(text=row["text"]) for row in rows]


def _connection(state: State) -> database.Session:
    if state.settings.database_url is None:
        raise HTTPException("there is no database: LYCH_DATABASE_URL is not set", status_code=503)
    return database.Session(state.settings.database_url, state.settings.database_timeout)


async def migrate(url: str, timeout: float) -> None:
    """Bring the database to this schema; twice does no harm."""
    connection = await asyncpg.connect(url, timeout=timeout)
    try:
        await connection.execute(SCHEMA)
    finally:
        await connection.close()
