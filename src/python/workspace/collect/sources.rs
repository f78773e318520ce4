//! `[tool.uv.sources]` of a project, as the stage has it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use uv_pep508::VersionOrUrl;

use super::found::{Found, alternatives, own_sources, resolve};
use crate::{
    crypt::manifest::Dependency,
    diagnostic::Diagnostic,
    document::{Node, Table},
    name::{MemberId, PackageName, url::HostPolicy},
    python::workspace::{
        node::{complain, is_true},
        project::{Project, position},
    },
    tree::{FileTree, RelativePath},
};

/// What the stage gets of a project's sources.
pub(super) struct Staged {
    /// `[tool.uv.sources]`: paths to projects and git repositories became workspace sources.
    pub(super) table: toml::Table,
    /// Files that the table names, by their place in the stage.
    pub(super) files: BTreeMap<RelativePath, Arc<[u8]>>,
}

/// Where files of members are in the stage; the path in the federation follows.
const FILES: &str = "files";
/// Endings of files that uv takes as a source.
const ARCHIVES: [&str; 4] = [".whl", ".tar.gz", ".tgz", ".zip"];

/// The trees of all members.
type Trees<'a> = BTreeMap<&'a MemberId, &'a FileTree>;

/// The sources of a project for the stage.
pub(super) fn staged(
    found: &Found,
    positions: &BTreeMap<String, PackageName>,
    hosts: &HostPolicy,
    trees: &Trees<'_>,
) -> Result<Staged, Vec<Diagnostic>> {
    let mut wrong = Vec::new();
    let mut table = toml::Table::new();
    let mut files = BTreeMap::new();
    let names: BTreeSet<&PackageName> = positions.values().collect();
    let core = positions.get("core");
    for (name, node) in own_sources(found) {
        let project = name.parse::<PackageName>().ok().filter(|name| names.contains(&name));
        let mut staged = Vec::new();
        let is_asked =
            found.project.asked().any(|asked| name.parse().is_ok_and(|name| asked.requirement.name == name));
        for one in alternatives(&node) {
            // What only another group wants is not staged; nobody fetched a repository that nobody wants.
            let entry = one.as_table();
            if entry.is_some_and(|it| it.get("git").is_some() && !(is_asked && found.project.has_source(it)))
            {
                continue;
            }
            let target = Target { project: project.as_ref(), found, positions, trees };
            match source(one, &target, hosts, &mut files) {
                Ok(entry) => staged.push(toml::Value::Table(entry)),
                Err(bad) => wrong.push(bad.requested_by(found.project.title())),
            }
        }
        if node.as_array().is_some() {
            if !staged.is_empty() {
                table.insert(name, toml::Value::Array(staged));
            }
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
    if wrong.is_empty() { Ok(Staged { table, files }) } else { Err(wrong) }
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
        wrong.push(complain(&asked.place, error.to_string()).requested_by(project.title()).help(
            "require a released version, or say with `[tool.uv.sources]` where it is: `git` or `path`",
        ));
    }
}

fn workspace_source(entries: &Table) -> toml::Table {
    let kept = entries.iter().filter(|(key, _)| ["marker", "extra"].contains(key));
    let mut table: toml::Table = kept.map(|(key, field)| (key.to_owned(), field.node.to_toml())).collect();
    table.insert("workspace".to_owned(), toml::Value::Boolean(true));
    table
}

/// Whose source it is, and what it may lead to.
struct Target<'a> {
    /// The project that has the source's name.
    project: Option<&'a PackageName>,
    found: &'a Found,
    positions: &'a BTreeMap<String, PackageName>,
    trees: &'a Trees<'a>,
}

impl Target<'_> {
    /// A file of the member's own tree, with its place in the stage and its path from the project's manifest.
    fn file(&self, path: &str) -> Option<(RelativePath, Arc<[u8]>, String)> {
        let project = &self.found.project;
        let target = resolve(&self.found.position, path).filter(|_| project.git.is_none())?;
        let lower = target.to_ascii_lowercase();
        if !ARCHIVES.iter().any(|ending| lower.ends_with(ending)) {
            return None;
        }
        let inner = target.strip_prefix(&format!("{}/", project.member.directory()))?.parse().ok()?;
        let bytes = self.trees.get(&project.member)?.file(&inner)?;
        let staged = format!("{FILES}/{target}");
        let up = "../".repeat(project.staged().split('/').count());
        Some((staged.parse().ok()?, bytes.into(), format!("{up}{staged}")))
    }
}

fn source(
    node: &Node,
    target: &Target<'_>,
    hosts: &HostPolicy,
    files: &mut BTreeMap<RelativePath, Arc<[u8]>>,
) -> Result<toml::Table, Diagnostic> {
    let project = target.project;
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
        let text = path.as_str().unwrap_or_default();
        if let Some((staged, bytes, way)) = target.file(text) {
            files.insert(staged, bytes);
            let mut entry = entries.to_toml();
            entry.insert("path".to_owned(), way.into());
            return Ok(entry);
        }
        let leads = resolve(&target.found.position, text)
            .is_some_and(|place| project.is_some() && target.positions.get(&place) == project);
        return if leads {
            Ok(workspace_source(entries))
        } else {
            Err(complain(&path.place, "this path leads to no project of this name in the federation").help(
                "depend on a member, a folder of this member that has a `pyproject.toml`, a wheel or source archive in its tree, or a release",
            ))
        };
    }
    if let Some(git) = kind("git") {
        // The repository was fetched; what came of it is a project of ours.
        let position = project.map(position);
        return if position.is_some_and(|position| target.positions.contains_key(&position))
            || project.is_none()
        {
            // Where there is none, why has been told.
            Ok(workspace_source(entries))
        } else {
            Err(complain(&git.place, "this git source and a member have one name")
                .help("rename the member, or depend on it with `workspace = true`"))
        };
    }
    if let Some(url) = kind("url") {
        let text = url.as_str().unwrap_or_default();
        hosts.check(text).map_err(|error| {
            complain(&url.place, error.to_string()).help("`[policy] hosts` in forge.toml allows more hosts")
        })?;
    }
    Ok(entries.to_toml())
}
