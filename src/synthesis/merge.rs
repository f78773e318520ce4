//! The merge: federation, Codex and locks in; one [`Synthesis`] and the frozen locks out.
//!
//! System packages come first, because the Python that uv asks for markers is made of them.

mod system;
mod toolbox;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    Artifact, Locks, Synthesis,
    python::{self, PythonEnvironment, Selection, Target},
    tools,
    value::{self, BuildEnvironment, Member, PythonPackage, Role, SystemPackage},
    workspace::{self, BuildLock, Locked, LockedProject},
};
use crate::{
    codex::{Codex, Substrate},
    crypt::{Federation, Member as FederationMember},
    diagnostic::{Diagnostic, Failure, Source},
    digest::{
        Sha256,
        nar::nar_sha256,
        store_path::{StoreName, StorePath},
    },
    host::{http::Client, progress::Progress},
    lock::uv::UvLock,
    name::{MemberId, NameError, PackageName, Platform, url::HostPolicy},
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
        /// Move Debian packages.
        update_system: bool,
    },
}

/// Brings downloads and says where they lie, in the same order.
pub type Bring<'a> = &'a dyn Fn(&[Artifact]) -> Result<Vec<PathBuf>, Failure>;

/// The effects that a synthesis needs, as values of the caller.
pub struct Workshop<'a> {
    /// Where relative paths of the configuration start.
    pub codex_directory: &'a Path,
    /// Tools, indexes and uv's own cache: safe to delete.
    pub cache: &'a Path,
    /// `None` when the network must not be used.
    pub client: Option<&'a Client>,
    /// Downloads what the tools are made of.
    pub bring: Bring<'a>,
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
    /// The locks it stands on, for the Crypt.
    pub locks: Locks,
    /// Lines such as `numpy 2.3.1 -> 2.3.2`, for people.
    pub moved: Vec<String>,
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

    let system = system::resolve(codex, federation, locks.debian.as_ref(), mode, platform, workshop)?;
    let tools = toolbox::install(&system.packages, platform, workshop)?;
    let request = workspace::Request {
        members: federation.members(),
        codex,
        locks: &locks.uv,
        mode: match mode {
            Mode::Locked => workspace::Mode::Locked,
            Mode::Keep { update_uv: true, .. } => workspace::Mode::Upgrade,
            Mode::Keep { update_uv: false, .. } => workspace::Mode::Keep,
        },
        offline: workshop.client.is_none(),
    };
    let locked = workspace::lock(&request, &tools, workshop.cache, workshop.progress)?;

    let target = target(&system.packages, platform)?;
    let policy = HostPolicy::new(codex.policy.hosts.iter().map(ToString::to_string));
    let names: BTreeMap<PackageName, MemberId> =
        locked.projects.iter().map(|project| (project.name.clone(), project.member.clone())).collect();
    let environment = environment("synthesis/uv.lock", &locked.uv_lock, &target, &policy)
        .map_err(|failure| in_members_terms(failure, &names))?;
    let build_environments = build_environments(&locked, &target, &policy)?;

    let new_locks = Locks {
        uv: workspace::Locks {
            federation: Some(locked.uv_lock.clone()),
            builds: locked.builds.iter().map(|build| (build.id.clone(), build.uv_lock.clone())).collect(),
        },
        debian: Some(system.lock),
    };
    let mut inputs: BTreeMap<String, Sha256> = federation
        .members()
        .iter()
        .map(|member| (member.manifest.source.name().to_owned(), member.manifest.sha256))
        .collect();
    inputs.insert("lychd-forge/nix".to_owned(), workshop.library);
    for (path, _) in new_locks.to_tree()?.iter() {
        if let Some(bytes) = new_locks.to_tree()?.file(path) {
            inputs.insert(format!("synthesis/{path}"), Sha256::of(bytes));
        }
    }
    let (mut members, mut sources) = (Vec::new(), BTreeMap::new());
    for project in &locked.projects {
        if let Some(of) = federation.member(&project.member) {
            let (member, source) = member(project, of)?;
            sources.insert(member.id.clone(), source);
            members.push(member);
        }
    }
    members
        .sort_by(|one, other| (one.role != Role::Core, &one.id).cmp(&(other.role != Role::Core, &other.id)));
    let Substrate::Debian(debian) = &codex.substrate;
    let synthesis = Synthesis {
        schema: value::SCHEMA,
        forge: env!("CARGO_PKG_VERSION").to_owned(),
        source_date_epoch: codex.image.source_date_epoch,
        platform,
        python: codex.image.python.to_string(),
        substrate: value::Substrate::Debian {
            suites: debian.suites.iter().map(ToString::to_string).collect(),
        },
        members,
        python_packages: environment
            .packages
            .iter()
            .map(|package| package.to_python_package(&names))
            .collect(),
        system_packages: system.packages,
        build_environments,
        image: value::Image {
            name: codex.image.name.to_string(),
            ports: contract.ports(),
            command: contract.command,
            user: value::User { name: contract.user.name, uid: contract.user.uid },
            environment: contract.env,
            directories: contract.directories,
            labels: contract.labels,
        },
        inputs,
        tools: BTreeMap::from([("uv".to_owned(), tools::uv::tool()?)]),
        policy: value::Policy {
            hosts: codex.policy.hosts.iter().map(ToString::to_string).collect(),
            allow_sdist: codex.policy.allow_sdist.clone(),
        },
    };
    let mut moved: Vec<String> = system.moved;
    moved.extend(locked.moved.iter().map(ToString::to_string));
    moved.extend(locked.moved_builds.values().flatten().map(|moved| format!("{moved} (to build with)")));
    let mut notes = locked.notes;
    notes.extend(environment.notes.iter().map(ToString::to_string));
    Ok(Synthesized { synthesis, sources, locks: new_locks, moved, notes })
}

