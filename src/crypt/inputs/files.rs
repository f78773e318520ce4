//! Files whose presence says something: locks and settings of other tools, and what looks like a secret.

use super::input::{Fate, Input, Row};
use crate::tree::{Entry, FileTree, RelativePath};

/// Files beside a `pyproject.toml`.
pub const PYTHON: Input = Input {
    name: "the directory of a pyproject.toml",
    about: "files beside it.",
    rows: &[&[
        Row::taken(&["pyproject.toml", "register.py", "setup.cfg", "uv.toml"], "see there"),
        Row::taken(&["uv.lock"], "the core's gives the first versions; of an extension nothing is taken"),
        Row::noted(
            &["Pipfile", "Pipfile.lock", "pdm.lock", "poetry.lock", "poetry.toml", "pdm.toml"],
            "the forge locks with uv: only a `uv.lock` of the core gives the first versions",
        ),
    ]],
    others: Fate::Harmless,
};

/// Files beside a `package.json`.
pub const NODE: Input = Input {
    name: "the directory of a package.json",
    about: "files beside it.",
    rows: &[&[
        Row::taken(&[".npmrc", ".yarnrc.yml", "package.json", "pnpm-workspace.yaml"], "by their own keys"),
        Row::taken(
            &["package-lock.json"],
            "the core's gives the first versions; of an extension nothing is taken",
        ),
        Row::noted(
            &["bun.lock", "bun.lockb", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock"],
            "the forge locks with npm: only a `package-lock.json` of the core gives the first versions",
        ),
        Row::noted(
            &[".pnpmfile.cjs", ".pnpmfile.mjs", ".yarnrc", "bunfig.toml", "lerna.json"],
            "another package manager's: npm locks and installs",
        ),
    ]],
    others: Fate::Harmless,
};

/// Anywhere in a source tree.
pub const SECRETS: Input = Input {
    name: "a source tree",
    about: "files anywhere in it that look like secrets, by their name.",
    rows: &[&[
        Row::harmless(
            &[".env.example", ".env.sample", ".env.template", ".env.dist", ".env.defaults", "*.pub"],
            "made to be shown",
        ),
        Row::noted(
            &[".env", ".env.*", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "id_*", ".netrc", ".pypirc"],
            "store and flake are for all to read; `.gitignore` keeps files out, and podman keeps secrets",
        ),
    ]],
    others: Fate::Harmless,
};

/// The most files that look like secrets which a note names.
const NAMED: usize = 8;

/// What is told of the files of a directory of a member's tree; `shown` is what messages call the member.
pub(in crate::crypt) fn beside(
    kind: &Input,
    shown: &str,
    tree: &FileTree,
    directory: Option<&RelativePath>,
) -> Vec<String> {
    let within = |path: &RelativePath| match directory {
        Some(directory) => {
            path.as_str().strip_prefix(directory.as_str())?.strip_prefix('/').map(str::to_owned)
        }
        None => Some(path.as_str().to_owned()),
    };
    let noted = |(path, _): (&RelativePath, &Entry)| {
        let row = kind.row(&within(path)?).filter(|row| row.fate == Fate::Noted)?;
        Some(format!("`{shown}/{path}` is not taken: {}", row.why))
    };
    tree.iter().filter_map(noted).collect()
}

/// One note of all files of a tree that look like secrets.
pub(in crate::crypt) fn secrets(shown: &str, tree: &FileTree) -> Option<String> {
    let looks_so = |path: &RelativePath, entry: &Entry| {
        let name = path.components().next_back().unwrap_or_default();
        let row = SECRETS.row(name).filter(|row| row.fate == Fate::Noted)?;
        (!is_other(name, entry)).then_some(row.why)
    };
    let found: Vec<(&RelativePath, &str)> =
        tree.iter().filter_map(|(path, entry)| Some((path, looks_so(path, entry)?))).collect();
    let (_, why) = found.first()?;
    let mut named: Vec<String> =
        found.iter().take(NAMED).map(|(path, _)| format!("`{shown}/{path}`")).collect();
    if found.len() > NAMED {
        named.push(format!("and {} more", found.len() - NAMED));
    }
    let (look, is) =
        if found.len() == 1 { ("looks like a secret", "it is") } else { ("look like secrets", "they are") };
    Some(format!("{} {look}, and {is} in the source tree: {why}", named.join(", ")))
}

/// What only has the name of a secret: certificates, programs and texts.
fn is_other(name: &str, entry: &Entry) -> bool {
    let Entry::File { bytes, .. } = entry else { return true };
    let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    let is_key = || has(b"PRIVATE KEY");
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("pem") => has(b"-----BEGIN CERTIFICATE-----") && !is_key(),
        Some("key") => !is_key(),
        Some(_) => name.starts_with("id_"),
        None => false,
    }
}
