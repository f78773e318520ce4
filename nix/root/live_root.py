"""A root on disk that programs may change, and what they changed in it."""

import os
import shutil
import stat

from tree import Stored

# What is not of the root: a program sees the build's own there.
OUTSIDE = ("dev", "proc", "sys")


def lay_out(tree, root, modes, epoch, backwards, place=""):
    """Writes a tree as real files below `root`, with the modes of `modes` (place -> octal,
    uid, gid; without setuid and setgid) and the time that everything has in an image. The
    order in which they are written is often that in which a directory tells its names."""
    os.makedirs(root + place, exist_ok=True)
    for name, node in sorted(tree.items(), reverse=backwards):
        below = f"{place}/{name}"
        path = root + below
        if isinstance(node, dict):
            lay_out(node, root, modes, epoch, backwards, below)
            continue
        if isinstance(node, str):
            os.symlink(node, path)
            continue
        if isinstance(node, Stored):
            shutil.copyfile(node.path, path)
            runs = os.stat(node.path).st_mode & 0o100
        else:
            with open(path, "wb") as file:
                file.write(node)
            runs = 0
        os.chmod(path, mode(modes, below, 0o755 if runs else 0o644))
        os.utime(path, (epoch, epoch))
    os.chmod(root + place, mode(modes, place, 0o755))
    os.utime(root + place, (epoch, epoch))


def mode(modes, place, usual):
    known = modes.get(place.lstrip("/"))
    return usual if known is None else int(known[0], 8)


def state(root, skipped):
    """place -> what a change of it changes, of everything below a root (no slashes in front) but of
    what lies in the directories of the top that are `skipped`."""
    found, pending = {}, [""]
    while pending:
        above = pending.pop()
        with os.scandir(f"{root}/{above}") as entries:
            for entry in entries:
                place = f"{above}/{entry.name}".lstrip("/")
                if place in skipped:
                    continue
                known = entry.stat(follow_symlinks=False)
                mode = stat.S_IMODE(known.st_mode)
                if entry.is_dir(follow_symlinks=False):
                    found[place] = ("directory", mode)
                    pending.append(place)
                elif entry.is_symlink():
                    found[place] = ("link", os.readlink(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    found[place] = ("file", mode, known.st_ino, known.st_size, known.st_mtime_ns)
                else:
                    found[place] = ("other",)
    return found


class LiveRoot:
    """`path`: where it lies. `own`: a directory of its top that is not of the root."""

    def __init__(self, path, tree, modes, epoch, own, backwards=False):
        self.path, self.skipped = path, (*OUTSIDE, own)
        lay_out(tree, path, modes, epoch, backwards)
        os.makedirs(f"{path}/{own}")
        self.before = state(path, self.skipped)

    def rewrite(self, place, content):
        """Gives a file other bytes; it stays the same file."""
        with open(f"{self.path}/{place}", "r+b") as file:
            file.truncate()
            file.write(content)

    def read(self, place):
        """The text of a file of the root; empty when there is none."""
        try:
            with open(f"{self.path}/{place}", encoding="utf-8", errors="surrogateescape") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def changed(self):
        """(place -> node of what is new or different, sorted places of what is gone, and of what is
        neither file, directory nor link)."""
        after, found = state(self.path, self.skipped), {}
        for place, known in sorted(after.items()):
            before = self.before.get(place)
            if before == known or known[0] == "other":
                continue
            if known[0] == "directory":
                if before is None or before[0] != "directory" or before[1] != known[1]:
                    found[place] = {}
            else:
                found[place] = known[1] if known[0] == "link" else Stored(f"{self.path}/{place}")
        return found, sorted(set(self.before) - set(after)), sorted(place for place, known in after.items() if known[0] == "other")
