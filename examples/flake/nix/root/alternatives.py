"""The links that maintainer scripts would make with update-alternatives.

    update-alternatives --install LINK NAME PATH PRIORITY [--slave LINK NAME PATH]...

What is not in plain words (script.py) is left out with a note, and the ELF check
finds what is then missing.
"""

import os
import re

from script import commands


class Alternative:
    """LINK, the name in /etc/alternatives, its target, and what goes with it."""

    def __init__(self, package, link, name, path, priority):
        self.package, self.link, self.name, self.path, self.priority = package, link, name, path, priority
        self.slaves = []


def parse(script, package, note):
    """The alternatives that a postinst installs."""
    return [alternative for words in commands(script, "update-alternatives") if "--install" in words for alternative in installed(words, package, note)]


def installed(words, package, note):
    """The alternatives of one command."""
    found = []
    while words:
        word = words.pop(0)
        if word not in ("--install", "--slave"):
            continue
        take = 4 if word == "--install" else 3
        values, words = words[:take], words[take:]
        readable = len(values) == take and values[0].startswith("/") and values[2].startswith("/") and "/" not in values[1]
        if not readable or any(character in value for value in values for character in "$`"):
            note(f"{package}: an alternative that cannot be read: {' '.join(values)}")
            if word == "--install":
                break
        elif word == "--slave":
            if found:
                found[-1].slaves.append(values)
        elif re.fullmatch(r"-?\d+", values[3]):
            found.append(Alternative(package, *values[:3], int(values[3])))
        else:
            note(f"{package}: no priority: {' '.join(values)}")
            break
    return found


def links(alternatives, exists):
    """path -> target of the links to make. The highest priority wins, among
    equals the first package's; a target that is not there (a manual) is left out."""
    best, made = {}, {}
    for alternative in alternatives:
        if exists(alternative.path):
            known = best.get(alternative.name)
            if known is None or alternative.priority > known.priority:
                best[alternative.name] = alternative
    for alternative in best.values():
        for link, name, path in [(alternative.link, alternative.name, alternative.path), *alternative.slaves]:
            if exists(path):
                made[link] = f"/etc/alternatives/{name}"
                made[f"/etc/alternatives/{name}"] = os.path.normpath(path)
    return made
