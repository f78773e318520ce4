//! Build environments: `uv.lock` does not lock build systems, so each distinct set of requirements gets
//! a small lock of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::{complain, conflict::Ask, project::Project};
use crate::{
    codex::document::{self, Table},
    crypt::manifest::Dependency,
    diagnostic::{Diagnostic, Failure},
    digest::Sha256,
    name::PackageName,
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

/// Distinct sets by id, and the id of each project.
pub(super) type Sets<'a> = (BTreeMap<String, Wanted<'a>>, Vec<Option<String>>);

/// What is wanted, by id, and each project's id in the order of `projects`.
pub(super) fn wanted<'a>(projects: &'a [Project], hooks: &'a [Vec<Dependency>]) -> Result<Sets<'a>, Failure> {
    let names: BTreeSet<&PackageName> = projects.iter().map(Project::name).collect();
    let mut all: BTreeMap<String, Wanted<'a>> = BTreeMap::new();
    let (mut ids, mut wrong) = (Vec::new(), Vec::new());
    for (project, hooks) in projects.iter().zip(hooks) {
        let Some(system) = &project.manifest.build_system else {
            ids.push(None);
            continue;
        };
        let mut requires = BTreeSet::new();
        let mut asks = Vec::new();
        for dependency in system.requires.iter().chain(hooks) {
            if names.contains(&dependency.requirement.name) {
                wrong.push(
                    complain(&dependency.place, "a member cannot be built with another member")
                        .requested_by(project.title())
                        .help("put the backend into the member's own tree and name it in `backend-path`"),
                );
            }
            requires.insert(dependency.requirement.to_string());
            asks.push((project.title(), dependency));
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

/// What hatchling's `get_requires_for_build_wheel` would add: the requirements of its build hooks, which
/// the manifest states in the tables of `tool.hatch.build`.
pub(super) fn hook_requirements(project: &Project) -> Result<Vec<Dependency>, Failure> {
    let is_hatch =
        project.manifest.build_system.as_ref().is_some_and(|one| one.backend.starts_with("hatchling"));
    if !is_hatch {
        return Ok(Vec::new());
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
        match super::lift::requirement(node) {
            Ok(dependency) => found.push(dependency),
            Err(bad) => wrong.push(bad.requested_by(project.title())),
        }
    }
    crate::diagnostic::refuse_any(wrong)?;
    Ok(found)
}
