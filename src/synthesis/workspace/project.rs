//! The projects of the federation: its members, and what they need of their own workspaces and path sources.

use std::collections::{BTreeMap, BTreeSet};

use uv_pep508::VersionOrUrl;

use super::{complain, glob, is_true};
use crate::{
    codex::document::{Node, Table},
    crypt::{Manifest, Member, manifest::Dependency},
    diagnostic::Diagnostic,
    name::{MemberId, PackageName, url::HostPolicy},
    tree::{FileTree, RelativePath},
};

/// One project of our workspace.
#[derive(Clone, Debug)]
pub(super) struct Project {
    pub(super) member: MemberId,
    /// Where it is within the member's tree; `None` for the member's own manifest.
    pub(super) directory: Option<RelativePath>,
    pub(super) manifest: Manifest,
    /// `[tool.uv.sources]` as it is staged.
    pub(super) sources: toml::Table,
}

impl Project {
    /// Its directory in the staged workspace, and so its `virtual` source in `uv.lock`.
    pub(super) fn staged(&self) -> String {
        staged(&self.member, self.directory.as_ref())
    }

    /// Every requirement it states, those of its extras included.
    pub(super) fn asked(&self) -> impl Iterator<Item = &Dependency> {
        let project = &self.manifest.project;
        project.dependencies.iter().chain(project.optional_dependencies.values().flatten())
    }

    /// Its distribution's name.
    pub(super) fn name(&self) -> &PackageName {
        &self.manifest.project.name.value
    }

    /// How it is called in messages.
    pub(super) fn title(&self) -> String {
        match &self.directory {
            Some(directory) => format!("{}/{directory}", self.member),
            None => self.member.to_string(),
        }
    }
}

fn staged(member: &MemberId, directory: Option<&RelativePath>) -> String {
    let member = member.as_str().replace('/', "__");
    directory.map_or_else(|| format!("members/{member}"), |below| format!("members/{member}/{below}"))
}

/// Where a member is in the Crypt; relative sources are read against it.
fn crypt_directory(member: &MemberId) -> String {
    if member.is_core() { "core".to_owned() } else { format!("extensions/{member}") }
}

/// A project that was found, with what is needed to read its sources.
struct Found {
    project: Project,
    /// Position in the Crypt, e.g. `extensions/relic/packages/x`.
    position: String,
    /// Sources of the workspace it belongs to, under its own.
    inherited: BTreeMap<String, Node>,
}

/// Reads all members and flattens their own workspaces and path sources into one list.
pub(super) fn collect(members: &[Member], hosts: &HostPolicy) -> Result<Vec<Project>, Vec<Diagnostic>> {
    let mut wrong = Vec::new();
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    for member in members {
        add_member(member, &mut found, &mut wrong);
    }
    let trees: BTreeMap<&MemberId, &FileTree> = members.iter().map(|m| (&m.id, &m.source.tree)).collect();
    add_path_sources(&trees, &mut found, &mut wrong);
    keep_reachable(&mut found);
    check_names(&found, &mut wrong);
    let positions: BTreeMap<String, PackageName> =
        found.iter().map(|(position, found)| (position.clone(), found.project.name().clone())).collect();
    let mut projects = Vec::new();
    for (_, mut one) in found {
        match sources(&one, &positions, hosts) {
            Ok(table) => {
                one.project.sources = table;
                projects.push(one.project);
            }
            Err(all) => wrong.extend(all),
        }
    }
    projects.sort_by_key(|project| {
        (!project.member.is_core(), project.member.clone(), project.directory.clone())
    });
    if wrong.is_empty() { Ok(projects) } else { Err(wrong) }
}

fn add_member(member: &Member, found: &mut BTreeMap<String, Found>, wrong: &mut Vec<Diagnostic>) {
    let position = crypt_directory(&member.id);
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
    };
    found.insert(position.clone(), Found { project, position, inherited: BTreeMap::new() });
}

