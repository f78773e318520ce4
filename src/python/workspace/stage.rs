//! The staged workspace: one root manifest, and for each project a manifest of its static metadata.
//!
//! A member's own files are never staged and it is staged as no package, so uv has nothing to build:
//! for editable packages uv runs build backends even under `--no-build`. Dependency groups and extras
//! that nobody asks for never reach an image and stay out, so they cannot conflict either; what the body's
//! groups ask for is staged as dependencies.

use std::collections::BTreeSet;

use toml::{Table, Value};
use uv_pep508::MarkerTree;

use super::{
    extras::extras,
    project::{BUILD, FEDERATION, Project},
    root_settings::RootSettings,
};
use crate::{
    codex::Codex,
    diagnostic::{Diagnostic, Failure},
    name::{ExtraName, GroupName},
    tree::{Entry, FileTree, RelativePathError},
};

/// The version of a project whose build decides it. uv takes no notice of a member's version.
const UNKNOWN_VERSION: &str = "0";

/// What all images are, as a marker.
const SUPPORTED: &str = "sys_platform == 'linux' and implementation_name == 'cpython' and platform_python_implementation == 'CPython'";

/// What this image is, as a marker.
pub(super) fn image(codex: &Codex) -> MarkerTree {
    let python = format!("{SUPPORTED} and python_version == '{}'", codex.image.python);
    python.parse().unwrap_or(MarkerTree::TRUE)
}

/// The federation as one uv workspace.
pub(super) fn federation(
    projects: &[Project],
    settings: &RootSettings,
    codex: &Codex,
) -> Result<FileTree, RelativePathError> {
    let kept = extras(projects);
    let mut tree = FileTree::new();
    for project in projects {
        let path = format!("{}/pyproject.toml", project.staged()).parse()?;
        tree.insert_text(path, member(project, kept.get(project.name())).to_string());
        for (path, bytes) in &project.files {
            tree.insert(path.clone(), Entry::File { bytes: bytes.clone(), executable: false });
        }
    }
    let top: Vec<&Project> = projects.iter().filter(|project| project.directory.is_none()).collect();
    let mut uv = common(codex, &settings.root);
    let staged = projects.iter().map(|project| Value::from(project.staged())).collect::<Vec<_>>();
    uv.insert("workspace".to_owned(), table([("members", staged.into())]));
    let sources =
        top.iter().map(|project| (project.name().to_string(), table([("workspace", Value::Boolean(true))])));
    uv.insert("sources".to_owned(), Value::Table(sources.collect()));
    let dependencies = top.iter().map(|project| project.name().to_string()).collect();
    tree.insert_text("pyproject.toml".parse()?, root(FEDERATION, dependencies, codex, uv));
    Ok(tree)
}

/// A project that depends on what one build environment holds.
pub(super) fn build_environment(
    requires: &[String],
    settings: &RootSettings,
    codex: &Codex,
) -> Result<FileTree, RelativePathError> {
    let mut keys = Table::new();
    for (from, to) in [("build-constraint-dependencies", "constraint-dependencies"), ("index", "index")] {
        keys.extend(settings.root.get(from).map(|value| (to.to_owned(), value.clone())));
    }
    // A table of its own keeps uv from looking for a workspace above.
    keys.insert("workspace".to_owned(), table([("members", Value::Array(Vec::new()))]));
    let mut tree = FileTree::new();
    let text = root(BUILD, requires.to_vec(), codex, common(codex, &keys));
    tree.insert_text("pyproject.toml".parse()?, text);
    Ok(tree)
}

/// The only configuration file uv reads. uv must find wheels for everything but what the policy lets be built;
/// of that it may read what the source states statically, and still finds no Python to run a build with.
pub(super) fn configuration(settings: &RootSettings, codex: &Codex) -> String {
    let mut settings = settings.configuration.clone();
    settings.insert("no-build".to_owned(), true.into());
    // For uv these are exceptions of `no-build`. Their wheels are locked all the same.
    let allowed: Vec<String> = codex.policy.allow_sdist.iter().map(ToString::to_string).collect();
    if !allowed.is_empty() {
        settings.insert("no-binary-package".to_owned(), allowed.into());
    }
    settings.insert("python-downloads".to_owned(), "never".into());
    settings.insert("python-preference".to_owned(), "only-system".into());
    // The same certificates as the forge's own downloads.
    settings.insert("system-certs".to_owned(), true.into());
    settings.to_string()
}

