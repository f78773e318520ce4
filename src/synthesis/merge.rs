//! The merge: federation, Codex and locks in; one [`Synthesis`] and the frozen locks out.
//!
//! System packages come first, because the Python that uv asks for markers is made of them. Hooks come before,
//! because they ask for some; the substrate alone gives them their Python.

mod from_source;
mod hooks;
mod npm;
mod record;
mod system;
mod toolbox;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    Change, Locks, Synthesis, arbitration,
    change::Why,
    lock_names,
    locked::lock_changed,
    nixpkgs, node,
    python::{self, PythonEnvironment, Selection, Target},
    sources::git::{GitPins, GitRequest, GitTree, PinMode, Repositories},
    value::{self, BuildEnvironment, PythonPackage, SystemPackage},
    workspace::{self, BuildLock, Locked},
};
use crate::{
    codex::{Codex, Substrate},
    crypt::Federation,
    diagnostic::{Diagnostic, Failure, Fault, Source, refuse_any},
    digest::Sha256,
    host::{http::Client, progress::Progress},
    lock::uv::UvLock,
    name::{MemberId, PackageName, Platform, url::HostPolicy},
    runes::Federated,
    tree::FileTree,
};

/// What becomes of pins that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Any change to a lock is refused.
    Locked,
    /// Pins stay, but for the kinds that are to move.
    Keep {
        /// Move Python packages.
        update_uv: bool,
        /// Move npm packages.
        update_npm: bool,
        /// Move Debian packages.
        update_system: bool,
    },
}

/// The effects that a synthesis needs, as values of the caller.
pub struct Workshop<'a> {
    /// Where relative paths of the configuration start.
    pub codex_directory: &'a Path,
    /// Tools, indexes and uv's own cache: safe to delete.
    pub cache: &'a Path,
    /// `None` when the network must not be used.
    pub client: Option<&'a Client>,
    /// Downloads what the tools are made of.
    pub bring: super::artifact::Bring<'a>,
    /// Seconds since 1970, for the validity of signed indexes.
    pub now: u64,
    /// Hash of the Nix library that the flake will carry: it shapes the image as the manifests do.
    pub library: Sha256,
    /// Where progress goes.
    pub progress: &'a dyn Progress,
}

/// What a synthesis gives.
#[derive(Debug)]
pub struct Synthesized {
    /// The value.
    pub synthesis: Synthesis,
    /// The source tree of every entry of [`Synthesis::members`].
    pub sources: BTreeMap<MemberId, FileTree>,
    /// The bytes of every bundled entry of [`Synthesis::python_packages`]: a source tree, or the one file.
    pub packages: BTreeMap<PackageName, FileTree>,
    /// The whole trees of git sources.
    pub git_trees: Vec<GitTree>,
    /// The locks it stands on, for the Crypt.
    pub locks: Locks,
    /// What of the federation, hooks included, shapes the units.
    pub federated: Federated,
    /// What moved in the locks: system, Python, git, npm.
    pub moved: Vec<Change>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Merges and locks a federation.
///
/// # Errors
/// Refused when manifests disagree, nothing fits, a hash or host is not acceptable, or with
/// [`Mode::Locked`] anything would change; unable when a resolver or the network cannot be used.
pub fn synthesize(
    codex: &Codex,
    federation: &Federation,
    locks: &Locks,
    mode: Mode,
    workshop: &Workshop<'_>,
) -> Result<Synthesized, Failure> {
    let core = federation.core().ok_or_else(no_core)?;
    let platform = platform(codex)?;
    let contract = core.manifest.lychd.image.clone().ok_or_else(no_core)?;
    refuse_any(arbitration::arbitrate(codex, federation))?;

    let mut desk = system::Desk::new(codex, locks.debian.as_ref(), mode, platform, workshop)?;
    let hooked = hooks::run(codex, federation, &mut desk, platform, workshop)?;
    let federation = hooked.federation.as_ref().unwrap_or(federation);
    let system = desk.resolve(federation)?;
    let tools = hooked.tools(&system.packages, platform, workshop)?;
    let target = target(codex, &system.packages, platform)?;
    let policy = HostPolicy::new(codex.policy.hosts.iter().map(ToString::to_string));
    let pins = locks.git.as_ref().map(|text| GitPins::parse(text, &policy)).transpose()?.unwrap_or_default();
    let offline = workshop.client.is_none();
    let repositories = Repositories::new(workshop.cache, offline, workshop.bring, &pins, pin_mode(mode));
    let bring_tree = |request: &GitRequest| repositories.bring(request);
    let request = workspace::Request {
        members: federation.members(),
        codex,
        locks: &locks.uv,
        mode: match mode {
            Mode::Locked => workspace::Mode::Locked,
            Mode::Keep { update_uv: true, .. } => workspace::Mode::Upgrade,
            Mode::Keep { update_uv: false, .. } => workspace::Mode::Keep,
        },
        offline,
        bring_tree: &bring_tree,
    };
    let mut plan = None;
    let mut from_lock = |lock: &workspace::FederationLock<'_>| {
        let (planned, sources) =
            from_source::plan(lock, &codex.policy.allow_sdist, &target, &policy, workshop.bring)?;
        plan = Some(planned);
        Ok(sources)
    };
    let locked = workspace::lock(&request, &tools, workshop.cache, workshop.progress, &mut from_lock)?;
    let plan = plan.ok_or_else(|| Failure::unable(Diagnostic::new("the lock was not read")))?;
    let system = desk.with_compiler(system, plan.is_native(&locked), federation)?;
    let (python_packages, packages) = plan.record(&locked)?;
    let build_environments = build_environments(&locked, &python_packages, &target, &policy)?;

