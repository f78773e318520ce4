"""The `lych` command: what is installed, without starting a server."""

import sys

import msgspec

from lych_core.extensions import discover
from lych_core.members import installed


def main() -> int:
    """Print the core and its extensions as JSON."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(installed(discover()))).decode() + "\n")
    return 0
