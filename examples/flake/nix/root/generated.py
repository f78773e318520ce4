"""What no package has and no program makes: files that are read off the others,
and the directories of any root."""

import os

import alternatives
import ucf
from tree import Stored, directory


def certificates(root):
    """ca-certificates.crt: every certificate, in the order of the names."""
    found = []

    def walk(path):
        for name in root.names(path):
            if name.endswith(".crt"):
                found.append((f"{path}/{name}", root.read(f"{path}/{name}")))
            else:
                walk(f"{path}/{name}")

    walk("/usr/share/ca-certificates")
    return b"".join(content.rstrip(b"\n") + b"\n" for _, content in sorted(found))


def generated(root, controls, note):
    """path -> node of what no tool is needed for."""
    made = {}
    if bundle := certificates(root):
        made["/etc/ssl/certs/ca-certificates.crt"] = bundle
    scripts = [
        alternative
        for name, control in controls.items()
        for alternative in alternatives.parse(control.script("postinst"), name, note)
    ]
    for path, target in alternatives.links(scripts, lambda path: root.real(path) is not None).items():
        # a script may say /lib for what is now /usr/lib
        folder, name = os.path.split(path)
        real = os.path.join(root.real(folder) or root.place(folder), name)
        if root.node(real) is not None and not isinstance(root.node(real), str):
            note(f"{path} is a file of a package, so no alternative takes its place")
            continue
        made[real] = target
    for name, control in controls.items():
        for source, target in ucf.copies(control.script("postinst"), name, note):
            place = root.on_disk(root.real(source) or source)
            if place is None:
                note(f"{name}: ucf installs {source}, which is not there")
            elif root.real(target) is None:
                made[target] = Stored(place)
    if root.real("/bin/sh") is None:
        shell = next((name for name in ("dash", "bash") if root.real(f"/usr/bin/{name}") or root.real(f"/bin/{name}")), None)
        if shell:
            made["/usr/bin/sh"] = shell
    if root.real("/etc/localtime") is None and root.real("/usr/share/zoneinfo/Etc/UTC"):
        made["/etc/localtime"] = "/usr/share/zoneinfo/Etc/UTC"
    if root.read("/etc/nsswitch.conf") is None:
        made["/etc/nsswitch.conf"] = b"passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\nprotocols: files\nservices: files\n"
    if root.read("/etc/ld.so.conf") is None:
        made["/etc/ld.so.conf"] = b"include /etc/ld.so.conf.d/*.conf\n"
    return made


def skeleton(tree, links):
    """Makes the directories of any root, and its directory links (link -> target, both
    without a slash in front) where there is what they lead to: (path, node) of each."""
    made = []
    for path in ("/dev", "/etc", "/home", "/media", "/mnt", "/opt", "/proc", "/root", "/run/lock", "/srv", "/sys", "/tmp", "/usr/local/bin", "/var/cache", "/var/lib", "/var/log", "/var/tmp"):
        directory(tree, path)
        made.append((path, {}))
    for link, target in links.items():
        above, _, name = link.rpartition("/")
        place, there = directory(tree, above), tree
        for part in target.split("/"):
            there = there.get(part) if isinstance(there, dict) else None
        if there is not None and name not in place:
            place[name] = "/" + target if above else target
            made.append(("/" + link, place[name]))
    return made
