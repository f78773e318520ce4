//! One uv workspace of all members: staged, locked by our own uv, its conflicts told in the members' terms.
//!
//! Nothing of a member is run. uv sees static metadata alone (see `stage`), it must find wheels, and the
//! Python it asks for markers cannot be started by a build (see [`crate::tools`]).

mod build;
mod check;
mod conflict;
mod lift;
mod moves;
mod part;
mod pins;
mod project;
mod seed;
mod stage;
#[cfg(test)]
pub(crate) mod tests;
mod uv;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

pub(crate) use part::{Part, parts};

use self::{
    conflict::Ask,
    lift::Lifted,
    project::Project,
    uv::{Complaint, Run, Stage},
};
use super::{
    install::Building,
    record::BuildBackend,
    sources::git::{BringTree, GitTree},
};
use crate::{
    codex::Codex,
    crypt::{
        Member,
        manifest::{BuildSystem, Dependency},
    },
    diagnostic::{Diagnostic, Failure, Place, Source},
    document::{Node, Value},
    host::progress::Progress,
    lock::{Change, Kind, Mode, Why, lock_missing, lock_unfit, names, repairable},
    name::{MemberId, PackageName, url::HostPolicy},
    python::lock::UvLock,
    tools::Tools,
    tree::{FileTree, RelativePath},
};

/// The texts of existing locks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locks {
    /// [`names::UV`].
    pub federation: Option<String>,
    /// Those below [`names::BUILDS`], by build environment id.
    pub builds: BTreeMap<String, String>,
}

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

/// The federation's lock as it is decided over before build environments are locked.
#[derive(Clone, Copy, Debug)]
pub struct FederationLock<'a> {
    /// The text of `uv.lock`.
    pub text: &'a str,
    /// What the members say about building; what the policy allows is left empty.
    pub building: &'a Building,
    /// Files of members that the lock names, by the path it has.
    pub files: &'a BTreeMap<RelativePath, Arc<[u8]>>,
    /// The member of each project.
    pub members: &'a BTreeMap<PackageName, MemberId>,
}

/// A package that is built from source and is no project of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePackage {
    /// Its name.
    pub name: PackageName,
    /// What messages call it.
    pub title: String,
    /// What it is built with.
    pub build_system: BuildSystem,
}

/// Says which packages of a lock are built from source.
pub type FromLock<'a> = &'a mut dyn FnMut(&FederationLock<'_>) -> Result<Vec<SourcePackage>, Failure>;

/// The locked federation.
#[derive(Clone, Debug, PartialEq)]
pub struct Locked {
    /// The text of `uv.lock`.
    pub uv_lock: String,
    /// Build environments, by id.
    pub builds: Vec<BuildLock>,
    /// All projects, the core first; see [`LockedProject`].
    pub projects: Vec<LockedProject>,
    /// [`BuildLock::id`] of the packages that are built from source.
    pub sources: BTreeMap<PackageName, String>,
    /// Files of members that the lock names, by the path it has.
    pub files: BTreeMap<RelativePath, Arc<[u8]>>,
    /// What moved in [`Locked::uv_lock`], then in the build environments.
    pub moved: Vec<Change>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// A locked build environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildLock {
    /// 16 hex digits of the sha256 of the sorted requirement lines.
    pub id: String,
    /// The requirements, normalised and sorted.
    pub requires: Vec<String>,
    /// The text of its own `uv.lock`, whose root is `virtual = "."`.
    pub uv_lock: String,
}

/// A member, or a project that a member's own workspace or path sources add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedProject {
    /// The member whose tree it is in.
    pub member: MemberId,
    /// Where in that tree; `None` for the member itself.
    pub directory: Option<RelativePath>,
    /// Its `source = { virtual = "…" }` in the lock.
    pub lock_source: String,
    /// Its distribution's name.
    pub name: PackageName,
    /// Its static version; `None` when the build decides it (the lock then says `0`).
    pub version: Option<String>,
    /// [`BuildLock::id`]; `None` for a project that is no package.
    pub build_environment: Option<String>,
    /// How it is built; `None` for a project that is no package.
    pub build_backend: Option<BuildBackend>,
    /// Names it depends on directly, without extras and whatever the markers say.
    pub dependencies: BTreeSet<PackageName>,
    /// The repository it is out of; the member is then the one that asks for it.
    pub git: Option<GitTree>,
}

