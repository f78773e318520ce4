"""The `lych` command: what is installed, and the database's schema, without starting a server."""

import asyncio
import sys

import msgspec

from lych_core.extensions import discover
from lych_core.members import installed
from lych_core.notes import migrate
from lych_core.settings import Settings

USAGE = "usage: lych [migrate]\n"


def main() -> int:
    """Print the core and its extensions as JSON, or bring the database to the schema."""
    match sys.argv[1:]:
        case []:
            sys.stdout.write(msgspec.json.format(msgspec.json.encode(installed(discover()))).decode() + "\n")
        case ["migrate"]:
            settings = Settings.from_environment()
            if settings.database_url is None:
                sys.stderr.write("lych: LYCH_DATABASE_URL is not set\n")
                return 1
            asyncio.run(migrate(settings.database_url, settings.database_timeout))
        case _:
            sys.stderr.write(USAGE)
            return 2
    return 0
