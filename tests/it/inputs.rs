//! Inputs that decide the result are taken, refused or noted: each case below `tests/cases/inputs` with what is told.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "the tests read files and fail loudly")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use lychd_forge::{
    codex::{self, Codex},
    crypt::{
        self, Federation,
        inputs::{self, Fate},
    },
    diagnostic::Failure,
};

use crate::{golden, workspace};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/inputs")
}

fn discovered(case: &str) -> Result<Federation, Failure> {
    let case = cases().join(case);
    let codex = case.join("codex");
    let codex = if codex.exists() { codex::load(&codex).unwrap() } else { Codex::default() };
    crypt::discover(&case.join("crypt"), &codex)
}

/// What a person is told of a case before anything is locked.
fn told(case: &str) -> String {
    match discovered(case) {
        Ok(federation) => {
            federation.notes().iter().fold(String::new(), |text, note| text + "note: " + note + "\n")
        }
        Err(failure) => format!("{failure}\n"),
    }
}

#[test]
fn each_case_tells_what_is_not_taken() {
    let mut names: Vec<String> = fs::read_dir(cases())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("crypt").is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        golden::holds(&format!("tests/cases/inputs/{name}/told"), &told(&name));
    }
}

/// The released packages of a case's lock, made by the real uv, with what is noted of it.
fn locked(case: &str) -> Result<(BTreeMap<String, String>, Vec<String>), Failure> {
    let federation = discovered(case)?;
    let locked = workspace::lock(federation.members())?;
    let lock: toml::Table = locked.uv_lock.text().text().parse().unwrap();
    let released =
        lock["package"].as_array().unwrap().iter().filter(|one| one["source"].get("registry").is_some());
    let text = |one: &toml::Value, key: &str| one[key].as_str().unwrap().to_owned();
    Ok((released.map(|one| (text(one, "name"), text(one, "version"))).collect(), locked.notes))
}

fn names(case: &str) -> BTreeSet<String> {
    locked(case).unwrap().0.into_keys().collect()
}

#[test]
fn groups_are_those_that_uv_installs_without_dev() {
    let of = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(names("default-groups"), of(&["cachetools", "click", "humanize", "tabulate"]));
    assert_eq!(names("named-groups"), of(&["cachetools"]));
}

#[test]
fn the_settings_of_uv_toml_count() {
    assert_eq!(locked("uv-toml-date").unwrap().0["requests"], "2.31.0");
    let refused = locked("uv-toml-index").unwrap_err().to_string();
    for want in ["`pypi.example.org` is not allowed", "core/uv.toml:2:7", "[policy] hosts"] {
        assert!(refused.contains(want), "{want}\n--- not in ---\n{refused}");
    }
}

#[test]
fn an_override_does_not_outvote_another_member_silently() {
    let refused = locked("override-conflict").unwrap_err().to_string();
    for want in [
        "`moth` overrides `urllib3` against what `core` requires",
        "extensions/moth/pyproject.toml:9:26",
        "core/pyproject.toml:5:17: core wants this",
        "requested by moth, core",
    ] {
        assert!(refused.contains(want), "{want}\n--- not in ---\n{refused}");
    }
    let (versions, notes) = locked("override-noted").unwrap();
    assert_eq!(versions["urllib3"], "1.26.20");
    let note = notes.iter().find(|note| note.contains("overrides")).unwrap();
    assert!(
        note.starts_with("extensions/moth/pyproject.toml:9:26: `moth` overrides `urllib3==1.26.20` for every member; `core` wants `urllib3>=1.26`"),
        "{note}"
    );
}

/// `docs/inputs.md`: the tables, for people.
#[test]
fn the_documentation_is_the_tables() {
    let mut text = String::from(ABOUT);
    for input in inputs::all() {
        write!(text, "\n## {}\n\n", input.name).unwrap();
        if !input.about.is_empty() {
            writeln!(text, "{}{}\n", input.about[..1].to_uppercase(), &input.about[1..]).unwrap();
        }
        text.push_str("| key | |\n|---|---|\n");
        for row in input.rows.iter().copied().flatten() {
            let keys: Vec<String> = row.keys.iter().map(|key| format!("`{key}`")).collect();
            let help = row.help.map(|help| format!("; {help}")).unwrap_or_default();
            writeln!(text, "| {} | **{}**: {}{help} |", keys.join(", "), row.fate.as_str(), row.why).unwrap();
        }
        writeln!(text, "| any other | **{}** |", input.others.as_str()).unwrap();
    }
    golden::holds("docs/inputs.md", &text);
}

const ABOUT: &str = "# Inputs of other tools

What the forge does with each key of the files that uv, npm, pnpm, yarn and setuptools read. The rule: whatever in an input
decides the result is taken, refused with its place, or noted.

- **taken**: it is read and has its effect;
- **refused**: it ends the run, at its place, and says what to do instead;
- **noted**: the body is made without it, and a note says so;
- **harmless**: nothing of a body depends on it.

A value that asks for nothing (`false`, an empty list) says nothing. This page is written of the tables in
`src/crypt/inputs/`, and a test holds the two together. What the forge's own files may hold is in [formats.md](formats.md).
";

#[test]
fn no_key_has_two_fates_and_each_refusal_says_what_to_do() {
    for input in inputs::all() {
        let mut seen = BTreeSet::new();
        let keys = input.rows.iter().copied().flatten().flat_map(|row| row.keys);
        let twice: Vec<&&str> = keys.filter(|key| !seen.insert(**key)).collect();
        assert_eq!(twice, [&""; 0], "{}", input.name);
        for row in input.rows.iter().copied().flatten() {
            assert_eq!(row.help.is_some(), row.fate == Fate::Refused, "{}: {:?}", input.name, row.keys);
            assert!(!row.why.ends_with('.') && !row.keys.is_empty(), "{}: {:?}", input.name, row.keys);
        }
    }
}