/// Locks the federation and its build environments: those of the projects, and of what `from_lock` names.
///
/// # Errors
/// Refused when manifests disagree, no versions fit, or with [`Mode::Locked`] anything would change;
/// unable when uv cannot be run or the index cannot be asked.
pub fn lock(
    request: &Request<'_>,
    tools: &Tools,
    cache: &Path,
    progress: &dyn Progress,
    from_lock: FromLock<'_>,
) -> Result<Locked, Failure> {
    let codex = request.codex;
    let hosts = HostPolicy::new(codex.policy.hosts.iter().map(ToString::to_string));
    let projects = project::collect(request.members, &hosts, request.bring_tree)?;
    let mut notes = check::check(&projects, codex)?;
    let lifted = lift::lift(&projects, &hosts).map_err(Failure::Refused)?;
    notes.extend(lifted.notes.iter().cloned());
    let hooks = hooks(&projects, request.members)?;
    let names: BTreeSet<&PackageName> = projects.iter().map(Project::name).collect();
    // Before uv takes its time: what is wrong with the projects' own is told at once.
    build::wanted(needs(&projects, &hooks), &names)?;

    let stage = Stage::new(cache, &stage::settings(&lifted, codex))?;
    let titles: BTreeMap<&PackageName, String> =
        projects.iter().map(|project| (project.name(), project.title())).collect();
    let run = Run { tools, cache, upgrade: request.mode == Mode::Update, offline: request.offline };
    progress.stage("lock", &format!("members: {}", request.members.len()));

    let tree = stage::federation(&projects, &lifted, codex).map_err(|error| unstageable(&error))?;
    let old = request.locks.federation.as_deref();
    let one = One { stage: &stage, run: &run, mode: request.mode };
    let explain = |complaint: &Complaint| {
        let by: Vec<String> = projects.iter().map(Project::title).collect();
        conflict::explain(complaint, &asks(&projects, &by, &lifted), &titles)
    };
    let seed = if old.is_none() && request.mode == Mode::Keep { seed::of(request.members)? } else { None };
    let start = Start { old, seed };
    let (uv_lock, mut moved) =
        one.lock(Kind::Python, ("federation", names::SHOWN_UV), &tree, start, explain)?;
    notes.extend(seed.map(|seed| seed::notes(seed, &uv_lock)).unwrap_or_default());
    check::check_lock(&uv_lock, &projects)?;

    let files: BTreeMap<RelativePath, Arc<[u8]>> =
        projects.iter().flat_map(|project| project.files.clone()).collect();
    let members = projects.iter().map(|project| (project.name().clone(), project.member.clone())).collect();
    let building = &lifted.building;
    let sources = from_lock(&FederationLock { text: &uv_lock, building, files: &files, members: &members })?;
    let from_source = sources.iter().map(|source| {
        Some(build::Need {
            title: source.title.clone(),
            requires: source.build_system.requires.iter().collect(),
        })
    });
    let (wanted, mut ids) = build::wanted(needs(&projects, &hooks).chain(from_source), &names)?;
    let of_sources = ids.split_off(projects.len());
    let sources: BTreeMap<PackageName, String> =
        sources.iter().zip(of_sources).filter_map(|(source, id)| Some((source.name.clone(), id?))).collect();

    let mut builds = Vec::new();
    for (id, wanted) in wanted {
        let tree = stage::build_environment(&wanted.requires, &lifted, codex)
            .map_err(|error| unstageable(&error))?;
        let old = request.locks.builds.get(&id).map(String::as_str);
        let explain = |complaint: &Complaint| conflict::explain(complaint, &wanted.asks(), &titles);
        let shown = names::shown_build(&id);
        let start = Start { old, seed: None };
        let (text, _) = one.lock(Kind::Build, (&format!("build-{id}"), &shown), &tree, start, explain)?;
        builds.push(BuildLock { id, requires: wanted.requires, uv_lock: text });
    }
    // Environments are called by what they require, so one that changes is another: all are taken together.
    let old = request.locks.builds.values().map(String::as_str);
    let new = builds.iter().map(|build: &BuildLock| build.uv_lock.as_str());
    moved.extend(moves::between_all(Kind::Build, old, new, Why::moved(request.mode == Mode::Update)));
    let projects = projects.iter().zip(ids).map(|(project, id)| locked_project(project, id)).collect();
    Ok(Locked { uv_lock, builds, projects, sources, files, moved, notes })
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

fn needs<'a>(
    projects: &'a [Project],
    hooks: &'a [Vec<Dependency>],
) -> impl Iterator<Item = Option<build::Need<'a>>> {
    projects.iter().zip(hooks).map(|(project, hooks)| build::Need::of(project, hooks))
}

