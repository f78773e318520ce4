"""Puts the database's password into the variables that want it, then becomes the command."""

import os
import sys
from urllib.parse import quote

file, *rest = sys.argv[1:]
at = rest.index("--")
with open(file, encoding="utf-8") as secret:
    password = quote(secret.read().rstrip("\n"), safe="")
for name in rest[:at]:
    os.environ[name] = os.environ[name].replace("{password}", password)
command = rest[at + 1 :]
try:
    os.execvp(command[0], command)
except OSError as error:
    sys.exit(f"{command[0]}: {error.strerror}")
