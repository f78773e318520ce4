//! From the directories of a user to the candidate of a recorded body.

use std::path::Path;

use super::{
    candidate::{Candidate, Subject, candidate},
    generation::Generations,
    host::HostView,
    owners,
    validator::{Host, Validator},
};
use crate::{
    body::{Bodies, Record},
    codex,
    diagnostic::{Diagnostic, Failure, Fault},
    host::{directories::Directories, progress::Progress},
    image::EngineId,
    runes::{RuneRecord, podman, podman::PodmanVersion, record, systemd::SystemdVersion},
    supply::outside::{Network, Outside},
    tree::FileTree,
};

/// The units of which body are wanted, and for which podman.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The body, as [`crate::body::Listing::find`] takes it; or `active`, the one whose units are inscribed; or `last`, the one whose
    /// units were inscribed last, and the newest where none were.
    pub body: &'a str,
    /// The Codex to render, where it is not the user's own of now.
    pub codex: Option<&'a Path>,
    /// Whether LychD's own inscription is taken over.
    pub adopt: bool,
    /// The podman to write for; `None`: this host's, or the one that judges.
    pub podman: Option<PodmanVersion>,
    /// The systemd to write for, likewise.
    pub systemd: Option<SystemdVersion>,
}

/// A candidate with the body that it is of.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The record of the body.
    pub record: Record,
    /// What podman finds its image by.
    pub image: EngineId,
    /// The units.
    pub candidate: Candidate,
    /// The files of the Codex that they are made of.
    pub sources: FileTree,
    /// The host as it was met.
    pub host: HostView,
    /// What else a person should know: of the Codex, of the records, of the units.
    pub notes: Vec<String>,
}

/// Reads the Codex, the body's record and the host, brings the programs that judge where the host has none, and
/// renders. Nothing outside the cache is written, which the caller holds ([`Directories::hold_cache`]): another forge
/// would bring and lay out the same.
///
/// # Errors
/// Refused when the Codex is wrong or others may write it, no body is meant, or as [`candidate`]; unable when a file, a
/// program or the network cannot be used.
pub fn propose(
    directories: &Directories,
    network: Network,
    wanted: Wanted<'_>,
    progress: &dyn Progress,
) -> Result<Proposal, Failure> {
    if let Some(too_old) = wanted.podman.and_then(podman::too_old) {
        return Err(too_old.into());
    }
    let place = wanted.codex.unwrap_or(&directories.codex);
    let codex = codex::load(place)?;
    let sources = owners::of_codex(place)?;
    let mut notes: Vec<String> = codex.runes.notes.iter().map(ToString::to_string).collect();
    for note in &notes {
        progress.note(note);
    }
    let listing = Bodies::of_state(&directories.state).list()?;
    listing.note_unreadable(progress);
    notes.extend(listing.unreadable.iter().map(ToString::to_string));
    let host = HostView::read(directories, wanted.adopt)?;
    let record = match (wanted.body, &host.found.receipt) {
        ("active", Some(receipt)) => listing.find(&receipt.candidate.body.to_string())?,
        ("active", None) => {
            return Err(Diagnostic::new("no body is active: nothing is inscribed yet")
                .of_kind(Fault::NoBody)
                .help("lychd-forge bind --first")
                .into());
        }
        ("last", _) => match Generations::of_state(&host.state).last_that_lived()? {
            Some(last) => listing.find(&last.candidate.body.to_string())?,
            None => listing.find("newest")?,
        },
        (wanted, _) => listing.find(wanted)?,
    };
    let members = members(record)?;
    let image = record.body.images.vessel.found_by();
    let further = record.body.images.further.iter();
    let further = further.map(|(role, image)| (role.clone(), image.found_by())).collect();

    progress.stage("validate", "podman's generator and systemd");
    let outside = Outside::open(&codex, directories, network, None)?;
    let validator = outside.with_effects(progress, |effects| {
        Validator::find(&Host::usual(), codex.substrate.debian(), effects)
    })?;
    let subject = Subject {
        body: record.body.id(),
        codex: &codex,
        members: &members,
        image: &image,
        further: &further,
        podman: wanted.podman,
        systemd: wanted.systemd,
    };
    let candidate = candidate(subject, &host, &validator)?;
    for note in &candidate.notes {
        progress.note(note);
    }
    notes.extend(candidate.notes.iter().cloned());
    Ok(Proposal { record: record.clone(), image, candidate, sources, host, notes })
}

/// What the body's record says of its members. The record is the user's own, as the Codex is.
fn members(record: &Record) -> Result<RuneRecord, Failure> {
    let federation = record.kept.read_federation(&record.body.federation)?;
    owners::of_files(&[record.kept.record(), record.kept.federation()])?;
    let shown = format!("bodies/{}/{}", record.body.id().short(12), record::FILE);
    RuneRecord::parse(&shown, federation)
}
