"""Whether an image has the programs that its contract names."""

import os
import stat

from tree import Stored


def absent(image, root, starts, path, working_directory):
    """Messages about those that the root of an image has not. `starts` is key -> program, `path` what
    `PATH` says in the container."""
    messages = []
    for key, program in sorted(starts.items()):
        if "/" in program:
            places = [program if program.startswith("/") else f"{working_directory}/{program}"]
        else:
            places = [f"{folder}/{program}" for folder in path.split(":")]
        if not any(can_run(root, place) for place in places):
            messages.append(f"the image {image} has no program `{program}`, which `{key}` of its contract starts (looked for: {', '.join(places)}); name another in [tool.lychd.image] or [tool.lychd.images], or add the package that has it")
    return messages


def can_run(root, place):
    real = root.real(place)
    node = root.node(real) if real and not place.endswith("/") else None
    return isinstance(node, Stored) and bool(os.stat(node.path).st_mode & stat.S_IXUSR)
