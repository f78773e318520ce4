"""One Tailwind for the whole federation.

A front end that is to style what every member shows names one of two files in
its sources; both are written beside its package.json just before its script
runs, and list the members' trees that lie in the workspace:

    tailwind.federation.css   Tailwind 4: `@import "./tailwind.federation.css";`
                              in the entry, one `@source` for each tree
    tailwind.federation.cjs   Tailwind 3: one configuration out of all members'
"""

import json
import os

CSS, CONFIG = "tailwind.federation.css", "tailwind.federation.cjs"
NOTE = "Written by the forge for one build; not part of any source."
KNOWN = ("tailwind.config.js", "tailwind.config.cjs", "tailwind.config.mjs")

# Tailwind takes content globs relative to the working directory, so each
# member's are made absolute; everything else of a configuration is a preset.
COMPOSE = """\
const path = require("node:path");
const load = (file) => { const found = require(file); return found.default ?? found; };
const rebase = (directory, entry) => {
  if (typeof entry !== "string") return entry;
  const out = entry.startsWith("!") ? "!" : "";
  return out + path.resolve(directory, entry.slice(out.length));
};
const configs = files.map((file) => {
  const { content = [], ...preset } = load(path.resolve(__dirname, file));
  const globs = Array.isArray(content) ? content : (content.files ?? []);
  const rest = Array.isArray(content) ? {} : content;
  return { preset, rest, globs: globs.map((glob) => rebase(path.resolve(__dirname, path.dirname(file)), glob)) };
});
const whole = (key) => Object.assign({}, ...configs.map(({ rest }) => (typeof rest[key] === "object" ? rest[key] : {})));
module.exports = {
  presets: configs.map(({ preset }) => preset),
  content: { files: configs.flatMap(({ globs }) => globs), extract: whole("extract"), transform: whole("transform") },
};
"""


def css(directory, roots):
    """The CSS entry: the members' trees as Tailwind 4 finds them."""
    lines = [f"/* {NOTE} */"]
    for root in roots:
        lines.append(f"@source {json.dumps(os.path.relpath(root, directory))};")
    return "\n".join(lines) + "\n"


def configs_below(root):
    """The Tailwind 3 configurations of a tree; a directory has at most one, and
    one that is made of the composed one is no part of it."""
    found = []
    for above, directories, names in os.walk(root):
        directories[:] = sorted(name for name in directories if name != "node_modules")
        own = [name for name in KNOWN if name in names]
        found += [path for path in (os.path.join(above, name) for name in own[:1]) if not composed(path)]
    return found


def composed(path):
    with open(path, "rb") as file:
        return CONFIG.encode() in file.read()


def config(directory, roots):
    """The configuration that composes the members' own."""
    files = ["./" + os.path.relpath(file, directory) for root in roots for file in configs_below(root)]
    return f"// {NOTE}\nconst files = {json.dumps(files, indent=2)};\n{COMPOSE}"


def write(directory, workspace, roots):
    """Writes the files below `directory`, unless the member has such a file."""
    roots = [os.path.join(workspace, root) for root in sorted(roots)]
    for name, text in ((CSS, css(directory, roots)), (CONFIG, config(directory, roots))):
        path = os.path.join(directory, name)
        if not os.path.lexists(path):
            with open(path, "x", encoding="utf-8") as file:
                file.write(text)