    let npm = npm::resolve(codex, federation, &locks.npm, mode, platform, workshop)?;
    let npm_locks = npm.as_ref().map_or_else(node::Locks::default, |npm| npm.locks.clone());

    let new_pins = repositories.new_pins()?;
    if mode == Mode::Locked && new_pins != pins {
        let shown = lock_names::SHOWN_GIT;
        return Err(lock_changed(format!("`{shown}` pins what no member asks for any more")).into());
    }
    let git = new_pins.to_text()?.map(|text| Source::new(lock_names::SHOWN_GIT, text));
    let new_locks = Locks {
        git,
        uv: workspace::Locks {
            federation: Some(locked.uv_lock.clone()),
            builds: locked.builds.iter().map(|build| (build.id.clone(), build.uv_lock.clone())).collect(),
        },
        npm: npm_locks,
        debian: Some(system.lock),
    };
    let inputs = record::inputs(federation, &hooked, &new_locks, workshop.library)?;
    let (members, sources) = record::members(&locked, federation, &hooked)?;
    let (substrate, system_packages) =
        record::substrate(codex, federation, system.packages, &python_packages)?;
    let synthesis = Synthesis {
        schema: value::SCHEMA,
        forge: env!("CARGO_PKG_VERSION").to_owned(),
        source_date_epoch: codex.image.source_date_epoch,
        platform,
        python: codex.image.python.to_string(),
        substrate,
        members,
        python_packages,
        node: npm.as_ref().map(|npm| npm.environment.clone()),
        system_packages,
        build_environments,
        image: record::image(codex, contract),
        inputs,
        tools: record::resolvers(npm.is_some())?,
        policy: record::policy(codex),
    };
    let mut moved = system.moved;
    moved.extend(locked.moved.iter().cloned());
    moved.extend(new_pins.moved(&pins, Why::moved(pin_mode(mode) == PinMode::Update)));
    let mut notes = hooked.notes;
    notes.extend(locked.notes);
    match npm {
        Some(npm) => {
            moved.extend(npm.moved);
            notes.extend(npm.notes);
        }
        None => moved.extend(node::gone(&locks.npm)),
    }
    notes.extend(plan.notes);
    let git_trees = repositories.trees();
    let federated = Federated::of(federation);
    Ok(Synthesized { synthesis, sources, packages, git_trees, locks: new_locks, federated, moved, notes })
}

/// The locked build systems, each with the members that are built in it, or ask for what is.
fn build_environments(
    locked: &Locked,
    python_packages: &[PythonPackage],
    target: &Target,
    policy: &HostPolicy,
) -> Result<Vec<BuildEnvironment>, Failure> {
    let build_environment = |build: &BuildLock| {
        let shown = lock_names::shown_build(&build.id);
        let built_here = |package: &'_ PythonPackage| {
            let is_here = package.build.as_ref().is_some_and(|source| source.environment == build.id);
            is_here.then_some(package.requested_by.clone())
        };
        let users: BTreeSet<MemberId> = locked
            .projects
            .iter()
            .filter(|project| project.build_environment.as_ref() == Some(&build.id))
            .map(|project| project.member.clone())
            .chain(python_packages.iter().filter_map(built_here).flatten())
            .collect();
        let environment = environment(&shown, &build.uv_lock, target, policy)?;
        let packages = environment
            .packages
            .iter()
            .map(|package| PythonPackage {
                requested_by: users.clone(),
                ..package.to_python_package(&BTreeMap::new())
            })
            .collect();
        Ok(BuildEnvironment { id: build.id.clone(), requires: build.requires.clone(), packages })
    };
    locked.builds.iter().map(build_environment).collect()
}

