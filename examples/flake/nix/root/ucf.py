"""Configuration files that maintainer scripts put in place with ucf(1):

    ucf [OPTION]... NEW-FILE DESTINATION

On a fresh system it copies. Calls that are not in plain words are left out with a note."""

from script import commands


def copies(postinst, package, note):
    """(source, destination) of each call."""
    found = []
    for words in commands(postinst, "ucf"):
        if "--purge" in words or "-p" in words:
            continue
        paths = [word for word in words if not word.startswith("-")]
        if len(paths) == 2 and all(path.startswith("/") and not set("$`*?") & set(path) for path in paths):
            found.append(tuple(paths))
        else:
            note(f"{package}: a file that ucf installs cannot be read: {' '.join(words)}")
    return found
