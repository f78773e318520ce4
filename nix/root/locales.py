"""What debconf is told for the package `locales`: which ones it makes, and which is everybody's.
Formats: debconf-set-selections(1); /usr/share/i18n/SUPPORTED has a locale and its encoding in a line.

A locale is called as in the Codex, with its encoding: `sr_RS.UTF-8@latin`. Debian leaves that out of
many names (`sr_RS@latin UTF-8`); the C library takes either."""

import difflib

PLACE = "/usr/share/i18n/SUPPORTED"
ENCODING = "UTF-8"
MOST_NEAR = 4


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
    told = f"Debian has no locale {name}, which `locales` in [substrate.debian] of forge.toml names"
    nearest = near(name, known)
    return f"{told}; near ones: {', '.join(nearest)}" if nearest else told


def near(name, known):
    """Those of the same language, its own country first; else those of the country that are spelled like it."""
    language, country = halves(name)

    def rank(other):
        of, at = halves(other)
        alike = difflib.SequenceMatcher(None, f"{of}_{at}", f"{language}_{country}").ratio()
        return of != language, at != language.upper(), at != country, -alike, other

    same = lambda half, own: [other for other in known if halves(other)[half] == own]
    return sorted(same(0, language) or same(1, country), key=rank)[:MOST_NEAR]


def halves(name):
    """The language and the country, with what follows it where that is no encoding."""
    language, _, country = name.replace(f".{ENCODING}", "").partition("_")
    return language, country
