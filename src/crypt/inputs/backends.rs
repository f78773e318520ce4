//! What other backends than uv's have of their own: `setup.cfg` of setuptools, and `[tool.poetry]`.

use super::input::{Fate, Input, Row, Written};
use crate::{crypt::Manifest, diagnostic::Source};

/// `setup.cfg`; a key is called by its section, as `options.setup_requires`.
pub const SETUP_CFG: Input = Input {
    name: "setup.cfg",
    about: "beside a `pyproject.toml` whose backend is setuptools; other backends do not read it.",
    rows: &[&[
        Row::taken(&["options.setup_requires"], "part of the build requirements"),
        Row::noted(
            &[
                "options.entry_points.*",
                "options.extras_require.*",
                "options.install_requires",
                "options.python_requires",
                "options.tests_require",
            ],
            "[project] of `pyproject.toml` is what counts, for setuptools as well",
        ),
        Row::noted(
            &["easy_install.*", "options.dependency_links"],
            "files come from indexes, with hashes; name them in [tool.uv]",
        ),
        Row::taken(
            &[
                "bdist_wheel.*",
                "build.*",
                "build_ext.*",
                "build_py.*",
                "egg_info.*",
                "metadata.*",
                "options.*",
            ],
            "setuptools reads it in the member's tree",
        ),
        Row::harmless(&["*"], "of other tools"),
    ]],
    others: Fate::Harmless,
};

/// `[tool.poetry]`.
pub const POETRY: Input = Input {
    name: "[tool.poetry]",
    about: "of a member's `pyproject.toml`.",
    rows: &[&[
        Row::noted(
            &["dependencies"],
            "it is Poetry's alone; what [project] has as `dependencies` counts, for uv as well",
        ),
        Row::harmless(&["dev-dependencies", "group"], "for development"),
        Row::taken(
            &["include", "exclude", "packages", "build", "version"],
            "poetry-core reads it in the member's tree",
        ),
    ]],
    others: Fate::Harmless,
};

/// The backend that reads the file.
const BACKEND: &str = "setuptools";
/// What of `[project]` setuptools takes from here where it is dynamic, by the begin of its key.
const DYNAMIC: [(&str, &[&str]); 1] =
    [("options.entry_points.", &["entry-points", "gui-scripts", "scripts"])];

/// The keys of the file, when the manifest's backend reads it.
pub(in crate::crypt) fn written(source: &Source, manifest: &Manifest) -> Vec<Written> {
    if !manifest.build_system.as_ref().is_some_and(|system| system.backend.starts_with(BACKEND)) {
        return Vec::new();
    }
    let is_dynamic = |key: &str| {
        let names = DYNAMIC.iter().find(|(begin, _)| key.starts_with(begin)).map(|(_, names)| *names);
        names.unwrap_or_default().iter().any(|name| manifest.project.dynamic.contains(*name))
    };
    let (mut found, mut section, mut offset) = (Vec::new(), "", 0);
    for line in source.text().split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let content = line.trim_end();
        if content.is_empty() || content.starts_with(['#', ';', ' ', '\t']) {
            continue;
        }
        if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.trim();
            continue;
        }
        let key = content.split(['=', ':']).next().unwrap_or_default().trim_end();
        let place = source.at(start..start + key.len());
        // setuptools takes both spellings.
        let key = format!("{section}.{}", key.replace('-', "_"));
        let is_off = is_dynamic(&key);
        found.push(Written { key, place, is_off });
    }
    found
}
