//! Build environments: `uv.lock` does not lock build systems, so each distinct set of requirements gets
//! a small lock of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    conflict::Ask,
    node::{complain, requirement},
    project::Project,
};
use crate::{
    crypt::manifest::Dependency,
    diagnostic::{Diagnostic, Failure, Source},
    digest::Sha256,
    document::{self, Table},
    name::PackageName,
    python::sources::recipe::{backend_requires, setup_requires},
    tree::FileTree,
};

/// A set of build requirements with those who want it.
pub(super) struct Wanted<'a> {
    /// Normalised, sorted, each once.
    pub(super) requires: Vec<String>,
    pub(super) asks: Vec<(String, &'a Dependency)>,
}

impl Wanted<'_> {
    pub(super) fn asks(&self) -> Vec<Ask<'_>> {
        self.asks.iter().map(|(by, dependency)| Ask { by, name: None, dependency }).collect()
    }
}

/// The id of a set of requirements: 16 hex digits of the sha256 of its lines.
fn id(requires: &[String]) -> String {
    let lines: Vec<&str> = requires.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    Sha256::of(lines.concat()).short(16)
}

/// What each project is built with, in their order.
pub(super) fn needs<'a>(
    projects: &'a [Project],
    hooks: &'a [Vec<Dependency>],
) -> impl Iterator<Item = Option<Need<'a>>> {
    projects.iter().zip(hooks).map(|(project, hooks)| Need::of(project, hooks))
}

/// Distinct sets by id, and the id of each project.
pub(super) type Sets<'a> = (BTreeMap<String, Wanted<'a>>, Vec<Option<String>>);

/// One thing to be built: what messages call it, and what it is built with.
pub(super) struct Need<'a> {
    pub(super) title: String,
    pub(super) requires: Vec<&'a Dependency>,
}

impl<'a> Need<'a> {
    /// A project of ours with what its backend's hooks want; `None` for one that is no package.
    pub(super) fn of(project: &'a Project, hooks: &'a [Dependency]) -> Option<Self> {
        let system = project.manifest.build_system.as_ref()?;
        Some(Self { title: project.title(), requires: system.requires.iter().chain(hooks).collect() })
    }
}

/// What is wanted, by id, and each need's id in the order of `needs`; `names` are those of our projects.
pub(super) fn wanted<'a>(
    needs: impl IntoIterator<Item = Option<Need<'a>>>,
    names: &BTreeSet<&PackageName>,
) -> Result<Sets<'a>, Failure> {
    let mut all: BTreeMap<String, Wanted<'a>> = BTreeMap::new();
    let (mut ids, mut wrong) = (Vec::new(), Vec::new());
    for need in needs {
        let Some(need) = need else {
            ids.push(None);
            continue;
        };
        let mut requires = BTreeSet::new();
        let mut asks = Vec::new();
        for dependency in need.requires {
            if names.contains(&dependency.requirement.name) {
                wrong.push(
                    complain(&dependency.place, "nothing can be built with a member")
                        .requested_by(need.title.clone())
                        .help("put the backend into the member's own tree and name it in `backend-path`"),
                );
            }
            requires.insert(dependency.requirement.to_string());
            asks.push((need.title.clone(), dependency));
        }
        let requires: Vec<String> = requires.into_iter().collect();
        let id = id(&requires);
        let entry = all.entry(id.clone()).or_insert_with(|| Wanted { requires, asks: Vec::new() });
        entry.asks.extend(asks);
        ids.push(Some(id));
    }
    crate::diagnostic::refuse_any(wrong)?;
    Ok((all, ids))
}

/// What a backend's `get_requires_for_build_wheel` would add and files state: setuptools' `setup_requires` in
/// `setup.cfg`, and the requirements of hatchling's build hooks in the tables of `tool.hatch.build`. And what it would
/// add in any case.
pub(super) fn hook_requirements(
    project: &Project,
    tree: Option<&FileTree>,
) -> Result<Vec<Dependency>, Failure> {
    let Some(system) = &project.manifest.build_system else { return Ok(Vec::new()) };
    let title = project.title();
    let config = project.directory.as_ref().filter(|_| project.git.is_none());
    let config = config.map_or_else(|| "setup.cfg".to_owned(), |directory| format!("{directory}/setup.cfg"));
    let text = config.parse().ok().and_then(|path| tree?.file(&path)).map(String::from_utf8_lossy);
    if let Some(text) = text {
        let config = Source::new(format!("{title}/setup.cfg"), text.replace("\r\n", "\n"));
        let found = setup_requires(&system.backend, &config)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    if !system.backend.starts_with("hatchling") {
        return backend_requires(system);
    }
    let manifest = document::parse(&project.manifest.source)?;
    let at = |path: &[&str]| -> Option<&Table> {
        path.iter().try_fold(&manifest, |table: &Table, &key| table.table(key))
    };
    let build = at(&["tool", "hatch", "build"]);
    let wheel = at(&["tool", "hatch", "build", "targets", "wheel"]);
    let mut tables: Vec<&Table> = build.into_iter().chain(wheel).collect();
    for hooks in [build, wheel].into_iter().flatten().filter_map(|table| table.table("hooks")) {
        tables.extend(hooks.iter().filter_map(|(_, field)| field.node.as_table()));
    }
    let (mut found, mut wrong) = (Vec::new(), Vec::<Diagnostic>::new());
    for node in tables.iter().filter_map(|table| table.get("dependencies")?.as_array()).flatten() {
        match requirement(node) {
            Ok(dependency) => found.push(dependency),
            Err(bad) => wrong.push(bad.requested_by(project.title())),
        }
    }
    crate::diagnostic::refuse_any(wrong)?;
    Ok(found)
}
