//! The stages that several verbs begin with, from the settings to values.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{
    LockArgs, StoreArgs, Update,
    settings::{self, Network, Settings},
    ui::Ui,
};
use crate::{
    codex::{self, Codex, Substrate},
    crypt,
    diagnostic::{Diagnostic, Failure},
    digest::{Sha256, nar::nar_sha256},
    forge::{
        fetch::{self, Source},
        nix::Nix,
    },
    host::{clock, file, http::Client, progress::Progress as _},
    name::{MemberId, url::HostPolicy},
    synthesis::{self, Artifact, Locks, Mode, Synthesis, value::Role},
    transmute,
    tree::FileTree,
};

/// What `synthesize` gave, with what later stages need.
pub(super) struct Work {
    pub(super) codex: Codex,
    pub(super) synthesis: Synthesis,
    pub(super) id: Sha256,
    /// Canonical bytes and locks: the evidence a body keeps.
    pub(super) evidence: FileTree,
    pub(super) moved: Vec<String>,
    sources: BTreeMap<MemberId, FileTree>,
    /// Keeps other forges out of the cache and the state directory until this one is done.
    _held: [file::Held; 2],
}

/// The store of its own, when one is wanted.
pub(super) fn store(args: &StoreArgs) -> Result<Option<PathBuf>, Failure> {
    args.nix_store.as_deref().map(settings::absolute).transpose()
}

fn client(codex: &Codex, settings: &Settings) -> Option<Client> {
    let policy = HostPolicy::new(codex.policy.hosts.iter().map(ToString::to_string));
    (settings.network == Network::Online).then(|| Client::new(policy))
}

/// Two forges would write each other's downloads, flake and bodies. The names differ because cache and state
/// may be one directory.
fn hold(directory: &Path, name: &str, ui: &Ui) -> Result<file::Held, Failure> {
    let path = directory.join(name);
    let waiting = || ui.say(&format!("waiting for another forge that uses `{}`", directory.display()));
    let held = file::lock(&path, waiting).map_err(|error| file::unable("lock", &path, &error))?;
    for below in
        [directory.to_owned(), directory.join("stage")].iter().filter(|below| file::is_directory(below))
    {
        file::sweep(below).map_err(|error| file::unable("clean up", below, &error))?;
    }
    Ok(held)
}

/// Reads Codex, Crypt and locks, synthesizes, and writes the locks back unless `--locked`.
pub(super) fn synthesize(args: &LockArgs, settings: &Settings, ui: &Ui) -> Result<Work, Failure> {
    let codex = codex::load(&settings.codex)?;
    let held = [hold(&settings.cache, "cache.lock", ui)?, hold(&settings.state, "state.lock", ui)?];
    ui.stage("synthesize", &settings.crypt.display().to_string());
    let federation = crypt::discover(&settings.crypt, &codex)?;
    let directory = settings.crypt.join("synthesis");
    let locks = Locks::read(&directory)?;
    let mode = if args.locked {
        Mode::Locked
    } else {
        Mode::Keep {
            update_uv: args.update.contains(&Update::Uv),
            update_system: args.update.contains(&Update::System),
        }
    };
    let client = client(&codex, settings);
    let Substrate::Debian(substrate) = &codex.substrate;
    let artifacts = settings.artifact_cache();
    let source = Source { cache: &artifacts, client: client.as_ref(), mirrors: &substrate.mirrors };
    let bring = |artifacts: &[Artifact]| source.bring_all(artifacts, ui);
    let library = transmute::library();
    let workshop = synthesis::Workshop {
        codex_directory: &settings.codex,
        cache: &settings.cache,
        client: client.as_ref(),
        bring: &bring,
        now: clock::unix_seconds(),
        library: nar_sha256(&library).map_err(|error| {
            Failure::unable(Diagnostic::new(format!("cannot hash the Nix library: {error}")))
        })?,
        progress: ui,
    };
    let done = synthesis::synthesize(&codex, &federation, &locks, mode, &workshop)?;
    for note in &done.notes {
        ui.note(note);
    }
    ui.moved(&done.moved);
    if !args.locked && !done.locks.write(&locks, &directory)? {
        ui.note("the Crypt cannot be written: these locks were not kept in it");
    }
    let bytes = done.synthesis.to_canonical_json().map_err(|error| unwritable(&error))?;
    let id = Sha256::of(&bytes);
    let mut evidence = done.locks.to_tree()?;
    evidence.insert_text(name("synthesis.json")?, String::from_utf8_lossy(&bytes));
    let kept = settings.state.join("synthesis");
    file::write_tree(&kept, &evidence).map_err(|error| file::unable("write", &kept, &error))?;
    Ok(Work {
        codex,
        synthesis: done.synthesis,
        id,
        evidence,
        moved: done.moved,
        sources: done.sources,
        _held: held,
    })
}

fn unwritable(error: &serde_json::Error) -> Failure {
    Failure::unable(Diagnostic::new(format!("cannot write the Synthesis: {error}")))
}

/// A file name of ours as a path.
pub(super) fn name(text: &str) -> Result<crate::tree::RelativePath, Failure> {
    text.parse()
        .map_err(|error: crate::tree::RelativePathError| Failure::unable(Diagnostic::new(error.to_string())))
}

impl Work {
    /// The flake.
    pub(super) fn transmute(&self) -> Result<FileTree, Failure> {
        transmute::transmute(&self.synthesis, &self.sources, &transmute::library())
    }
}

/// Brings what the store lacks; returns how many artifacts that were.
pub(super) fn fetch(work: &Work, nix: &Nix, settings: &Settings, ui: &Ui) -> Result<usize, Failure> {
    let mut artifacts = synthesis::artifacts(&work.synthesis);
    artifacts.push(fetch::seed()?);
    ui.stage("fetch", &format!("{} artifacts", artifacts.len()));
    let client = client(&work.codex, settings);
    let Substrate::Debian(substrate) = &work.codex.substrate;
    let cache = settings.artifact_cache();
    let source = Source { cache: &cache, client: client.as_ref(), mirrors: &substrate.mirrors };
    fetch::into_store(nix, &artifacts, &source, ui)
}

/// Members and packages by kind, for people.
pub(super) fn print_members(synthesis: &Synthesis, ui: &Ui) -> Result<(), Failure> {
    for member in &synthesis.members {
        let role = match member.role {
            Role::Core => "core",
            Role::Extension => "extension",
        };
        let version = member.version.as_deref().unwrap_or("dynamic");
        ui.field(role, &format!("{} ({} {version})", member.id, member.name))?;
    }
    let image = synthesis.system_packages.iter().filter(|package| package.image).count();
    let build: usize =
        synthesis.build_environments.iter().map(|environment| environment.packages.len()).sum();
    ui.field(
        "packages",
        &format!("{} Python, {image} system, {build} to build with", synthesis.python_packages.len()),
    )
}

/// The counts of [`print_members`] for machines.
pub(super) fn packages_json(synthesis: &Synthesis) -> serde_json::Value {
    json!({
        "members": synthesis.members.iter().map(|member| member.id.to_string()).collect::<Vec<_>>(),
        "python": synthesis.python_packages.len(),
        "system": synthesis.system_packages.iter().filter(|package| package.image).count(),
    })
}
