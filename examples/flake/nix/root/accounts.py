"""The users of an image: root, its own, and nobody."""


def accounts(user, uid, directories):
    """path -> bytes of passwd(5) and group(5)."""
    home = next((path for path in directories if path == f"/home/{user}"), "/nonexistent")
    passwd = [("root", 0, "/root", "/bin/sh"), ("nobody", 65534, "/nonexistent", "/usr/sbin/nologin")]
    group = [("root", 0), ("nogroup", 65534)]
    if uid not in (0, 65534):
        passwd.insert(1, (user, uid, home, "/bin/sh"))
        group.insert(1, (user, uid))
    return {
        "/etc/passwd": "".join(f"{name}:x:{number}:{number}:{name}:{place}:{shell}\n" for name, number, place, shell in passwd).encode(),
        "/etc/group": "".join(f"{name}:x:{number}:\n" for name, number in group).encode(),
    }
