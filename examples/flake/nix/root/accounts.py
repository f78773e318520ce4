"""The users of an image: those of its root, and its own."""

PASSWD = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
GROUP = "root:x:0:\nnogroup:x:65534:\n"


def accounts(user, uid, directories, passwd=None, group=None):
    """path -> bytes of passwd(5) and group(5), from the text that the root has of each. The first entry
    of a number gives it its name."""
    known, members = entry_of(passwd, user), entry_of(group, user)
    home = known[5] if known else "/nonexistent"
    home = next((path for path in directories if path == f"/home/{user}"), home)
    texts = {
        "/etc/passwd": (passwd or PASSWD, f"{user}:x:{uid}:{uid}:{user}:{home}:/bin/sh"),
        "/etc/group": (group or GROUP, f"{user}:x:{uid}:{members[3] if members else ''}"),
    }
    return {path: with_entry(text, entry, uid).encode(errors="surrogateescape") for path, (text, entry) in texts.items()}


def entry_of(text, name):
    """The fields that passwd(5) or group(5) has of a name, or None."""
    return next((line.split(":") for line in (text or "").splitlines() if line.startswith(f"{name}:")), None)


def numbers(passwd, group, name):
    """The numbers of an account's user and group; none where there is no such user, whose name a group may have."""
    found = [entry_of(text, name) for text in (passwd, group)]
    return [int(fields[2]) if fields and found[0] else None for fields in found]


def renumbered(modes, was, uid):
    """Modes and owners (place -> octal, uid, gid) where the image's user has another number than the root's
    account of that name: `was`, its user's and its group's."""
    of = lambda number, before: uid if number == before else number
    return {place: [mode, of(owner, was[0]), of(group, was[1])] for place, (mode, owner, group) in modes.items()}


def with_entry(text, entry, uid):
    """The text with the entry after root's; without another of its name. Root and nobody are there."""
    if uid in (0, 65534):
        return text
    name = entry.partition(":")[0] + ":"
    first, *rest = [line for line in text.splitlines() if not line.startswith(name)]
    return "\n".join([first, entry, *rest]) + "\n"
