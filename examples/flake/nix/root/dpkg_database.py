"""The database of dpkg (deb-status and the files below /var/lib/dpkg) for packages whose
files are in place and whose maintainer scripts have not run: "install ok unpacked".

Formats: dpkg-query(1), deb(5), deb-triggers(5); triggers/File and the rest are dpkg's own."""

import os

PLACE = "var/lib/dpkg"
# Those that dpkg starts; the others are data.
PROGRAMS = ("preinst", "postinst", "prerm", "postrm", "config")


def stanza(control):
    """The paragraph of the status file: the package's own, with a status."""
    first, *rest = control.members["control"].decode(errors="surrogateescape").rstrip("\n").split("\n")
    return "\n".join([first, "Status: install ok unpacked", *rest]) + "\n"


def info_name(control):
    """What files of info/ begin with: several architectures of a `Multi-Arch: same` could be installed."""
    name = control.fields["package"]
    return f"{name}:{control.fields['architecture']}" if control.fields.get("multi-arch") == "same" else name


def interests(controls):
    """(trigger, who is interested, whether others wait for it) of every package."""
    for control in controls:
        for line in control.members.get("triggers", b"").decode(errors="replace").splitlines():
            words = line.partition("#")[0].split()
            if len(words) == 2 and words[0].startswith("interest"):
                yield words[1], info_name(control), not words[0].endswith("noawait")


def write(root, packages):
    """Writes it into a root. `packages`: pairs of control and the paths of the package, as its archive
    has them. Gives the names of the triggers that somebody is interested in, sorted."""
    base = f"{root}/{PLACE}"
    for name in ("alternatives", "info", "parts", "triggers", "updates"):
        os.makedirs(f"{base}/{name}", exist_ok=True)
    for control, paths in packages:
        name = f"{base}/info/{info_name(control)}"
        put(f"{name}.list", "".join(f"{path}\n" for path in ["/.", *paths]).encode(errors="surrogateescape"))
        for member, content in control.members.items():
            if member != "control":
                put(f"{name}.{member}", content, 0o755 if member in PROGRAMS else 0o644)
    controls = [control for control, _ in packages]
    put(f"{base}/info/format", b"1\n")
    put(f"{base}/status", "\n".join(map(stanza, controls)).encode(errors="surrogateescape"))
    for name in ("available", "triggers/Unincorp"):
        put(f"{base}/{name}", b"")
    files, named = [], {}
    for trigger, name, waits in interests(controls):
        line = name if waits else f"{name}/noawait"
        if trigger.startswith("/"):
            files.append(f"{trigger} {line}\n")
        else:
            named.setdefault(trigger, []).append(f"{line}\n")
    put(f"{base}/triggers/File", "".join(files).encode())
    for trigger, lines in named.items():
        put(f"{base}/triggers/{trigger}", "".join(lines).encode())
    return sorted({trigger for trigger, _, _ in interests(controls)})


def essential(controls):
    """Names of the packages that all others may use though they do not depend on them, with what these depend
    on, sorted: they are configured first. PAM's configuration is among them, which programs for accounts ask."""
    names = {}
    for control in controls:
        for name in control.names():
            names.setdefault(name, []).append(control)
    found, pending = set(), [control for control in controls if control.fields.get("essential") == "yes" or control.fields["package"] == "libpam-runtime"]
    while pending:
        control = pending.pop()
        if control.fields["package"] not in found:
            found.add(control.fields["package"])
            pending += [one for group in control.needs() for name in group for one in names.get(name, ())]
    return sorted(found)


def unfinished(root):
    """Names of the packages that are not "install ok installed", sorted."""
    with open(f"{root}/{PLACE}/status", encoding="utf-8", errors="surrogateescape") as file:
        stanzas = file.read().split("\n\n")
    found = (dict(line.split(": ", 1) for line in stanza.splitlines() if line.startswith(("Package: ", "Status: "))) for stanza in stanzas)
    return sorted(one["Package"] for one in found if one and one.get("Status") != "install ok installed")


def put(path, content, mode=0o644):
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)