/// Source trees of members.
type Trees = BTreeMap<MemberId, FileTree>;

fn pin_mode(mode: Mode) -> PinMode {
    match mode {
        Mode::Locked => PinMode::Locked,
        Mode::Keep { update_uv: true, .. } => PinMode::Update,
        Mode::Keep { update_uv: false, .. } => PinMode::Keep,
    }
}

fn no_core() -> Failure {
    Diagnostic::new("the Crypt has no `core/`")
        .of_kind(Fault::File)
        .help("`lychd-forge init` writes one to start from; `--crypt DIR` names another Crypt")
        .into()
}

/// The platform that is synthesized: the configured one; the substrate carries `x86_64` alone so far.
fn platform(codex: &Codex) -> Result<Platform, Failure> {
    match codex.image.platforms.iter().collect::<Vec<_>>().as_slice() {
        [Platform::X86_64Linux] => Ok(Platform::X86_64Linux),
        _ => Err(Diagnostic::new("only `x86_64-linux` is synthesized so far")
            .help("set `platforms = [\"x86_64-linux\"]` under [image] in forge.toml")
            .into()),
    }
}

/// The environment's interpreter and C library, as the pinned packages have them. On nixpkgs the library is the
/// oldest it can be, and the interpreter that of the tools: uv answers for a series, not for a patch release.
fn target(codex: &Codex, packages: &[SystemPackage], platform: Platform) -> Result<Target, Failure> {
    let upstream = |names: &[&str]| {
        packages.iter().find(|package| names.contains(&package.name.as_str())).map(|package| {
            let version = package.version.split_once(':').map_or(package.version.as_str(), |(_, rest)| rest);
            version.split(['-', '+', '~']).next().unwrap_or_default().to_owned()
        })
    };
    let missing = |what: &str| Failure::unable(Diagnostic::new(format!("the substrate has no {what}")));
    let python = upstream(&["python3.13-minimal", "python3.11-minimal"]).ok_or_else(|| missing("Python"))?;
    if matches!(codex.substrate, Substrate::Nixpkgs(_)) {
        return Target::new(&python, platform, nixpkgs::oldest_glibc(codex.image.python));
    }
    let glibc = upstream(&["libc6"]).ok_or_else(|| missing("C library"))?;
    let numbers: Vec<u16> = glibc.split('.').filter_map(|part| part.parse().ok()).collect();
    let &[major, minor, ..] = numbers.as_slice() else { return Err(missing("C library with a version")) };
    Target::new(&python, platform, (major, minor))
}

/// What of a locked build system is installed.
fn environment(
    shown: &str,
    text: &str,
    target: &Target,
    policy: &HostPolicy,
) -> Result<PythonEnvironment, Failure> {
    let lock = UvLock::read(&Source::new(shown, text))?;
    let selection = Selection { to_build_with: true, ..Selection::members(&lock) };
    python::environment(&lock, target, &selection, policy)
}

/// The lock knows requesters by their distributions; people know members.
fn in_members_terms(failure: Failure, names: &BTreeMap<PackageName, MemberId>) -> Failure {
    let Failure::Refused(mut all) = failure else { return failure };
    for diagnostic in &mut all {
        let members: BTreeSet<String> = diagnostic
            .requested_by
            .iter()
            .filter_map(|by| names.get(&by.parse::<PackageName>().ok()?))
            .map(ToString::to_string)
            .collect();
        diagnostic.requested_by = members.into_iter().collect();
    }
    Failure::Refused(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requesters_are_told_as_members() {
        let names = BTreeMap::from([("lych-core".parse().unwrap(), MemberId::core())]);
        let refused = Diagnostic::new("x").requested_by("lych-core").requested_by("lychd-forge-federation");
        let told = in_members_terms(refused.into(), &names);
        assert_eq!(told.diagnostics()[0].requested_by, ["core"]);
    }
}
