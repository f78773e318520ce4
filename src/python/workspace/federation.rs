//! The federation's own lock: what is decided before it is known what is built from source.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use super::{
    build, check, collect,
    conflict::{self, Ask},
    locked::Locks,
    overruled,
    project::Project,
    relock::Staged,
    root_settings::{RootSettings, root_settings},
    seed, stage,
    uv::{Complaint, Run, Stage},
};
use crate::{
    codex::Codex,
    crypt::{Member, manifest::Dependency},
    diagnostic::Failure,
    host::progress::Progress,
    lock::{Change, Kind, Mode, names},
    name::{MemberId, PackageName},
    python::{install::Building, lock::UvLock, sources::git::BringTree},
    tools::Tools,
    tree::{FileTree, RelativePath},
};

/// What is to be locked.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The members, core first.
    pub members: &'a [Member],
    /// Python series, platforms and policy.
    pub codex: &'a Codex,
    /// What is locked already.
    pub locks: &'a Locks,
    /// What becomes of it.
    pub mode: Mode,
    /// Whether uv must do with its cache.
    pub offline: bool,
    /// Brings the trees of git sources.
    pub bring_tree: BringTree<'a>,
}

/// The federation, locked; its build environments are not yet. [`lock_builds`](super::lock_builds) goes on from here.
pub struct LockedFederation<'a> {
    pub(super) request: Request<'a>,
    pub(super) tools: &'a Tools,
    pub(super) cache: &'a Path,
    pub(super) stage: Stage,
    pub(super) settings: RootSettings,
    pub(super) projects: Vec<Project>,
    /// What the backend of each project wants besides `requires`.
    pub(super) hooks: Vec<Vec<Dependency>>,
    pub(super) lock: UvLock,
    pub(super) files: BTreeMap<RelativePath, Arc<[u8]>>,
    pub(super) moved: Vec<Change>,
    pub(super) notes: Vec<String>,
}

impl<'a> LockedFederation<'a> {
    /// Its `uv.lock`.
    #[must_use]
    pub fn lock(&self) -> &UvLock {
        &self.lock
    }

    /// What the members say about building; what the policy allows is left empty.
    #[must_use]
    pub fn building(&self) -> &Building {
        &self.settings.building
    }

    /// Files of members that the lock names, by the path it has.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<RelativePath, Arc<[u8]>> {
        &self.files
    }

    /// The member of each project.
    #[must_use]
    pub fn members(&self) -> BTreeMap<PackageName, MemberId> {
        self.projects.iter().map(|project| (project.name().clone(), project.member.clone())).collect()
    }

    pub(super) fn run(&self) -> Run<'a> {
        run(&self.request, self.tools, self.cache)
    }
}

fn run<'a>(request: &Request<'a>, tools: &'a Tools, cache: &'a Path) -> Run<'a> {
    Run { tools, cache, upgrade: request.mode == Mode::Update, offline: request.offline }
}

/// Locks all members as one workspace.
///
/// # Errors
/// Refused when manifests disagree, no versions fit, or with [`Mode::Locked`] anything would change;
/// unable when uv cannot be run or the index cannot be asked.
pub fn lock_federation<'a>(
    request: &Request<'a>,
    tools: &'a Tools,
    cache: &'a Path,
    progress: &dyn Progress,
) -> Result<LockedFederation<'a>, Failure> {
    let codex = request.codex;
    let hosts = codex.policy.host_policy();
    let projects = collect::collect(request.members, &hosts, request.bring_tree)?;
    let mut notes = check::check(&projects, codex)?;
    let settings = root_settings(&projects, &hosts).map_err(Failure::Refused)?;
    notes.extend(settings.notes.iter().cloned());
    let hooks = hooks(&projects, request.members)?;
    // Before uv takes its time: what is wrong with the projects' own is told at once.
    build::wanted(build::needs(&projects, &hooks), &distributions(&projects))?;

    let stage = Stage::new(cache, &stage::configuration(&settings, codex))?;
    let run = run(request, tools, cache);
    progress.stage("lock", &format!("members: {}", request.members.len()));

    let tree = stage::federation(&projects, &settings, codex).map_err(|error| stage::unstageable(&error))?;
    let old = request.locks.federation.as_deref();
    let explain = |complaint: &Complaint| {
        let by: Vec<String> = projects.iter().map(Project::title).collect();
        conflict::explain(complaint, &asks(&projects, &by, &settings), &titles(&projects))
    };
    let seed = if old.is_none() && request.mode == Mode::Keep { seed::of(request.members)? } else { None };
    if old.is_none() && seed.is_none() {
        notes.extend(projects.iter().filter_map(left_extras));
    }
    let staged = Staged {
        kind: Kind::Python,
        name: "federation",
        shown: names::SHOWN_UV,
        tree: &tree,
        old,
        seed: seed.as_ref(),
    };
    let relocked = staged.lock(&stage, &run, request.mode, explain)?;
    notes.extend(seed.map(|seed| seed::notes(&seed.outline, &relocked.outline)).unwrap_or_default());
    check::check_lock(&relocked.outline, &projects)?;
    notes.extend(overruled::overruled(&relocked.outline, &projects, stage::image(codex))?);
    let files = projects.iter().flat_map(|project| project.files.clone()).collect();
    let (lock, moved) = (relocked.lock, relocked.moved);
    let request = *request;
    Ok(LockedFederation {
        request,
        tools,
        cache,
        stage,
        settings,
        projects,
        hooks,
        lock,
        files,
        moved,
        notes,
    })
}

/// A first lock that follows no other: what the core's extras want has no say in it, though `uv lock` would ask them.
fn left_extras(project: &Project) -> Option<String> {
    let extras = &project.manifest.project.optional_dependencies;
    let is_core = project.member.is_core() && project.directory.is_none();
    let first = extras.keys().next().filter(|_| is_core)?;
    let place = &extras.get(first)?.first()?.place;
    Some(format!(
        "{place}: extras that nobody asks for (`{first}`) have no say in which versions are locked; a `uv.lock` of the core would"
    ))
}

/// The distributions of the projects.
pub(super) fn distributions(projects: &[Project]) -> BTreeSet<&PackageName> {
    projects.iter().map(Project::name).collect()
}

/// What messages call each project.
pub(super) fn titles(projects: &[Project]) -> BTreeMap<&PackageName, String> {
    projects.iter().map(|project| (project.name(), project.title())).collect()
}

/// What the backends of projects want besides `requires`.
fn hooks(projects: &[Project], members: &[Member]) -> Result<Vec<Vec<Dependency>>, Failure> {
    let of = |project: &Project| {
        let member = members.iter().find(|member| member.id == project.member);
        let tree: Option<&FileTree> =
            project.git.as_ref().map(|git| &git.tree).or(member.map(|member| &member.source.tree));
        build::hook_requirements(project, tree)
    };
    projects.iter().map(of).collect()
}

fn asks<'a>(projects: &'a [Project], titles: &'a [String], settings: &'a RootSettings) -> Vec<Ask<'a>> {
    let own = projects.iter().zip(titles).flat_map(|(project, by)| {
        project.asked().map(move |dependency| Ask { by, name: Some(project.name()), dependency })
    });
    let settings = settings.asked.iter().map(|(by, dependency)| Ask { by, name: None, dependency });
    own.chain(settings).collect()
}
