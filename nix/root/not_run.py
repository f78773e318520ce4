"""What an image lacks because no maintainer script ran (read_scripts.py): of each package whose script has a
command that known-commands does not have, or one that cannot be told, a note with these."""

import os
import re

import alternatives
import table
import ucf
from dpkg_database import interests
from shell_commands import Commands

# `COMMAND with WORD|WORD because REASON`
ROW = re.compile(r"(\S+)(?: with (\S+))? because (.+)")
MOST_SHOWN = 80


def known_commands(path):
    """name -> words of which a command has to have one; None where it needs none."""
    return {match[1]: match[2] and set(match[2].split("|")) for match in table.matches(path, ROW)}


def missing(script, known):
    """What a script does that is not made up for, in words for people; each once, in its order."""
    commands, found = Commands(script), []
    for words in commands.found:
        name = os.path.basename(words[0]) or words[0]
        needed = known.get(name, ())
        if name == "command":
            # it runs what it is not asked about first
            words = words[:2]
        if name == "sort" and any(word.startswith(("-o", "--output")) for word in words):
            found.append("sort with a file to write")
        if name not in commands.functions and needed is not None and not set(needed) & set(words[1:]):
            found.append(" ".join(words[:2]) if name in (".", "command", "dpkg") else name)
    alternatives.parse(script, "", lambda _: found.append("an alternative that cannot be read"))
    ucf.copies(script, "", lambda _: found.append("a file of ucf that cannot be read"))
    return list(dict.fromkeys(map(shown, [*found, *commands.unread])))


def shown(text):
    """In one line and not too long: words of a script may be anything."""
    text = re.sub(r"[^ -~]+", " ", text)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def named(notes):
    """The packages that notes are about."""
    return [note.split()[4] for note in notes]


def notes(debs, controls, path):
    """One of each package of which something is missing, by name."""
    known, told = known_commands(path), []
    for deb in sorted(debs, key=lambda deb: deb["name"]):
        control = controls[deb["name"]]
        lacking = missing(control.script("postinst"), known) if control.script("postinst") else []
        if lacking:
            asked = f" (requested by {', '.join(deb['requested_by'])})" if deb["requested_by"] else ""
            triggers = [trigger for trigger, _, _ in interests([control])]
            also = f", also for the triggers {', '.join(triggers)}" if triggers else ""
            told.append(f"the maintainer script of {deb['name']}{asked} did not run{also}, and this of it is not made otherwise: {', '.join(lacking)}")
    return told
