//! Git sources: each repository's tree becomes a project of ours, staged by its static metadata as members are.
//! uv never sees a repository, so it neither fetches nor builds one.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::found::{Found, alternatives, own_sources};
use crate::{
    crypt::Manifest,
    diagnostic::{Diagnostic, Failure, Place},
    document::{Node, Table},
    name::{
        PackageName,
        url::{HostPolicy, UrlError},
    },
    python::{
        sources::git::{BringTree, GitRequest, Reference},
        workspace::{
            node::complain,
            project::{Project, position},
        },
    },
    tree::RelativePath,
};

/// Keys of a git source that are understood.
const KEYS: [&str; 8] = ["branch", "extra", "git", "group", "marker", "rev", "subdirectory", "tag"];

/// A git source that was read.
struct Wanted {
    name: PackageName,
    request: GitRequest,
    subdirectory: Option<RelativePath>,
    place: Place,
    by: Project,
}

/// Adds a project for every git source, and for those of what was added.
pub(super) fn add(
    found: &mut BTreeMap<String, Found>,
    hosts: &HostPolicy,
    bring: BringTree<'_>,
    wrong: &mut Vec<Diagnostic>,
) -> Result<(), Failure> {
    let mut pending: Vec<String> = found.keys().cloned().collect();
    let mut first: BTreeMap<PackageName, Wanted> = BTreeMap::new();
    while let Some(from) = pending.pop() {
        let Some(one) = found.get(&from) else { continue };
        for wanted in wants(one, hosts, wrong) {
            if let Some(earlier) = first.get(&wanted.name) {
                if (&earlier.request, &earlier.subdirectory) != (&wanted.request, &wanted.subdirectory) {
                    wrong.push(disagree(earlier, &wanted));
                }
                continue;
            }
            match project(&wanted, bring) {
                Ok(project) => {
                    let position = position(&wanted.name);
                    let one = Found { project, position: position.clone(), inherited: BTreeMap::new() };
                    found.insert(position.clone(), one);
                    pending.push(position);
                }
                Err(Failure::Refused(all)) => wrong.extend(all),
                Err(unable @ Failure::Unable(_)) => return Err(unable),
            }
            first.insert(wanted.name.clone(), wanted);
        }
    }
    Ok(())
}

fn disagree(one: &Wanted, other: &Wanted) -> Diagnostic {
    let (by, also) = (one.by.title(), other.by.title());
    Diagnostic::new(format!("`{by}` and `{also}` disagree on the git source of `{}`", one.name))
        .at(one.place.clone(), format!("{by} wants {}", one.request.reference))
        .at(other.place.clone(), format!("{also} wants {}", other.request.reference))
        .requested_by(by)
        .requested_by(also)
        .help("one body has one tree of it: make the two equal")
}

/// The git sources of a project that it also depends on.
fn wants(one: &Found, hosts: &HostPolicy, wrong: &mut Vec<Diagnostic>) -> Vec<Wanted> {
    let asked: BTreeSet<&PackageName> = one.project.asked().map(|asked| &asked.requirement.name).collect();
    let mut all = Vec::new();
    for (name, node) in own_sources(one) {
        let Ok(name) = name.parse::<PackageName>() else { continue };
        for entries in alternatives(&node).iter().filter_map(Node::as_table) {
            let Some(git) = entries.get("git") else { continue };
            // Other groups than the body's are not staged, so what only they want is not fetched either.
            if !asked.contains(&name) || !one.project.has_source(entries) {
                continue;
            }
            match read(entries, git, hosts) {
                Ok((request, subdirectory)) => all.push(Wanted {
                    name: name.clone(),
                    request,
                    subdirectory,
                    place: git.place.clone(),
                    by: one.project.clone(),
                }),
                Err(bad) => wrong.push((*bad).requested_by(one.project.title())),
            }
        }
    }
    all
}

type Read = (GitRequest, Option<RelativePath>);

