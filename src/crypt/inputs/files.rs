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
            &[
                "*.example",
                "*.sample",
                "*.template",
                "*.dist",
                "*.defaults",
                "*.pub",
                "*.test",
                "*.testing",
                "example.env",
                "sample.env",
                "template.env",
            ],
            "made to be shown",
        ),
        Row::noted(
            &[
                ".env",
                ".env.*",
                "*.env",
                "*.pem",
                "*.key",
                "*.p12",
                "*.pfx",
                "id_*",
                ".netrc",
                ".pypirc",
                ".git-credentials",
                ".pgpass",
            ],
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
        let name = path.components().next_back().unwrap_or_default().to_lowercase();
        if is_private_key(entry) {
            return SECRETS.row(".env").map(|row| row.why);
        }
        let row = SECRETS.row(&name).filter(|row| row.fate == Fate::Noted)?;
        (!is_other(&name, entry)).then_some(row.why)
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

/// What only has the name of a secret: nothing, public parts, programs and texts.
fn is_other(name: &str, entry: &Entry) -> bool {
    let Entry::File { bytes, .. } = entry else { return true };
    match name.rsplit_once('.').map(|(_, end)| end) {
        _ if bytes.is_empty() => true,
        // Of a front end's build they are settings, most often.
        Some(_) if name.starts_with(".env.") => !has_secret(&String::from_utf8_lossy(bytes)),
        Some("pem") => bytes.trim_ascii_start().starts_with(b"-----BEGIN "),
        Some("key") => true,
        Some(_) => name.starts_with("id_"),
        // Those of OpenSSH: other things are called so as well.
        None => name.starts_with("id_") && !KEYS.iter().any(|key| name.starts_with(key)),
    }
}

/// Whether a line gives a value to a name that is one of a secret.
fn has_secret(text: &str) -> bool {
    text.lines().filter_map(|line| line.split_once('=')).any(|(name, value)| {
        let name = name.to_uppercase();
        let value = value.trim().trim_matches(['"', '\'']);
        !value.is_empty() && ["KEY", "PASSWORD", "SECRET", "TOKEN"].iter().any(|word| name.contains(word))
    })
}

/// How OpenSSH calls keys.
const KEYS: [&str; 5] = ["id_dsa", "id_ecdsa", "id_ed25519", "id_rsa", "id_xmss"];

/// Whether a file begins as a private key, whatever it is called.
fn is_private_key(entry: &Entry) -> bool {
    let Entry::File { bytes, .. } = entry else { return false };
    let first = bytes.trim_ascii_start().split(|&byte| byte == b'\n').next().unwrap_or_default();
    first.starts_with(b"-----BEGIN ") && first.trim_ascii_end().ends_with(b"PRIVATE KEY-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(files: &[(&str, &str)]) -> Vec<String> {
        let mut tree = FileTree::new();
        for (path, text) in files {
            tree.insert_text(path.parse().unwrap(), text);
        }
        let note = secrets("core", &tree).unwrap_or_default();
        note.split('`')
            .skip(1)
            .step_by(2)
            .filter(|word| word.starts_with("core/"))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn what_looks_like_a_secret_is_named() {
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
        for (path, text) in [
            (".env", "A=1"),
            ("deep/.env.production", "A=1\nAPI_TOKEN=x"),
            ("a.pem", "not one"),
            ("a.PEM", key),
            ("id_rsa", "x"),
            ("deploy_key", key),
            (".pgpass", "x"),
        ] {
            assert_eq!(named(&[(path, text)]), [format!("core/{path}")], "{path}");
        }
        for (path, text) in [
            (".env", ""),
            (".env.local.sample", "A_TOKEN=1"),
            (".env.production", "VITE_API_URL=/api\nAPI_KEY=\n"),
            (".env.test", "A_TOKEN=1"),
            ("example.env", "A=1"),
            ("a.pem", "-----BEGIN PUBLIC KEY-----\n"),
            ("a.pem", "-----BEGIN CERTIFICATE-----\n"),
            ("slides.key", "PK"),
            ("id_map", "x"),
            ("id_card.py", "x"),
            ("id_rsa.pub", "x"),
            ("keys.md", "a -----BEGIN RSA PRIVATE KEY-----"),
        ] {
            assert_eq!(named(&[(path, text)]), [""; 0], "{path}");
        }
        let many: Vec<(String, &str)> = (0..12).map(|n| (format!("{n:02}.env"), "A=1")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        assert_eq!(named(&many).len(), NAMED);
    }
}
