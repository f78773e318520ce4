//! The merge: federation, Codex and locks in; one [`Synthesis`] and the frozen locks out.
//!
//! The order of the steps is that of what each needs of the others:
//!
//! 1. Hooks, because they ask for system packages; the substrate alone gives them their Python.
//! 2. System packages, because the Python that uv asks for markers is made of them.
//! 3. The federation's `uv.lock`, because it tells which packages have no wheel that fits.
//! 4. The locks of the build environments, for members and for those packages.
//! 5. System packages again when something native is built, now with a compiler.
//! 6. npm, which nothing else waits for.
//! 7. Git pins last: only then it is known which trees were asked for.

mod hooks;
mod record;
mod tools;

use std::collections::{BTreeMap, BTreeSet};

use super::{Locks, Synthesis, arbitration, nixpkgs, value};
use crate::{
    artifact::{Bring, Effects},
    codex::{Codex, Substrate},
    crypt::Federation,
    debian::{self, SystemPackage},
    diagnostic::{Diagnostic, Failure, Fault, Source, refuse_any},
    digest::Sha256,
    lock::{Change, Mode, Modes, Why, lock_changed, names},
    name::{MemberId, PackageName, Platform, url::HostPolicy},
    npm,
    python::{
        self,
        install::{self, PythonEnvironment, Selection, Target},
        lock::UvLock,
        record::{BuildEnvironment, PackageSource, PythonPackage},
        sources::git::{GitPins, GitRequest, GitTree, Repositories},
        workspace::{self, BuildLock, Locked},
    },
    runes::RuneRecord,
    tree::FileTree,
};

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
    pub federated: RuneRecord,
    /// What moved in the locks: system, Python, git, npm.
    pub moved: Vec<Change>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Merges and locks a federation. `library` is the hash of the Nix library that the flake will carry: it shapes the