fn read(entries: &Table, git: &Node, hosts: &HostPolicy) -> Result<Read, Box<Diagnostic>> {
    let bad = |place: &Place, message: String| Box::new(complain(place, message));
    if let Some((key, field)) = entries.iter().find(|(key, _)| !KEYS.contains(key)) {
        return Err(bad(&field.key, format!("`{}` of a git source is not taken", key.escape_debug())));
    }
    let url = hosts.check(git.as_str().unwrap_or_default()).map_err(|error| {
        let refusal = complain(&git.place, error.to_string());
        Box::new(match error {
            UrlError::Host { host } => {
                refusal.help(format!("add \"{}\" to `[policy] hosts` in forge.toml", host.escape_debug()))
            }
            _ => refusal.help("repositories are fetched over https; a `~/.netrc` has the password"),
        })
    })?;
    let mut references = Vec::new();
    for key in ["branch", "rev", "tag"] {
        let Some(node) = entries.get(key) else { continue };
        let text = node.as_str().unwrap_or_default();
        let reference = match key {
            "branch" => Reference::branch(text),
            "tag" => Reference::tag(text),
            _ => text.parse().map(Reference::Revision),
        };
        references.push(reference.map_err(|error| bad(&node.place, error.to_string()))?);
    }
    let reference = references.pop().unwrap_or(Reference::Head);
    if !references.is_empty() {
        return Err(bad(&git.place, "a git source takes one of `branch`, `rev` and `tag`".to_owned()));
    }
    let subdirectory = match entries.get("subdirectory") {
        None => None,
        Some(node) => {
            let path = node.as_str().and_then(|text| text.trim_end_matches('/').parse().ok());
            Some(path.ok_or_else(|| bad(&node.place, "`subdirectory` is no plain relative path".to_owned()))?)
        }
    };
    Ok((GitRequest { url, reference }, subdirectory))
}

fn project(wanted: &Wanted, bring: BringTree<'_>) -> Result<Project, Failure> {
    let mut git = bring(&wanted.request).map_err(|failure| at(failure, wanted))?;
    if let Some(directory) = &wanted.subdirectory {
        git.tree = git.tree.subtree(directory);
    }
    let complaint = |message: String| complain(&wanted.place, message).requested_by(wanted.by.title());
    let shown = format!("{}/pyproject.toml", wanted.name);
    let path: RelativePath = "pyproject.toml".parse().map_err(|error| complaint(format!("{error}")))?;
    let Some(bytes) = git.tree.file(&path) else {
        return Err(complaint(format!("{} at {} has no `pyproject.toml` there", git.url, git.revision))
            .help("the forge runs no third-party code to learn what a source depends on")
            .into());
    };
    let manifest =
        Manifest::of_further(&wanted.by.member, &shown, bytes).map_err(|failure| at(failure, wanted))?;
    if manifest.project.name.value != wanted.name {
        return Err(complaint(format!(
            "{} is `{}`, not `{}`",
            git.url, manifest.project.name.value, wanted.name
        ))
        .into());
    }
    if manifest.build_system.is_none() {
        return Err(complaint(format!(
            "`{}` of {} is no package: it has no [build-system]",
            wanted.name, git.url
        ))
        .into());
    }
    let directory = Some(position(&wanted.name).parse().map_err(|error| complaint(format!("{error}")))?);
    Ok(Project {
        member: wanted.by.member.clone(),
        directory,
        manifest,
        sources: toml::Table::new(),
        files: BTreeMap::new(),
        git: Some(git),
    })
}

/// A failure with the place of the source that led to it.
fn at(failure: Failure, wanted: &Wanted) -> Failure {
    let place = |mut diagnostic: Diagnostic| {
        if diagnostic.places.is_empty() {
            diagnostic = diagnostic.at(wanted.place.clone(), "");
        }
        if diagnostic.requested_by.is_empty() {
            diagnostic = diagnostic.requested_by(wanted.by.title());
        }
        diagnostic
    };
    match failure {
        Failure::Refused(all) => Failure::Refused(all.into_iter().map(place).collect()),
        Failure::Unable(one) => Failure::unable(place(*one)),
    }
}
