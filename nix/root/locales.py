"""What debconf is told for the package `locales`: which ones it makes, and which is everybody's.
Formats: debconf-set-selections(1); /usr/share/i18n/SUPPORTED has a locale and its encoding in a line.

A locale is called as in the Codex, with its encoding: `sr_RS.UTF-8@latin`. Debian leaves that out of
many names (`sr_RS@latin UTF-8`); the C library takes either."""

import difflib

PLACE = "/usr/share/i18n/SUPPORTED"
ENCODING = "UTF-8"


def supported(text):
    """The name with its encoding -> the name as Debian has it, of all in UTF-8."""
    found = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[1] == ENCODING and not line.startswith("#"):
            place, at, modifier = words[0].partition("@")
            found[f"{place.partition('.')[0]}.{ENCODING}{at}{modifier}"] = words[0]
    return found


def answers(locales, content):
    """Lines for debconf; ends the build for a locale that is not supported. `content` is of the file that says
    which are, or None."""
    if not locales:
        return ""
    known = supported((content or b"").decode())
    unknown = [f"error: {trouble(name, known)}" for name in locales if name not in known]
    if unknown:
        raise SystemExit("\n".join(unknown))
    made = ", ".join(f"{known[name]} {ENCODING}" for name in locales)
    return (
        f"locales locales/locales_to_be_generated multiselect {made}\n"
        f"locales locales/default_environment_locale select {known[locales[0]]}\n"
    )


def trouble(name, known):
    """What to say of a locale that is not there, with those that are near."""
    near = difflib.get_close_matches(name, sorted(known), n=4, cutoff=0.6)
    told = f"Debian has no locale {name}, which `locales` in [substrate.debian] of forge.toml names"
    return f"{told}; near ones: {', '.join(near)}" if near else told