/// image as the manifests do.
///
/// # Errors
/// Refused when manifests disagree, nothing fits, a hash or host is not acceptable, or with
/// [`Mode::Locked`] anything would change; unable when a resolver or the network cannot be used.
pub fn synthesize(
    codex: &Codex,
    federation: &Federation,
    locks: &Locks,
    modes: Modes,
    library: Sha256,
    effects: &Effects<'_>,
) -> Result<Synthesized, Failure> {
    let core = federation.core().ok_or_else(no_core)?;
    let platform = platform(codex)?;
    let image = core.manifest.lychd.image.clone().ok_or_else(no_core)?;
    refuse_any(arbitration::arbitrate(codex, federation))?;

    let mut resolver =
        debian::SystemResolver::new(codex, locks.debian.as_ref(), modes.system, platform, effects)?;
    let hooked = hooks::run(codex, federation, &mut resolver, platform, effects)?;
    let federation = hooked.federation.as_ref().unwrap_or(federation);
    let system = resolver.resolve(federation)?;
    let tools = hooked.tools(&system.packages, platform, effects)?;
    let target = target(codex, &system.packages, platform)?;
    let policy = codex.policy.host_policy();
    let pins = locks.git.as_ref().map(|text| GitPins::parse(text, &policy)).transpose()?.unwrap_or_default();
    let offline = effects.client.is_none();
    let repositories = Repositories::new(effects.cache, offline, effects.bring, &pins, modes.python);
    let bring_tree = |request: &GitRequest| repositories.bring(request);
    let request = workspace::Request {
        members: federation.members(),
        codex,
        locks: &locks.uv,
        mode: modes.python,
        offline,
        bring_tree: &bring_tree,
    };
    let locked = workspace::lock_federation(&request, &tools, effects.cache, effects.progress)?;
    let (plan, from_source) =
        python::plan(&locked, &codex.policy.allow_sdist, &target, &policy, effects.bring)?;
    let locked = workspace::lock_builds(locked, &from_source)?;
    let system = resolver.with_compiler(system, plan.is_native(&locked), federation)?;
    let (python_packages, packages) = plan.record(&locked, effects.bring)?;
    let build_environments = build_environments(&locked, &python_packages, &target, &policy, effects.bring)?;

    let npm = npm::lock(&npm::Request {
        members: federation.members(),
        codex,
        locks: &locks.npm,
        mode: modes.npm,
        platform,
        effects,
    })?;
    let npm_locks = npm.as_ref().map_or_else(npm::Locks::default, |npm| npm.locks.clone());

    let new_pins = repositories.new_pins()?;
    if modes.python == Mode::Locked && new_pins != pins {
        let shown = names::SHOWN_GIT;
        return Err(lock_changed(format!("`{shown}` pins what no member asks for any more")).into());
    }
    let git = new_pins.to_text().map(|text| Source::new(names::SHOWN_GIT, text));
    let new_locks = Locks {
        git,
        uv: workspace::Locks {
            federation: Some(text(&locked.uv_lock)),
            builds: locked.builds.iter().map(|build| (build.id.clone(), text(&build.uv_lock))).collect(),
        },
        npm: npm_locks,
        debian: Some(system.lock_text()),
    };
    let inputs = record::inputs(federation, &hooked, &new_locks, library)?;
    let (members, sources) = record::members(&locked, federation, &hooked)?;
    let (substrate, system_packages) =
        record::substrate(codex, federation, system.packages, &members, &python_packages)?;
    let of_core = federation.core().into_iter().flat_map(|core| &core.manifest.lychd.images);
    let images =
        of_core.map(|image| (image.role.clone(), record::further(codex, image, &system_packages))).collect();
    let image = record::image(codex, image, &system_packages);
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
        image,
        images,
        inputs,
        tools: record::resolvers(npm.is_some())?,
        policy: record::policy(codex),
    };
    let mut moved = system.moved;
    moved.extend(locked.moved.iter().cloned());
    moved.extend(new_pins.moved(&pins, Why::moved(modes.python == Mode::Update)));
    let mut notes = federation.notes().to_vec();
    notes.extend(hooked.notes);
    notes.extend(locked.notes);
    match npm {
        Some(npm) => {
            moved.extend(npm.moved);
            notes.extend(npm.notes);
        }
        None => moved.extend(npm::gone(&locks.npm)),
    }
    notes.extend(plan.notes);
    let git_trees = repositories.trees();
    let federated = RuneRecord::of(federation);
    Ok(Synthesized { synthesis, sources, packages, git_trees, locks: new_locks, federated, moved, notes })
}

/// The locked build systems, each with the members that are built in it, or ask for what is.
fn build_environments(
    locked: &Locked,
    python_packages: &[PythonPackage],
    target: &Target,
    policy: &HostPolicy,
    bring: Bring<'_>,
) -> Result<Vec<BuildEnvironment>, Failure> {
    let build_environment = |build: &BuildLock| {
        let built_here = |package: &'_ PythonPackage| {
            let is_here = package.source.build().is_some_and(|source| source.environment == build.id);
            is_here.then_some(package.requested_by.clone())
        };
        let users: BTreeSet<MemberId> = locked
            .projects
            .iter()
            .filter(|project| project.build_environment.as_ref() == Some(&build.id))
            .map(|project| project.member.clone())
            .chain(python_packages.iter().filter_map(built_here).flatten())
            .collect();
        let environment = environment(&build.uv_lock, target, policy)?;
        let files = python::sized(&environment.packages, &locked.files, &|_| users.clone(), bring)?;
        let packages = environment.packages.iter().zip(files);
        // Nothing to build with is built itself, so each is a wheel.
        let packages = packages
            .map(|(package, file)| package.record(PackageSource::Wheel(file), users.clone()))
            .collect();
        Ok(BuildEnvironment { id: build.id.clone(), requires: build.requires.clone(), packages })
    };
    locked.builds.iter().map(build_environment).collect()
}

fn text(lock: &UvLock) -> String {
    lock.text().text().to_owned()
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
fn environment(lock: &UvLock, target: &Target, policy: &HostPolicy) -> Result<PythonEnvironment, Failure> {
    let selection = Selection { to_build_with: true, ..Selection::members(lock) };
    install::environment(lock, target, &selection, policy)
}
