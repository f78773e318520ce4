"""The links that maintainer scripts would make with update-alternatives.

The scripts are read, never run. What they say in plain words is understood:

    update-alternatives --install LINK NAME PATH PRIORITY [--slave LINK NAME PATH]...

with line continuations, quotes, variables and loops over plain words; anything
else is left out with a note, and the ELF check finds what is then missing.
"""

import itertools
import os
import re
import shlex

ASSIGNMENT = re.compile(r"^\s*(?:local\s+|export\s+)?([A-Za-z_]\w*)=(\"[^\"`$]*\"|'[^']*'|[^\s\"'`$;()]*)\s*;?\s*$")
LOOP = re.compile(r"^\s*for\s+([A-Za-z_]\w*)\s+in\s+([^$`;*()\"']*?)\s*(?:;\s*do)?\s*$")
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


class Alternative:
    """LINK, the name in /etc/alternatives, its target, and what goes with it."""

    def __init__(self, package, link, name, path, priority):
        self.package, self.link, self.name, self.path, self.priority = package, link, name, path, priority
        self.slaves = []


def substituted(line, variables):
    """The line with the variables that are known; others stay as they are."""
    return VARIABLE.sub(lambda match: variables.get(match[1] or match[2], match[0]), line)


def parse(script, package, note):
    """The alternatives that a postinst installs."""
    found, variables, loops = [], {}, []
    for line in script.replace("\\\n", " ").split("\n"):
        plain = substituted(line, variables)
        if match := ASSIGNMENT.match(plain):
            variables[match[1]] = match[2].strip("\"'")
        elif match := LOOP.match(plain):
            loops.append((match[1], match[2].split()))
        elif line.split("#")[0].strip() == "done" and loops:
            loops.pop()
        if "update-alternatives" not in line or "--install" not in line or line.lstrip().startswith("#"):
            continue
        for values in itertools.product(*(words for _, words in loops)):
            known = {**variables, **dict(zip((name for name, _ in loops), values))}
            found += installed(substituted(line, known), package, note)
    return found


def installed(line, package, note):
    """The alternatives of one command."""
    words = shlex.shlex(line[line.index("update-alternatives") :], posix=True, punctuation_chars=True)
    words.whitespace_split, words.commenters = True, "#"
    try:
        words = list(words)
    except ValueError:
        words = []
    # up to the end of the command
    end = next((i for i, word in enumerate(words) if word[:1] in tuple(";&|<>()")), len(words))
    words, found = words[:end], []
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
