//! The first half of every flow: Codex, Crypt and locks become a Synthesis, and the locks are written back.

use std::path::{Path, PathBuf};

use super::prepared::Prepared;
use crate::{
    body::Evidence,
    codex,
    crypt::{self, FederationLock},
    diagnostic::{Diagnostic, Failure, Fault},
    digest::nar::nar_sha256,
    host::{directories::Directories, file, progress::Progress},
    lock::{self, Mode, Modes, names},
    supply::{
        air_gap::AirGap,
        outside::{Network, Outside},
    },
    synthesis::{self, Locks},
    transmute,
};

/// What may become of the locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pins {
    /// Nothing: what does not fit them is refused.
    Locked,
    /// They are written back; of these kinds all pins move, of the others only what must.
    Kept {
        /// Python packages move.
        python: bool,
        /// npm packages move.
        npm: bool,
        /// Debian packages move.
        system: bool,
    },
}

impl Pins {
    fn modes(self) -> Modes {
        let of = |moves| if moves { Mode::Update } else { Mode::Keep };
        match self {
            Self::Locked => Modes::all(Mode::Locked),
            Self::Kept { python, npm, system } => {
                Modes { python: of(python), npm: of(npm), system: of(system) }
            }
        }
    }
}

/// From what a Synthesis is prepared, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preparation {
    /// Where Codex and Crypt lie, and what may be written.
    pub directories: Directories,
    /// Whether the network may be used.
    pub network: Network,
    /// What may become of the locks.
    pub pins: Pins,
    /// A folder that all downloads come from instead of the network.
    pub from: Option<PathBuf>,
    /// Whether what would come of it is only to be told: then no lock is written, nor a Synthesis.
    pub is_trial: bool,
}

/// Reads Codex, Crypt and locks, synthesizes, and writes the locks back unless they are to stay as they are. What moved
/// in them is told as it is known, but for a trial, of which it is the answer.
///
/// # Errors
/// Refused when the Codex or a manifest is wrong, manifests disagree, or the locks would have to change and may not;
/// unable when a file, a program or the network cannot be used.
pub fn prepare(preparation: &Preparation, progress: &dyn Progress) -> Result<Prepared, Failure> {
    let Preparation { directories, network, pins, from, is_trial } = preparation;
    let locked = *pins == Pins::Locked;
    let codex = codex::load(&directories.codex)?;
    let held = [directories.hold_cache(progress)?, directories.hold_state(progress)?];
    progress.stage("synthesize", &directories.crypt.display().to_string());
    let federation = crypt::discover(&directories.crypt, &codex)?;
    let repositories = FederationLock::read(&directories.crypt)?;
    let federated = synthesis::federation::lock(&federation, repositories.as_ref(), locked)?;
    let directory = directories.crypt.join("synthesis");
    let locks = Locks::read(&directory)?;
    let air_gap = from.as_deref().map(|folder| open(folder, &locks)).transpose()?;
    let outside = Outside::open(&codex, directories, *network, air_gap)?;
    let library = nar_sha256(&transmute::library())
        .map_err(|error| Failure::unable(Diagnostic::new(format!("cannot hash the Nix library: {error}"))))?;
    let done = outside.with_effects(progress, |effects| {
        synthesis::synthesize(&codex, &federation, &locks, pins.modes(), library, effects)
    })?;
    if outside.is_air_gapped() && !done.moved.is_empty() {
        return Err(Diagnostic::new("`--from` moves no pins, and what members require has changed")
            .of_kind(Fault::LockChanged)
            .note(format!("would change:\n{}", lock::summary(&done.moved).join("\n")))
            .help("lock and fetch again where there is a network: `lychd-forge fetch --to DIR`")
            .into());
    }
    let mut notes = [federated.notes, done.notes].concat();
    let moved = [federated.moved, done.moved].concat();
    let summary = if *is_trial { Vec::new() } else { lock::summary(&moved) };
    for line in notes.iter().chain(&summary) {
        progress.note(line);
    }
    let kept = locked
        || *is_trial
        || done.locks.write(&locks, &directory)?
            && federated.lock.write(repositories.as_ref(), &directories.crypt)?;
    if !kept {
        let lost = "the Crypt cannot be written: these locks were not kept in it";
        progress.note(lost);
        notes.push(lost.to_owned());
    }
    let evidence = Evidence {
        synthesis: done.synthesis.to_canonical_json(),
        federation: done.federated.to_json(),
        locks: done.locks.to_tree()?,
        federation_lock: federated.lock.to_text(),
        ..Evidence::default()
    };
    if !is_trial {
        keep(&evidence, &directories.state.join("synthesis"))?;
    }
    Ok(Prepared {
        id: done.synthesis.id(),
        synthesis: done.synthesis,
        evidence,
        moved,
        notes,
        federation,
        sources: done.sources,
        packages: done.packages,
        git_trees: done.git_trees,
        outside,
        _held: held,
    })
}

/// Opens the folder of an air gap, behind which there is no index to lock from.
fn open(folder: &Path, locks: &Locks) -> Result<AirGap, Failure> {
    let missing =
        [(names::SHOWN_UV, locks.uv.federation.is_none()), (names::SHOWN_DEBIAN, locks.debian.is_none())];
    let of = |(name, missing): &(&str, bool)| missing.then(|| format!("`{name}`"));
    let names: Vec<String> = missing.iter().filter_map(of).collect();
    if names.is_empty() {
        return AirGap::open(folder);
    }
    Err(Diagnostic::new(format!("the Crypt has no {}, and `--from` locks nothing", names.join(" and ")))
        .help("copy the Crypt with its locks from where `lychd-forge fetch --to` made the folder")
        .into())
}

/// Leaves the last Synthesis in the state directory, for people and scripts.
fn keep(evidence: &Evidence, directory: &Path) -> Result<(), Failure> {
    file::write_tree(directory, &evidence.inputs()).map_err(|error| file::unable("write", directory, &error))
}