/// The locked build systems, each with the members that are built in it.
fn build_environments(
    locked: &Locked,
    target: &Target,
    policy: &HostPolicy,
) -> Result<Vec<BuildEnvironment>, Failure> {
    let build_environment = |build: &BuildLock| {
        let shown = format!("synthesis/build/{}.uv.lock", build.id);
        let users: BTreeSet<MemberId> = locked
            .projects
            .iter()
            .filter(|project| project.build_environment.as_ref() == Some(&build.id))
            .map(|project| project.member.clone())
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

fn no_core() -> Failure {
    Diagnostic::new("the Crypt has no `core/`")
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

/// The environment's interpreter and C library, as the pinned packages have them.
fn target(packages: &[SystemPackage], platform: Platform) -> Result<Target, Failure> {
    let upstream = |names: &[&str]| {
        packages.iter().find(|package| names.contains(&package.name.as_str())).map(|package| {
            let version = package.version.split_once(':').map_or(package.version.as_str(), |(_, rest)| rest);
            version.split(['-', '+', '~']).next().unwrap_or_default().to_owned()
        })
    };
    let missing = |what: &str| Failure::unable(Diagnostic::new(format!("the substrate has no {what}")));
    let python = upstream(&["python3.13-minimal", "python3.11-minimal"]).ok_or_else(|| missing("Python"))?;
    let glibc = upstream(&["libc6"]).ok_or_else(|| missing("C library"))?;
    let numbers: Vec<u16> = glibc.split('.').filter_map(|part| part.parse().ok()).collect();
    let &[major, minor, ..] = numbers.as_slice() else { return Err(missing("C library with a version")) };
    Target::new(&python, platform, (major, minor))
}

fn environment(
    shown: &str,
    text: &str,
    target: &Target,
    policy: &HostPolicy,
) -> Result<PythonEnvironment, Failure> {
    let lock = UvLock::read(&Source::new(shown, text))?;
    python::environment(&lock, target, &Selection::members(&lock), policy)
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

/// One entry of the Synthesis with its source: a member, or a project of a member that is a workspace.
fn member(project: &LockedProject, of: &FederationMember) -> Result<(Member, FileTree), Failure> {
    let unsound = |error: &dyn std::fmt::Display| {
        Failure::from(Diagnostic::new(error.to_string()).requested_by(of.id.to_string()))
    };
    let (id, source, nar_sha256) = match &project.directory {
        None => (of.id.clone(), of.source.tree.clone(), of.source.nar_sha256),
        Some(directory) => {
            let id =
                format!("{}/{}", of.id, project.name).parse().map_err(|error: NameError| unsound(&error))?;
            let source = of.source.tree.subtree(directory);
            let nar_sha256 = nar_sha256(&source).map_err(|error| unsound(&error))?;
            (id, source, nar_sha256)
        }
    };
    let dependencies = &of.manifest.lychd.system_dependencies;
    let name = StoreName::mapped(&format!("{}-source", project.name));
    let member = Member {
        id,
        role: if of.id.is_core() { Role::Core } else { Role::Extension },
        name: project.name.clone(),
        version: project.version.clone(),
        nar_sha256,
        store_path: StorePath::of_source(&nar_sha256, &name).to_string(),
        build_environment: project.build_environment.clone(),
        build_backend: project.build_backend.clone(),
        system_dependencies: dependencies.iter().map(|dependency| dependency.name.to_string()).collect(),
        dependencies: project.dependencies.clone(),
    };
    Ok((member, source))
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
