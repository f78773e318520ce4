//! The locks of the build environments: those of the projects, and of packages that are built from source.

use std::collections::BTreeMap;

use super::{
    build, conflict,
    federation::{LockedFederation, distributions, titles},
    locked::{BuildLock, Locked, LockedProject, SourcePackage},
    moves,
    relock::Staged,
    stage,
    uv::Complaint,
};
use crate::{
    diagnostic::Failure,
    lock::{Kind, Mode, Why, names},
    name::PackageName,
    python::lock::outline::Outline,
};

/// Locks what the projects are built with, and what `sources` are: packages that the federation's lock has and that
/// are built here.
///
/// # Errors
/// As [`lock_federation`](super::lock_federation).
pub fn lock_builds(federation: LockedFederation<'_>, sources: &[SourcePackage]) -> Result<Locked, Failure> {
    let LockedFederation { request, projects, hooks, settings, .. } = &federation;
    let from_source = sources.iter().map(|source| {
        Some(build::Need {
            title: source.title.clone(),
            requires: source.build_system.requires.iter().collect(),
        })
    });
    let needs = build::needs(projects, hooks).chain(from_source);
    let (wanted, mut ids) = build::wanted(needs, &distributions(projects))?;
    let of_sources = ids.split_off(projects.len());
    let sources: BTreeMap<PackageName, String> =
        sources.iter().zip(of_sources).filter_map(|(source, id)| Some((source.name.clone(), id?))).collect();

    let (titles, run) = (titles(projects), federation.run());
    let (mut builds, mut outlines) = (Vec::new(), Vec::new());
    for (id, wanted) in wanted {
        let tree = stage::build_environment(&wanted.requires, settings, request.codex)
            .map_err(|error| stage::unstageable(&error))?;
        let staged = Staged {
            kind: Kind::Build,
            name: &format!("build-{id}"),
            shown: &names::shown_build(&id),
            tree: &tree,
            old: request.locks.builds.get(&id).map(String::as_str),
            seed: None,
        };
        let explain = |complaint: &Complaint| conflict::explain(complaint, &wanted.asks(), &titles);
        let relocked = staged.lock(&federation.stage, &run, request.mode, explain)?;
        outlines.push(relocked.outline);
        builds.push(BuildLock { id, requires: wanted.requires, uv_lock: relocked.lock });
    }
    // Environments are called by what they require, so one that changes is another: all are taken together.
    let before: Vec<Outline> = request.locks.builds.values().filter_map(|text| Outline::read(text)).collect();
    let why = Why::moved(request.mode == Mode::Update);
    let moved = moves::between(Kind::Build, &before, &outlines, why);
    let members = request.members;
    let projects =
        projects.iter().zip(ids).map(|(project, id)| LockedProject::of(project, id, members)).collect();
    let LockedFederation { lock, files, moved: first, notes, .. } = federation;
    Ok(Locked { uv_lock: lock, builds, projects, sources, files, moved: [first, moved].concat(), notes })
}
