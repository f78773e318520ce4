//! One member's `override-dependencies` and `exclude-dependencies` against what the other members themselves require.
//!
//! uv takes both for the whole federation, against whatever anybody requires. What a released package requires may be
//! overruled, which is what they are for; a member's own word against another's is a conflict.

use std::{collections::BTreeSet, iter};

use uv_pep508::{MarkerTree, VersionOrUrl};

use super::{extras::extras, node, project::Project};
use crate::{
    crypt::manifest::Dependency,
    diagnostic::{Diagnostic, Failure, Fault, refuse_any},
    document::Node,
    name::ExtraName,
    python::lock::outline::Outline,
};

/// A key of `[tool.uv]` that overrules, and what it does.
const KEYS: [(&str, &str); 2] =
    [("override-dependencies", "overrides"), ("exclude-dependencies", "excludes")];

/// A member's word of command.
struct Command<'a> {
    by: &'a Project,
    does: &'static str,
    of: Dependency,
}

/// Notes on every such word, when there are other members than the one that says it.
///
/// # Errors
/// Refused when `lock` has not what another member itself requires. `image` is the marker of what is an image at all:
/// what a marker rules out there nobody requires.
pub(super) fn overruled(
    lock: &Outline,
    projects: &[Project],
    image: MarkerTree,
) -> Result<Vec<String>, Failure> {
    let (mut wrong, mut notes) = (Vec::new(), Vec::new());
    let kept = extras(projects);
    for command in commands(projects) {
        let others: Vec<(&Project, &Dependency)> = projects
            .iter()
            .filter(|project| project.member != command.by.member)
            .flat_map(|project| staged(project, kept.get(project.name())).map(move |asked| (project, asked)))
            .filter(|(_, asked)| asked.requirement.name == command.of.requirement.name)
            .filter(|(_, asked)| !asked.requirement.marker.is_disjoint(image))
            .collect();
        let against: Vec<_> = others.iter().filter(|(_, asked)| !is_met(lock, &command, asked)).collect();
        if against.is_empty() {
            let is_alone = projects.iter().all(|project| project.member == command.by.member);
            notes.extend((!is_alone).then(|| note(&command, &others)));
        }
        wrong.extend(against.into_iter().map(|(project, asked)| conflict(&command, project, asked)));
    }
    refuse_any(wrong)?;
    Ok(notes)
}

fn commands(projects: &[Project]) -> impl Iterator<Item = Command<'_>> {
    // uv reads them at the root alone, and each member is one.
    projects.iter().filter(|project| project.directory.is_none()).flat_map(|by| {
        KEYS.iter().flat_map(move |&(key, does)| {
            let items = by.manifest.uv.get(key).and_then(Node::as_array).unwrap_or_default();
            items.iter().filter_map(move |item| Some(Command { by, does, of: node::requirement(item).ok()? }))
        })
    })
}

/// What a project requires, with those of its extras that somebody asks for.
fn staged<'a>(
    project: &'a Project,
    extras: Option<&'a BTreeSet<ExtraName>>,
) -> impl Iterator<Item = &'a Dependency> {
    let own = &project.manifest.project;
    let kept = extras.into_iter().flatten().filter_map(|extra| own.optional_dependencies.get(extra));
    own.dependencies.iter().chain(kept.flatten())
}

/// Whether the lock has what the requirement allows: uv takes an override in its place, extras and address included.
fn is_met(lock: &Outline, command: &Command<'_>, asked: &Dependency) -> bool {
    let requirement = &asked.requirement;
    let mut locked =
        lock.packages.iter().filter(|package| package.name == requirement.name.as_ref()).peekable();
    let has_extras = requirement.extras.iter().all(|extra| command.of.requirement.extras.contains(extra));
    if locked.peek().is_none() || !has_extras {
        return false;
    }
    match &requirement.version_or_url {
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => locked.any(|package| {
            let version = package.version.as_deref().and_then(|version| version.parse().ok());
            version.is_none_or(|version| specifiers.contains(&version))
        }),
        Some(VersionOrUrl::Url(_)) => false,
        None => true,
    }
}

fn note(command: &Command<'_>, others: &[(&Project, &Dependency)]) -> String {
    let Command { by, does, of } = command;
    let said = format!("{}: `{}` {does} `{}` for every member", of.place, by.title(), node::shown(&of.text));
    let wanted = others.iter().map(|(project, asked)| {
        format!("`{}` wants `{}` ({})", project.title(), node::shown(&asked.text), asked.place)
    });
    iter::once(said).chain(wanted).collect::<Vec<_>>().join("; ")
}

fn conflict(command: &Command<'_>, project: &Project, asked: &Dependency) -> Diagnostic {
    let Command { by, does, of } = command;
    let name = &of.requirement.name;
    Diagnostic::new(format!("`{}` {does} `{name}` against what `{}` requires", by.title(), project.title()))
        .of_kind(Fault::Conflict)
        .at(of.place.clone(), format!("{} {does} it for every member", by.title()))
        .at(asked.place.clone(), format!("{} wants this", project.title()))
        .requested_by(by.title())
        .requested_by(project.title())
        .help(format!("narrow the one or widen the other, so that one version of `{name}` is right for both"))
}
