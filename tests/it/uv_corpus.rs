//! Locks made with uv, and what uv itself installs from them (`tests/cases/uv/regenerate.py`): closure and
//! choice of wheels must be equal, file by file.
#![expect(clippy::disallowed_methods, reason = "tests read their cases themselves")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a broken case is a failed test")]

use std::{collections::BTreeSet, fs, path::Path};

use lychd_forge::{
    diagnostic::{Failure, Source},
    name::{Platform, url::HostPolicy},
    python::{
        install::{Extras, Groups, PythonEnvironment, Selection, Target, environment},
        lock::UvLock,
    },
};
use serde::Deserialize;

/// `selections.toml` of a case; the keys are uv's options.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Case {
    #[serde(default = "dev")]
    default_groups: BTreeSet<String>,
    selection: Vec<Options>,
}

fn dev() -> BTreeSet<String> {
    BTreeSet::from(["dev".to_owned()])
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "uv has as many options")]
struct Options {
    name: String,
    target: Option<String>,
    #[serde(default)]
    packages: Vec<String>,
    #[serde(default)]
    all_packages: bool,
    #[serde(default)]
    extras: Vec<String>,
    #[serde(default)]
    all_extras: bool,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    all_groups: bool,
    #[serde(default)]
    no_groups: Vec<String>,
    #[serde(default)]
    only_groups: Vec<String>,
    #[serde(default)]
    no_dev: bool,
    #[serde(default)]
    no_default_groups: bool,
    #[serde(default)]
    no_binary: Vec<String>,
    /// Source trees that are no members may be built; the forge builds them in the sandbox anyhow.
    #[serde(default)]
    #[expect(dead_code, reason = "uv alone has to be asked for it")]
    trees: bool,
    /// uv installs it and the forge does not: the words of the refusal.
    forge_refuses: Option<String>,
}

/// The same table as in `regenerate.py`.
fn target(name: &str) -> Target {
    let (python, platform, glibc) = match name {
        "trixie" => ("3.13.5", Platform::X86_64Linux, 41),
        "bookworm" => ("3.13.5", Platform::X86_64Linux, 36),
        "aarch64" => ("3.13.5", Platform::Aarch64Linux, 41),
        "glibc-2.17" => ("3.13.5", Platform::X86_64Linux, 17),
        "python-3.12" => ("3.12.1", Platform::X86_64Linux, 41),
        "python-3.10" => ("3.10.13", Platform::X86_64Linux, 41),
        "python-3.8" => ("3.8.18", Platform::X86_64Linux, 41),
        "python-3.13rc" => ("3.13.0rc2", Platform::X86_64Linux, 41),
        "python-3.12rc" => ("3.12.0rc1", Platform::X86_64Linux, 41),
        other => panic!("no target `{other}`"),
    };
    Target::new(python, platform, (2, glibc)).unwrap()
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>, C: FromIterator<T>>(names: &[String]) -> C {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn resolve(lock: &UvLock, case: &Case, options: &Options) -> Result<PythonEnvironment, Failure> {
    let selection = if options.packages.is_empty() {
        // uv's own default in a workspace is its root alone.
        assert!(
            options.all_packages || lock.manifest.members.is_empty(),
            "{}: say which packages",
            options.name
        );
        Selection::members(lock)
    } else {
        Selection::packages(parsed::<_, Vec<_>>(&options.packages))
    };
    let extras = if options.all_extras { Extras::All } else { Extras::Named(parsed(&options.extras)) };
    let mut without: BTreeSet<_> = parsed(&options.no_groups);
    if options.no_dev {
        without.insert("dev".parse().unwrap());
    }
    let groups = Groups {
        default: parsed(&case.default_groups.iter().cloned().collect::<Vec<_>>()),
        without_default: options.no_default_groups,
        with: parsed(&options.groups),
        all: options.all_groups,
        without,
        only: parsed(&options.only_groups),
    };
    let mut selection = selection.with_extras(lock, &extras)?.with_groups(lock, &groups)?;
    // uv builds what `--no-binary-package` names whatever `--no-build` says; the forge, when its policy names it.
    selection.building.no_binary = parsed(&options.no_binary);
    selection.building.allowed.clone_from(&selection.building.no_binary);
    let target = target(options.target.as_deref().unwrap_or("trixie"));
    environment(lock, &target, &selection, &HostPolicy::new([]))
}

fn listed(environment: &PythonEnvironment) -> BTreeSet<String> {
    let wheels = environment.packages.iter().map(|it| format!("{} {} {}", it.name, it.version, it.file.name));
    let members =
        environment.members.iter().filter(|it| it.installed).map(|it| format!("member {}", it.name));
    wheels.chain(members).collect()
}

/// uv's words and ours for one thing.
fn same_reason(theirs: &str, ours: &str) -> bool {
    let reasons = [
        ("has no binary distribution", "has no wheel"),
        ("has no binary distribution", "comes from git, which this lock cannot pin"),
        ("incompatible with the project's Python requirement", "requires Python"),
        ("incompatible with the declared conflicts", "incompatible"),
        ("incompatible with the conflicts", "incompatible"),
        ("enabled simultaneously", "incompatible"),
        ("not compatible with the lockfile's supported environments", "supported-markers"),
        ("is not defined in", "no selected package has"),
    ];
    reasons.iter().any(|(their, our)| theirs.contains(their) && ours.contains(our))
}

#[test]
fn the_corpus_of_uv_locks_gives_the_environments_that_uv_installs() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/uv");
    let mut compared = 0;
    let mut wrong = Vec::new();
    for directory in fs::read_dir(&cases).unwrap().map(|entry| entry.unwrap().path()) {
        if !directory.is_dir() {
            continue;
        }
        let text = |name: &str| fs::read_to_string(directory.join(name)).unwrap();
        let case: Case = toml::from_str(&text("selections.toml")).unwrap();
        let name = directory.file_name().unwrap().to_string_lossy().into_owned();
        let lock = UvLock::read(&Source::new(format!("{name}/uv.lock"), text("uv.lock"))).unwrap();
        assert!(lock.notes.is_empty(), "{name}: {:?}", lock.notes);
        for options in &case.selection {
            let label = format!("{name}/{}", options.name);
            let answer = text(&format!("expected/{}.txt", options.name));
            let expected: BTreeSet<String> =
                answer.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
            let refused = expected.contains("refused");
            compared += 1;
            match (resolve(&lock, &case, options), &options.forge_refuses) {
                (Err(failure), Some(words)) if !refused => {
                    if !failure.to_string().contains(words) {
                        wrong.push(format!("{label}: refused for another reason: {failure}"));
                    }
                }
                (Err(failure), _) if refused => {
                    if !same_reason(&answer, &failure.to_string()) {
                        wrong.push(format!("{label}: {answer} is not: {failure}"));
                    }
                }
                (Err(failure), _) => wrong.push(format!("{label}: {failure}")),
                (Ok(_), _) if refused => wrong.push(format!("{label}: uv refuses it")),
                (Ok(_), Some(words)) => wrong.push(format!("{label}: not refused for {words}")),
                (Ok(found), None) => {
                    let found = listed(&found);
                    let missing: Vec<_> = expected.difference(&found).collect();
                    let surplus: Vec<_> = found.difference(&expected).collect();
                    if !missing.is_empty() || !surplus.is_empty() {
                        wrong.push(format!("{label}: missing {missing:?}, surplus {surplus:?}"));
                    }
                }
            }
        }
    }
    assert!(compared > 200, "only {compared} selections were compared");
    assert!(wrong.is_empty(), "{} of {compared} differ from uv:\n{}", wrong.len(), wrong.join("\n"));
}