fn entries(table: &Table) -> BTreeMap<String, Node> {
    table.iter().map(|(name, field)| (name.to_owned(), field.node.clone())).collect()
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
    let position = format!("{}/{directory}", crypt_directory(member));
    let name = format!("{position}/pyproject.toml");
    let bytes = format!("{directory}/pyproject.toml").parse().ok().and_then(|path| tree.file(&path));
    let Some(bytes) = bytes else {
        wrong.push(Diagnostic::new(format!("`{name}` is no regular file")).requested_by(member.as_str()));
        return;
    };
    match Manifest::parse(member, &name, bytes) {
        Ok(manifest) => {
            let project = Project {
                member: member.clone(),
                directory: Some(directory),
                manifest,
                sources: toml::Table::new(),
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
        let base = crypt_directory(&member);
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

/// `path` read against `position`, without `.` and `..`; `None` when it leaves the Crypt or is absolute.
fn resolve(position: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = position.split('/').collect();
    if path.starts_with('/') {
        return None;
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// A source is one table or a list of tables told apart by markers.
fn alternatives(source: &Node) -> &[Node] {
    source.as_array().unwrap_or(std::slice::from_ref(source))
}

fn own_sources(found: &Found) -> BTreeMap<String, Node> {
    let mut all = found.inherited.clone();
    all.extend(found.project.manifest.uv.table("sources").map(entries).unwrap_or_default());
    all
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
        if super::stage::RESERVED.contains(&name.value.as_ref()) {
            wrong.push(
                Diagnostic::new(format!("the name `{}` belongs to the forge", name.value))
                    .at(name.place.clone(), ""),
            );
        }
    }
}

/// `[tool.uv.sources]` for the staged manifest: paths to projects become workspace sources.
fn sources(
    found: &Found,
    positions: &BTreeMap<String, PackageName>,
    hosts: &HostPolicy,
) -> Result<toml::Table, Vec<Diagnostic>> {
    let mut wrong = Vec::new();
    let mut table = toml::Table::new();
    let names: BTreeSet<&PackageName> = positions.values().collect();
    let core = positions.get("core");
    for (name, node) in own_sources(found) {
        let project = name.parse::<PackageName>().ok().filter(|name| names.contains(&name));
        let mut staged = Vec::new();
        for one in alternatives(&node) {
            match source(one, project.as_ref(), &found.position, positions, hosts) {
                Ok(entry) => staged.push(toml::Value::Table(entry)),
                Err(bad) => wrong.push(bad.requested_by(found.project.title())),
            }
        }
        if node.as_array().is_some() {
            table.insert(name, toml::Value::Array(staged));
        } else if let Some(only) = staged.pop() {
            table.insert(name, only);
        }
    }
    for asked in found.project.asked() {
        if let Some(VersionOrUrl::Url(url)) = &asked.requirement.version_or_url {
            check_url(asked, url.given().unwrap_or(&asked.text), hosts, &mut wrong, &found.project);
        }
        let name = &asked.requirement.name;
        let has_own = table.keys().any(|key| key.parse::<PackageName>().is_ok_and(|key| key == *name));
        if has_own || !names.contains(name) || name == found.project.name() {
            continue;
        }
        // Everyone may mean the core without a word; an extension must not stand in for a release by its name.
        if core == Some(name) {
            table.insert(name.to_string(), workspace_source(&Table::default()).into());
        } else {
            wrong.push(
                complain(
                    &asked.place,
                    format!("`{name}` is a member here, and may be a released package as well"),
                )
                .requested_by(found.project.title())
                .help(format!(
                    "say that the member is meant: `[tool.uv.sources] {name} = {{ workspace = true }}`"
                ))
                .help("or rename the member"),
            );
        }
    }
    if wrong.is_empty() { Ok(table) } else { Err(wrong) }
}

/// A direct reference must be a file on an allowed host; uv itself decides whether it is a wheel.
fn check_url(
    asked: &Dependency,
    url: &str,
    hosts: &HostPolicy,
    wrong: &mut Vec<Diagnostic>,
    project: &Project,
) {
    let url = url.split('#').next().unwrap_or_default();
    if let Err(error) = hosts.check(url) {
        wrong.push(
            complain(&asked.place, error.to_string())
                .requested_by(project.title())
                .help("require a released version: repositories and local files have no pinned wheel"),
        );
    }
}

fn workspace_source(entries: &Table) -> toml::Table {
    let kept = entries.iter().filter(|(key, _)| ["marker", "extra"].contains(key));
    let mut table: toml::Table = kept.map(|(key, field)| (key.to_owned(), field.node.to_toml())).collect();
    table.insert("workspace".to_owned(), toml::Value::Boolean(true));
    table
}

fn source(
    node: &Node,
    project: Option<&PackageName>,
    position: &str,
    positions: &BTreeMap<String, PackageName>,
    hosts: &HostPolicy,
) -> Result<toml::Table, Diagnostic> {
    let Some(entries) = node.as_table() else {
        return Err(complain(&node.place, "a source must be a table"));
    };
    let kind = |key: &str| entries.get(key);
    if let Some(flag) = kind("workspace") {
        return if project.is_some() && is_true(flag) {
            Ok(workspace_source(entries))
        } else {
            Err(complain(&flag.place, "no member of the federation has this name"))
        };
    }
    if let Some(path) = kind("path") {
        let target = path.as_str().and_then(|text| resolve(position, text));
        return if target.is_some_and(|target| project.is_some() && positions.get(&target) == project) {
            Ok(workspace_source(entries))
        } else {
            Err(complain(&path.place, "this path leads to no project of this name in the federation").help(
                "depend on a member, a folder of this member that has a `pyproject.toml`, or a release",
            ))
        };
    }
    if let Some(git) = kind("git") {
        return Err(complain(&git.place, "git sources carry no wheel and no hash")
            .help("depend on a release, or add the repository to the Crypt as an extension"));
    }
    if let Some(url) = kind("url") {
        let text = url.as_str().unwrap_or_default();
        hosts.check(text).map_err(|error| {
            complain(&url.place, error.to_string()).help("`[policy] hosts` in forge.toml allows more hosts")
        })?;
    }
    Ok(entries.to_toml())
}
