//! What is the forge's own: `[tool.lychd]` and the context of a hook. Their readers refuse what they do not know.

use super::input::{Fate, Input, Row};

/// `[tool.lychd]`.
pub const TOOL_LYCHD: Input = Input {
    name: "[tool.lychd]",
    about: "of a member's `pyproject.toml`. A key that is not known is an error.",
    rows: &[&[
        Row::taken(
            &["assets", "groups", "hook", "rune", "system-dependencies"],
            "see `[tool.lychd]` in formats.md",
        ),
        Row::taken(&["image", "images"], "the core's alone; in an extension they are refused"),
    ]],
    others: Fate::Refused,
};

/// `[dependency-groups]`.
pub const DEPENDENCY_GROUPS: Input = Input {
    name: "[dependency-groups]",
    about: "of a member's `pyproject.toml` (PEP 735).",
    rows: &[&[
        Row::taken(
            &["<group of `default-groups`>", "<group of `groups`>"],
            "`groups` in [tool.lychd], or else `default-groups` in [tool.uv] without `dev`, and what these include",
        ),
        Row::harmless(&["<other group>"], "`uv sync --no-dev` does not install it either"),
    ]],
    others: Fate::Harmless,
};

/// What `register(context)` is given.
pub const HOOK: Input = Input {
    name: "context of register.py",
    about: "what a hook may call. A name that is a slip of one of these is an error; any other is LychD's at run time, and noted.",
    rows: &[&[Row::taken(
        &["add_system_dependency", "add_rune", "add_container"],
        "see `register.py` in formats.md",
    )]],
    others: Fate::Noted,
};
