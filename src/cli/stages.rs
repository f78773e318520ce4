//! The stages that several verbs begin with, from the settings to values.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use super::{
    LockArgs, StoreArgs, Update,
    settings::{self, Network, Settings},
    ui::Ui,
};
use crate::{
    artifact::{Artifact, Effects},
    binding::validator::{Host, Supply, Validator},
    body::{Bodies, Evidence, Listing},
    codex::{self, Codex},
    crypt::{self, FederationLock},
    diagnostic::{Diagnostic, Failure, Fault},
    digest::{Sha256, nar::nar_sha256},
    forge::executor::Executor,
    host::{
        clock, file,
        http::{Client, Netrc},
        progress::Progress as _,
    },
    lock::{Change, Mode, Modes, names},
    name::{MemberId, PackageName},
    python::sources::git::GitTree,
    report,
    supply::{
        air_gap::{self, AirGap, Written},
        downloads::{self, Source},
    },
    synthesis::{self, Locks, Synthesis, value},
    transmute,
    tree::FileTree,
};

/// What `synthesize` gave, with what later stages need.
pub(super) struct Work {
    pub(super) codex: Codex,
    pub(super) synthesis: Synthesis,
    pub(super) id: Sha256,
    /// Canonical bytes and locks: what a body keeps of where it comes from.
    pub(super) evidence: Evidence,
    pub(super) moved: Vec<Change>,
    /// What a person should know.
    pub(super) notes: Vec<String>,
    sources: BTreeMap<MemberId, FileTree>,
    /// Where downloads come from, when not from the network.
    air_gap: Option<AirGap>,
    packages: BTreeMap<PackageName, FileTree>,
    git_trees: Vec<GitTree>,
    /// Keeps other forges out of the cache and the state directory until this one is done.
    _held: [file::Held; 2],
}

/// All bodies; those whose records cannot be read are noted.
pub(super) fn recorded(bodies: &Bodies, ui: &Ui) -> Result<Listing, Failure> {
    let listing = bodies.list()?;
    for unreadable in &listing.unreadable {
        ui.note(&unreadable.to_string());
    }
    Ok(listing)
}

/// The store of its own, when one is wanted.
pub(super) fn store(args: &StoreArgs) -> Result<Option<PathBuf>, Failure> {
    args.nix_store.as_deref().map(settings::absolute).transpose()
}

fn client(codex: &Codex, settings: &Settings, air_gap: Option<&AirGap>) -> Result<Option<Client>, Failure> {
    let policy = codex.policy.host_policy();
    if settings.network != Network::Online || air_gap.is_some() {
        return Ok(None);
    }
    Ok(Some(Client::new(policy).with_netrc(Netrc::load()?)))
}

/// Behind an air gap there is no index to lock from.
fn refuse_unlocked(locks: &Locks) -> Result<(), Failure> {
    let missing =
        [(names::SHOWN_UV, locks.uv.federation.is_none()), (names::SHOWN_DEBIAN, locks.debian.is_none())];
    let of = |(name, missing): &(&str, bool)| missing.then(|| format!("`{name}`"));
    let names: Vec<String> = missing.iter().filter_map(of).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(Diagnostic::new(format!("the Crypt has no {}, and `--from` locks nothing", names.join(" and ")))
        .help("copy the Crypt with its locks from where `lychd-forge fetch --to` made the folder")
        .into())
}

/// Two forges would write each other's downloads, flake and bodies. The names differ because cache and state
/// may be one directory.
fn hold(directory: &Path, name: &str, ui: &Ui) -> Result<file::Held, Failure> {
    let path = directory.join(name);
    let waiting = || ui.say(&format!("waiting for another forge that uses `{}`", directory.display()));
    let held = file::lock(&path, waiting).map_err(|error| file::unable("lock", &path, &error))?;
    for below in ["", "bodies", "load", "stage", "tools"].map(|name| directory.join(name)) {
        if file::kind(&below)? == Some(file::Kind::Directory) {
            let left = file::sweep(&below).map_err(|error| file::unable("clean up", &below, &error))?;
            for path in left {
                ui.note(&format!(
                    "`{}` is left of a forge that was killed, and cannot be removed",
                    path.display()
                ));
            }
        }
    }
    Ok(held)
}

