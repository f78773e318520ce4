"""A root whose links lead into the store, which is looked into as well."""

import os
import stat

from tree import Root, Stored

STORE = "/nix/store"


class StoreRoot(Root):
    """Looks paths up as a process would whose root the tree is. The store is the
    real one, so a path without links may be one of it."""

    def node(self, real):
        if real == STORE or STORE.startswith(real + "/"):
            return {}
        if not real.startswith(STORE + "/"):
            return super().node(real)
        try:
            mode = os.lstat(real).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return None
        if stat.S_ISLNK(mode):
            return os.readlink(real)
        return dict.fromkeys(os.listdir(real)) if stat.S_ISDIR(mode) else Stored(real)
