//! The projects of the federation: its members, and what they need of their own workspaces and path sources.

mod found;
mod repository;
mod sources;

use std::collections::{BTreeMap, BTreeSet};

use self::found::{Found, alternatives, entries, own_sources, resolve};
use super::{
    node::complain,
    project::{Project, RESERVED},
};
use crate::{
    crypt::{Manifest, Member, glob},
    diagnostic::{Diagnostic, Failure, refuse_any},
    document::{Node, Table},
    name::{MemberId, PackageName, url::HostPolicy},
    python::sources::git::BringTree,
    tree::{FileTree, RelativePath},
};

/// Reads all members and flattens their own workspaces, path sources and git sources into one list.
pub(super) fn collect(
    members: &[Member],
    hosts: &HostPolicy,
    bring: BringTree<'_>,
) -> Result<Vec<Project>, Failure> {
    let mut wrong = Vec::new();
    let trees = trees(members);
    let mut found = in_trees(members, &trees, &mut wrong);
    repository::add(&mut found, hosts, bring, &mut wrong)?;
    keep_reachable(&mut found);
    check_names(&found, &mut wrong);
    let positions: BTreeMap<String, PackageName> =
        found.iter().map(|(position, found)| (position.clone(), found.project.name().clone())).collect();
    let mut projects = Vec::new();
    for (_, mut one) in found {
        match sources::staged(&one, &positions, hosts, &trees) {
            Ok(staged) => {
                one.project.sources = staged.table;
                one.project.files = staged.files;
                projects.push(one.project);
            }
            Err(all) => wrong.extend(all),
        }
    }
    sort(&mut projects);
    refuse_any(wrong)?;
    Ok(projects)
}

/// What of [`collect`] the members' own trees tell: no project out of a repository, and no sources.
pub(super) fn of_members(members: &[Member]) -> Result<Vec<Project>, Vec<Diagnostic>> {
    let mut wrong = Vec::new();
    let found = in_trees(members, &trees(members), &mut wrong);
    check_names(&found, &mut wrong);
    let mut projects: Vec<Project> = found.into_values().map(|found| found.project).collect();
    sort(&mut projects);
    if wrong.is_empty() { Ok(projects) } else { Err(wrong) }
}

fn trees(members: &[Member]) -> BTreeMap<&MemberId, &FileTree> {
    members.iter().map(|member| (&member.id, &member.source.tree)).collect()
}