/// Reads Codex, Crypt and locks, synthesizes, and writes the locks back unless `--locked`.
pub(super) fn synthesize(args: &LockArgs, settings: &Settings, ui: &Ui) -> Result<Work, Failure> {
    let codex = codex::load(&settings.codex)?;
    let held = [hold(&settings.cache, "cache.lock", ui)?, hold(&settings.state, "state.lock", ui)?];
    ui.stage("synthesize", &settings.crypt.display().to_string());
    let federation = crypt::discover(&settings.crypt, &codex)?;
    let repositories = FederationLock::read(&settings.crypt)?;
    let federated = synthesis::federation::lock(&federation, repositories.as_ref(), args.locked)?;
    let directory = settings.crypt.join("synthesis");
    let locks = Locks::read(&directory)?;
    let air_gap = match &args.from {
        Some(folder) => {
            refuse_unlocked(&locks)?;
            Some(AirGap::open(&settings::absolute(folder)?)?)
        }
        None => None,
    };
    let of = |update: Update| match (args.locked, args.update.contains(&update)) {
        (true, _) => Mode::Locked,
        (false, true) => Mode::Update,
        (false, false) => Mode::Keep,
    };
    let modes = Modes { python: of(Update::Uv), npm: of(Update::Npm), system: of(Update::System) };
    let client = client(&codex, settings, air_gap.as_ref())?;
    let artifacts = settings.artifact_cache();
    let source = Source {
        cache: &artifacts,
        from: air_gap.as_ref(),
        client: client.as_ref(),
        mirrors: &codex.substrate.debian().mirrors,
    };
    let bring = |artifacts: &[Artifact]| source.bring_all(artifacts, ui);
    let library = transmute::library();
    let effects = Effects {
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
    let done = synthesis::synthesize(&codex, &federation, &locks, modes, &effects)?;
    if air_gap.is_some() && !done.moved.is_empty() {
        return Err(Diagnostic::new("`--from` moves no pins, and what members require has changed")
            .of_kind(Fault::LockChanged)
            .note(format!("would change:\n{}", report::moved(&done.moved).join("\n")))
            .help("lock and fetch again where there is a network: `lychd-forge fetch --to DIR`")
            .into());
    }
    let mut notes = [federated.notes, done.notes].concat();
    let moved = [federated.moved, done.moved].concat();
    ui.notes(&notes);
    ui.notes(&report::moved(&moved));
    let kept = args.locked
        || done.locks.write(&locks, &directory)?
            && federated.lock.write(repositories.as_ref(), &settings.crypt)?;
    if !kept {
        let lost = "the Crypt cannot be written: these locks were not kept in it";
        ui.note(lost);
        notes.push(lost.to_owned());
    }
    let bytes = done.synthesis.to_canonical_json().map_err(|error| unwritable(&error))?;
    let id = Sha256::of(&bytes);
    let evidence = Evidence {
        synthesis: String::from_utf8_lossy(&bytes).into_owned(),
        federation: done.federated.to_json(),
        locks: done.locks.to_tree()?,
        federation_lock: federated.lock.to_text(),
        ..Evidence::default()
    };
    let kept = settings.state.join("synthesis");
    evidence
        .inputs()
        .map_err(io::Error::other)
        .and_then(|tree| file::write_tree(&kept, &tree))
        .map_err(|error| file::unable("write", &kept, &error))?;
    let (synthesis, sources, packages) = (done.synthesis, done.sources, done.packages);
    let git_trees = done.git_trees;
    Ok(Work {
        codex,
        synthesis,
        id,
        evidence,
        moved,
        notes,
        sources,
        packages,
        git_trees,
        air_gap,
        _held: held,
    })
}

fn unwritable(error: &serde_json::Error) -> Failure {
    Failure::unable(Diagnostic::new(format!("cannot write the Synthesis: {error}")))
}

impl Work {
    /// The flake.
    pub(super) fn transmute(&self) -> Result<FileTree, Failure> {
        transmute::transmute_with(&self.synthesis, &self.sources, &self.packages, &transmute::library())
    }
}

/// Everything a build needs: the artifacts, and what the substrate starts from.
fn needed(work: &Work, ui: &Ui) -> Result<Vec<Artifact>, Failure> {
    let mut artifacts = synthesis::artifacts(&work.synthesis);
    if matches!(work.synthesis.substrate, value::Substrate::Debian { .. }) {
        artifacts.push(downloads::seed()?);
    }
    ui.stage("fetch", &format!("{} artifacts", artifacts.len()));
    Ok(artifacts)
}

/// Hands `bring` the source that downloads come from.
fn with_source<T>(
    work: &Work,
    settings: &Settings,
    bring: impl FnOnce(&Source<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let client = client(&work.codex, settings, work.air_gap.as_ref())?;
    let cache = settings.artifact_cache();
    bring(&Source {
        cache: &cache,
        from: work.air_gap.as_ref(),
        client: client.as_ref(),
        mirrors: &work.codex.substrate.debian().mirrors,
    })
}

/// The programs that judge units: this host's, or Debian's, brought as other tools are.
///
/// The cache is held as long as they work: another forge would bring and lay out the same programs.
pub(super) fn validator(
    codex: &Codex,
    settings: &Settings,
    ui: &Ui,
) -> Result<(Validator, file::Held), Failure> {
    let client = client(codex, settings, None)?;
    let artifacts = settings.artifact_cache();
    let held = hold(&settings.cache, "cache.lock", ui)?;
    let source = Source {
        cache: &artifacts,
        from: None,
        client: client.as_ref(),
        mirrors: &codex.substrate.debian().mirrors,
    };
    let validator = Validator::find(
        &Host::usual(),
        &Supply {
            cache: &settings.cache,
            codex_directory: &settings.codex,
            debian: codex.substrate.debian(),
            client: client.as_ref(),
            bring: &|artifacts: &[Artifact]| source.bring_all(artifacts, ui),
            now: clock::unix_seconds(),
            progress: ui,
        },
    )?;
    Ok((validator, held))
}

/// Brings what the store lacks; returns how many artifacts that were.
pub(super) fn fetch(
    work: &Work,
    executor: &dyn Executor,
    settings: &Settings,
    ui: &Ui,
) -> Result<usize, Failure> {
    let artifacts = needed(work, ui)?;
    with_source(work, settings, |source| downloads::into_store(executor, &artifacts, source, ui))
}

/// Brings everything, with what the forge itself is run with, and puts it into a folder.
pub(super) fn fetch_to(work: &Work, folder: &Path, settings: &Settings, ui: &Ui) -> Result<Written, Failure> {
    let mut artifacts = needed(work, ui)?;
    for tool in synthesis::tool_downloads(&work.synthesis)? {
        // Two at a time would write one file.
        if artifacts.iter().all(|known| known.store_path != tool.store_path) {
            artifacts.push(tool);
        }
    }
    let paths = with_source(work, settings, |source| {
        for tree in &work.git_trees {
            let (artifact, bytes) = tree.archive()?;
            source.keep(&artifact, &bytes)?;
            artifacts.push(artifact);
        }
        source.bring_all(&artifacts, ui)
    })?;
    let brought: Vec<(Artifact, PathBuf)> = artifacts.into_iter().zip(paths).collect();
    air_gap::write(folder, work.id, &brought)
}