/// What a lock starts from.
#[derive(Clone, Copy)]
struct Start<'a> {
    /// The lock there is.
    old: Option<&'a str>,
    /// Where versions come from while there is none.
    seed: Option<&'a str>,
}

/// Locks one staged project.
struct One<'a> {
    stage: &'a Stage,
    run: &'a Run<'a>,
    mode: Mode,
}

impl One<'_> {
    fn lock(
        &self,
        kind: Kind,
        (name, shown): (&str, &str),
        tree: &crate::tree::FileTree,
        Start { old, seed }: Start<'_>,
        explain: impl Fn(&Complaint) -> Failure,
    ) -> Result<(String, Vec<Change>), Failure> {
        let locked = self.mode == Mode::Locked;
        if let Some(text) = old {
            // uv would start from nothing and move every version, or exhaust its stack, or not say where.
            UvLock::read(&Source::new(shown, text)).map_err(repairable)?;
        }
        if locked && old.is_none() {
            return Err(lock_missing(shown).into());
        }
        let text = self.stage.lock(name, tree, old.or(seed), self.run)?.map_err(|Complaint(words)| {
            // uv calls every lock by the name it has in the stage.
            explain(&Complaint(words.replace("`uv.lock`", &format!("`{shown}`"))))
        })?;
        if let Some(start) = old.or(seed) {
            pins::hold(if old.is_some() { shown } else { seed::SHOWN }, start, &text)?;
        }
        let why = Why::moved(self.mode == Mode::Update);
        let moved = moves::between(kind, old.unwrap_or_default(), &text, why);
        if locked && old != Some(text.as_str()) {
            return Err(lock_unfit(shown, &moved).into());
        }
        Ok((text, moved))
    }
}

fn asks<'a>(projects: &'a [Project], titles: &'a [String], lifted: &'a Lifted) -> Vec<Ask<'a>> {
    let own = projects.iter().zip(titles).flat_map(|(project, by)| {
        project.asked().map(move |dependency| Ask { by, name: Some(project.name()), dependency })
    });
    let lifted = lifted.asked.iter().map(|(by, dependency)| Ask { by, name: None, dependency });
    own.chain(lifted).collect()
}

fn locked_project(project: &Project, build_environment: Option<String>) -> LockedProject {
    let manifest = &project.manifest;
    LockedProject {
        member: project.member.clone(),
        directory: project.directory.clone(),
        lock_source: project.staged(),
        name: project.name().clone(),
        version: manifest.project.version.as_ref().map(|version| version.value.to_string()),
        build_environment,
        build_backend: manifest
            .build_system
            .as_ref()
            .map(|system| BuildBackend { object: system.backend.clone(), path: system.backend_path.clone() }),
        dependencies: manifest.project.dependencies.iter().map(|one| one.requirement.name.clone()).collect(),
        git: project.git.clone(),
    }
}

fn unstageable(error: &crate::tree::RelativePathError) -> Failure {
    Diagnostic::new(format!("the workspace cannot be staged: {error}")).into()
}

/// A complaint about what stands at `place`.
fn complain(place: &Place, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(message).at(place.clone(), "")
}

fn is_true(node: &Node) -> bool {
    node.value == Value::Boolean(true)
}
