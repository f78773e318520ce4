"""Libraries that one wheel needs and another brings, without either saying where
(nvidia's, intel's, pytorch's): links in the environment's own lib/, which every
patched wheel looks into (patch_elf.py). The environment is looked at as a whole,
so wheels need not be patched anew when another one changes.
"""

import os

from check_elf import DRIVER, MUSL


def providers(wheels, checker):
    """name -> [(wheel, path in the image)], by file name and by soname."""
    found = {}
    for package, meta in wheels:
        for path in meta["elf"]:
            place = f"/{package.at}/{path}"
            real = checker.root.real(place)
            elf = checker.elf(real) if real else None
            if elf is None or elf.interpreter or (elf.machine, elf.bits) not in (("x86_64", 64), ("aarch64", 64)):
                continue
            for name in {os.path.basename(path), elf.soname or os.path.basename(path)}:
                found.setdefault(name, set()).add((package.label, place))
    return {name: sorted(places) for name, places in found.items()}


def links(prefix, wheels, checker):
    """name -> path of every library that the environment's lib/ has to offer, and
    the notes on those that several wheels bring."""
    known, shared, notes = providers(wheels, checker), {}, []
    # `$ORIGIN` of a library is where it was opened, so one that is reached by a
    # link looks for its own from there.
    todo = [f"/{package.at}/{path}" for package, meta in wheels for path in meta["elf"]]
    seen_at = {path: path for path in todo}
    while todo:
        path = todo.pop(0)
        real = checker.root.real(seen_at[path])
        elf = checker.elf(real) if real else None
        if elf is None or any(map(MUSL.fullmatch, elf.needed)):
            continue
        origin = os.path.dirname(real if elf.interpreter else path)
        search = [checker._expand(part, origin) for part in (elf.runpath or elf.rpath)]
        for name in elf.needed:
            if name in shared or name not in known or DRIVER.fullmatch(name) or checker._found(name, search):
                continue
            wheel, place = known[name][0]
            if len({label for label, _ in known[name]}) > 1:
                others = ", ".join(f"{label} ({other})" for label, other in known[name])
                notes.append(f"{name} is brought by {others}; {wheel}'s is taken")
            shared[name] = place
            link = f"{prefix}/lib/{name}"
            seen_at[link] = place
            todo.append(link)
    return shared, notes
