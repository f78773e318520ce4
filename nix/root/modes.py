"""The modes of the image's own directories."""

MODES = {"/root": 0o700, "/tmp": 0o1777, "/var/tmp": 0o1777}


def is_in(path, directory):
    return path == directory or path.startswith(directory + "/")


def sealed(prefix):
    """The directory that holds the application: closed, to its owner too."""
    return "/" + prefix.strip("/").split("/")[0]


def mode_of(path, directories):
    """The mode of a directory, which is 0755 for most. The user that a container runs
    as is not known here (a rootless engine maps any), so the directories that are to be
    written to are open to all, with those that lie between them."""
    if MODES.get(path, 0) & 0o1000:
        return MODES[path]
    return 0o777 if any(is_in(path, one) for one in directories) else MODES.get(path, 0o755)