fn in_trees(
    members: &[Member],
    trees: &BTreeMap<&MemberId, &FileTree>,
    wrong: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Found> {
    let mut found = BTreeMap::new();
    for member in members {
        add_member(member, &mut found, wrong);
    }
    add_path_sources(trees, &mut found, wrong);
    keep_reachable(&mut found);
    found
}

fn sort(projects: &mut [Project]) {
    projects.sort_by_key(|project| {
        let place = (project.git.is_some(), project.directory.clone());
        (!project.member.is_core(), project.member.clone(), place, project.name().clone())
    });
}

fn add_member(member: &Member, found: &mut BTreeMap<String, Found>, wrong: &mut Vec<Diagnostic>) {
    let position = member.id.directory();
    let uv = &member.manifest.uv;
    let inherited = uv.table("sources").map(entries).unwrap_or_default();
    let nested =
        uv.table("workspace").map_or_else(Vec::new, |table| nested(table, &member.source.tree, wrong));
    for directory in nested {
        add_nested(&member.id, &member.source.tree, directory, inherited.clone(), found, wrong);
    }
    let project = Project {
        member: member.id.clone(),
        directory: None,
        manifest: member.manifest.clone(),
        sources: toml::Table::new(),
        files: BTreeMap::new(),
        git: None,
    };
    found.insert(position.clone(), Found { project, position, inherited: BTreeMap::new() });
}

/// Directories of `tree` that a `[tool.uv.workspace]` table selects.
fn nested(workspace: &Table, tree: &FileTree, wrong: &mut Vec<Diagnostic>) -> Vec<RelativePath> {
    let mut patterns = |key: &str| {
        let items = workspace.get(key).and_then(Node::as_array).unwrap_or_default();
        let mut texts = Vec::new();
        for item in items {
            match item.as_str().filter(|text| glob::is_supported(text)) {
                Some(text) => texts.push(text.trim_matches('/').to_owned()),
                None => {
                    wrong
                        .push(complain(&item.place, "a workspace pattern may hold names, `*`, `?` and `**`"));
                }
            }
        }
        texts
    };
    let (members, exclude) = (patterns("members"), patterns("exclude"));
    tree.iter()
        .filter_map(|(path, _)| path.as_str().strip_suffix("/pyproject.toml"))
        .filter(|directory| members.iter().any(|pattern| glob::matches(pattern, directory)))
        .filter(|directory| !exclude.iter().any(|pattern| glob::matches(pattern, directory)))
        .filter_map(|directory| directory.parse().ok())
        .collect()
}

fn add_nested(
    member: &MemberId,
    tree: &FileTree,
    directory: RelativePath,
    inherited: BTreeMap<String, Node>,
    found: &mut BTreeMap<String, Found>,
    wrong: &mut Vec<Diagnostic>,
) {
    let position = format!("{}/{directory}", member.directory());
    let name = format!("{position}/pyproject.toml");
    let bytes = format!("{directory}/pyproject.toml").parse().ok().and_then(|path| tree.file(&path));
    let Some(bytes) = bytes else {
        wrong.push(Diagnostic::new(format!("`{name}` is no regular file")).requested_by(member.as_str()));
        return;
    };
    match Manifest::of_further(member, &name, bytes) {
        Ok(manifest) => {
            let project = Project {
                member: member.clone(),
                directory: Some(directory),
                manifest,
                sources: toml::Table::new(),
                files: BTreeMap::new(),
                git: None,
            };
            found.insert(position.clone(), Found { project, position, inherited });
        }
        Err(failure) => wrong.extend_from_slice(failure.diagnostics()),
    }
}

/// A `path` source that leads to another project of the same tree makes that one a project of ours.
fn add_path_sources(
    trees: &BTreeMap<&MemberId, &FileTree>,
    found: &mut BTreeMap<String, Found>,
    wrong: &mut Vec<Diagnostic>,
) {
    let mut pending: Vec<String> = found.keys().cloned().collect();
    while let Some(position) = pending.pop() {
        let Some(one) = found.get(&position) else { continue };
        let member = one.project.member.clone();
        let targets: Vec<String> = own_sources(one)
            .values()
            .flat_map(alternatives)
            .filter_map(|source| source.as_table()?.get("path")?.as_str())
            .filter_map(|path| resolve(&position, path))
            .collect();
        let Some(tree) = trees.get(&member) else { continue };
        let base = member.directory();
        for target in targets {
            let inside = target.strip_prefix(&format!("{base}/")).and_then(|path| path.parse().ok());
            let Some(directory): Option<RelativePath> = inside else { continue };
            let manifest = format!("{directory}/pyproject.toml").parse::<RelativePath>().ok();
            if found.contains_key(&target) || manifest.is_none_or(|path| tree.file(&path).is_none()) {
                continue;
            }
            add_nested(&member, tree, directory, BTreeMap::new(), found, wrong);
            if found.contains_key(&target) {
                pending.push(target);
            }
        }
    }
}

/// Drops what a member's workspace holds beside what the members depend on: it reaches no image.
fn keep_reachable(found: &mut BTreeMap<String, Found>) {
    let mut reached: BTreeSet<PackageName> = BTreeSet::new();
    let mut pending: Vec<&Project> =
        found.values().map(|one| &one.project).filter(|one| one.directory.is_none()).collect();
    while let Some(project) = pending.pop() {
        if reached.insert(project.name().clone()) {
            let wants = |one: &&Project| project.asked().any(|asked| asked.requirement.name == *one.name());
            pending.extend(found.values().map(|one| &one.project).filter(wants));
        }
    }
    found.retain(|_, one| one.project.directory.is_none() || reached.contains(one.project.name()));
}

fn check_names(found: &BTreeMap<String, Found>, wrong: &mut Vec<Diagnostic>) {
    let mut by_name: BTreeMap<&PackageName, &Found> = BTreeMap::new();
    let mut by_directory: BTreeMap<String, &Found> = BTreeMap::new();
    for one in found.values() {
        let name = &one.project.manifest.project.name;
        let mut twice = |first: &Found, what: &str| {
            wrong.push(
                Diagnostic::new(format!(
                    "`{}` and `{}` have the same {what}",
                    first.project.title(),
                    one.project.title()
                ))
                .at(first.project.manifest.project.name.place.clone(), "first here")
                .at(name.place.clone(), "and again here")
                .requested_by(first.project.title())
                .requested_by(one.project.title())
                .help("rename one of them"),
            );
        };
        if let Some(first) = by_name.insert(&name.value, one) {
            twice(first, &format!("distribution name `{}`", name.value));
        }
        if let Some(first) = by_directory.insert(one.project.staged(), one) {
            twice(first, "place in the staged workspace");
        }
        if RESERVED.contains(&name.value.as_ref()) {
            wrong.push(
                Diagnostic::new(format!("the name `{}` belongs to the forge", name.value))
                    .at(name.place.clone(), ""),
            );
        }
    }
}
