"""Files that a package moves away from others with dpkg-divert(1), in its preinst:

    dpkg-divert [--package NAME] --add --rename --divert NEW-PATH PATH

What is moved for the merged /usr alone (`….usr-is-merged`) has no effect here, where
every file lies behind the links already."""

from script import commands


def parse(preinst, package, note):
    """path -> (the package that diverts it, where it goes), without slashes in front."""
    found = {}
    for words in commands(preinst, "dpkg-divert"):
        if {"--remove", "--list", "--listpackage", "--truename"} & set(words):
            continue
        plain, options, rest = [], {}, list(words)
        while rest:
            word = rest.pop(0)
            if word in ("--package", "--divert", "--admindir", "--instdir", "--root") and rest:
                options[word] = rest.pop(0)
            elif not word.startswith("-"):
                plain.append(word)
        target = options.get("--divert", f"{plain[0]}.distrib" if plain else "")
        if target.endswith(".usr-is-merged"):
            continue
        if len(plain) == 1 and all(path.startswith("/") and not set("$`*?") & set(path) for path in (plain[0], target)):
            found[plain[0].lstrip("/")] = (options.get("--package", package), target.lstrip("/"))
        else:
            note(f"{package}: a diversion that cannot be read: {' '.join(words)}")
    return found