/// Why something cannot be staged.
pub(super) fn unstageable(error: &RelativePathError) -> Failure {
    Diagnostic::new(format!("the workspace cannot be staged: {error}")).into()
}

fn root(name: &str, dependencies: Vec<String>, codex: &Codex, uv: Table) -> String {
    let project = table([
        ("name", name.into()),
        ("version", UNKNOWN_VERSION.into()),
        ("requires-python", format!("=={}.*", codex.image.python).into()),
        ("dependencies", dependencies.into()),
    ]);
    let tool = table([("uv", Value::Table(uv))]);
    Table::from_iter([("project".to_owned(), project), ("tool".to_owned(), tool)]).to_string()
}

/// What both kinds of root say to uv: resolve for this image's platforms only.
fn common(codex: &Codex, keys: &Table) -> Table {
    let mut uv = keys.clone();
    uv.insert("package".to_owned(), Value::Boolean(false));
    let of_machine = |base: &str| -> Vec<String> {
        let platforms = codex.image.platforms.iter();
        platforms.map(|platform| format!("{base} and platform_machine == '{}'", platform.machine())).collect()
    };
    uv.insert("environments".to_owned(), of_machine(SUPPORTED).into());
    uv.insert("required-environments".to_owned(), of_machine("sys_platform == 'linux'").into());
    uv
}

fn member(project: &Project, extras: Option<&BTreeSet<ExtraName>>) -> Table {
    let manifest = &project.manifest.project;
    let texts = |list: &[crate::crypt::manifest::Dependency]| -> Value {
        list.iter().map(|asked| Value::from(asked.text.clone())).collect::<Vec<_>>().into()
    };
    let version =
        manifest.version.as_ref().map_or_else(|| UNKNOWN_VERSION.to_owned(), |v| v.value.to_string());
    let mut entries = vec![
        ("name", project.name().to_string().into()),
        ("version", version.into()),
        ("dependencies", texts(&manifest.dependencies)),
    ];
    if let Some(requires) = &manifest.requires_python {
        entries.push(("requires-python", requires.value.to_string().into()));
    }
    let is_kept = |name: &ExtraName| extras.is_some_and(|kept| kept.contains(name));
    let optional: Table = manifest
        .optional_dependencies
        .iter()
        .filter(|(name, _)| is_kept(name))
        .map(|(name, list)| (name.to_string(), texts(list)))
        .collect();
    if !optional.is_empty() {
        entries.push(("optional-dependencies", Value::Table(optional)));
    }
    let mut uv = Table::from_iter([("package".to_owned(), Value::Boolean(false))]);
    let sources = live_sources(&project.sources, &is_kept, &project.manifest.groups);
    if !sources.is_empty() {
        uv.insert("sources".to_owned(), Value::Table(sources));
    }
    Table::from_iter([
        ("project".to_owned(), table(entries)),
        ("tool".to_owned(), table([("uv", Value::Table(uv))])),
    ])
}

/// Sources without the entries for what is left out: groups and extras. The entries of the body's groups are those of
/// plain dependencies, as which they are staged.
fn live_sources(
    sources: &Table,
    is_kept: &dyn Fn(&ExtraName) -> bool,
    groups: &BTreeSet<GroupName>,
) -> Table {
    let lives = |entry: &Value| -> Option<Value> {
        let mut entry = entry.clone();
        let table = entry.as_table_mut()?;
        let extra = table.get("extra").and_then(Value::as_str).map(str::parse::<ExtraName>);
        let group = table.remove("group");
        let group = group.as_ref().and_then(Value::as_str).map(str::parse::<GroupName>);
        let is_live = group.is_none_or(|group| group.is_ok_and(|group| groups.contains(&group)))
            && extra.is_none_or(|extra| extra.is_ok_and(|extra| is_kept(&extra)));
        is_live.then_some(entry)
    };
    let mut live = Table::new();
    for (name, source) in sources {
        match source {
            Value::Array(entries) => {
                let kept: Vec<Value> = entries.iter().filter_map(lives).collect();
                if !kept.is_empty() {
                    live.insert(name.clone(), kept.into());
                }
            }
            entry => live.extend(lives(entry).map(|entry| (name.clone(), entry))),
        }
    }
    live
}

fn table<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Table(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}
