//! The gate before a body: what changes with it, whose word it takes, and whether anything keeps it from living here.

use serde::Serialize;

use super::{
    fate::{Course, Fate, past},
    recovery,
    rite::Rite,
    services::Services,
    snapshots::Snapshots,
    soul::Server,
    steps::{Arrival, Outcome, Steps},
};
use crate::{
    binding::{
        Proposal, Wanted,
        consents::{self, Word},
        facts::{Engines, Facts},
        generation::{Generation, Generations},
        ground::Ground,
        manifest::CandidateId,
        preflight::{Chores, preflight},
        propose,
        set::Set,
    },
    body::{Bodies, Comparison, Contents, compare},
    diagnostic::{Diagnostic, Failure, Fault},
    digest::Sha256,
    document::canonical_json,
    host::{directories::Directories, file, progress::Progress},
    runes::{DATA, DATABASE_SERVICE},
    supply::outside::Network,
};

/// What is to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// A body with the Codex of now, as [`crate::body::Listing::find`] takes it.
    Body(&'a str),
    /// The body and the Codex of a generation that is kept; `None`: the last one that lived before the active one.
    Past(Option<u64>),
}

/// How it is brought to life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Whether the database is kept before a migration.
    pub snapshot: bool,
    /// Seconds until the application must have begun.
    pub start: u32,
    /// Seconds for which it is watched.
    pub watch: u32,
}

/// What changes with a generation.
#[derive(Clone, Debug)]
pub struct Changes {
    /// The candidate and its plan.
    pub proposal: Proposal,
    /// The generation that is active.
    pub active: Generation,
    /// The generation whose body and Codex come back.
    pub past: Option<u64>,
    /// What a person consents to that was not there before.
    pub widens: Vec<String>,
    /// What differs between the bodies; `None` where the active one has no record any more.
    pub compared: Option<Comparison>,
    /// What becomes of the database.
    pub fate: Fate,
    /// The era of the new generation; `None`: its own number.
    era: Option<u64>,
}

/// What is confirmed besides a candidate.
#[derive(Serialize)]
struct Confirmed {
    candidate: CandidateId,
    active: Sha256,
    past: Option<u64>,
    databases: Option<String>,
}

/// A gate that waits for a word, with everything locked.
#[derive(Debug)]
pub struct Gate {
    /// What changes.
    pub changes: Changes,
    /// What became of what was cut short before, and what this host has to say.
    pub notes: Vec<String>,
    ground: Ground,
    engines: Engines,
    chores: Chores,
    manner: Manner,
}

impl Changes {
    /// Renders and judges what is to live, and holds it against what does. Nothing is written but in the cache, which the
    /// caller holds.
    ///
    /// # Errors
    /// As [`propose`]; refused when nothing is active, or there is no such generation.
    pub fn of(
        directories: &Directories,
        network: Network,
        (target, manner): (Target<'_>, Manner),
        progress: &dyn Progress,
    ) -> Result<Self, Failure> {
        let sites = crate::binding::site::Sites::of_user(&directories.state)?;
        let Some(active) = Generation::read(&sites.receipt())? else {
            return Err(Diagnostic::new("no body is active, and there is nothing to be reborn from")
                .of_kind(Fault::NoBody)
                .help("`lychd-forge bind --first` activates the first one")
                .into());
        };
        let generations = Generations::of_state(&active.state);
        let past = match target {
            Target::Body(_) => None,
            Target::Past(number) => Some(past(&generations, &active, number)?),
        };
        let codex = past.as_ref().map(|past| generations.place(past.number).join("codex"));
        let of_past = past.as_ref().map(|past| past.candidate.body.to_string());
        let body = match (&of_past, target) {
            (Some(body), _) => body.as_str(),
            (None, Target::Body(body)) => body,
            (None, Target::Past(_)) => "active",
        };
        let wanted = Wanted { body, codex: codex.as_deref(), adopt: false, podman: None, systemd: None };
        let proposal = propose(directories, network, wanted, progress)?;
        let manifest = &proposal.candidate.manifest;
        let widens = manifest.wider_than(&active.candidate).map(str::to_owned).collect();
        let listing = Bodies::of_state(&directories.state).list()?;
        let compared = match listing.find(&active.candidate.body.to_string()) {
            Ok(before) => Some(compare(&Contents::read(before)?, &Contents::read(&proposal.record)?)),
            Err(_) => None,
        };
        let has_data = file::exists(&file::resolved(&directories.crypt)?.join(DATA))?;
        let course = Course { next: manifest, active: &active, past: past.as_ref(), has_data };
        let (fate, era) = course.fate(&generations, manner.snapshot)?;
        Ok(Self { past: past.map(|past| past.number), widens, compared, fate, era, proposal, active })
    }

    /// The hash that is confirmed. It is the candidate's, which `bind` tells too, where another body comes and nothing of the
    /// databases can be lost. It covers besides what a past brings back, and that nothing is kept.
    #[must_use]
    pub fn confirmed(&self) -> CandidateId {
        let candidate = self.proposal.candidate.manifest.id();
        let databases = match &self.fate {
            Fate::Stays | Fate::Kept if self.past.is_none() => return candidate,
            Fate::Stays | Fate::Kept => None,
            Fate::Unkept => Some("unkept".to_owned()),
            Fate::Given(snapshot) => Some(snapshot.sha256().to_string()),
        };
        let Self { past, .. } = *self;
        let all = Confirmed { candidate, active: self.active.sha256(), past, databases };
        CandidateId::of(Sha256::of(canonical_json(&all)))
    }

    /// Whether it lives already.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.proposal.candidate.manifest == self.active.candidate
            && !self.proposal.candidate.plan.changes()
            && self.fate == Fate::Stays
    }
}

impl Gate {
    /// Settles what was cut short, renders and judges what is to live, and sees whether it can live here.
    ///
    /// # Errors
    /// As [`Changes::of`] and [`preflight`]; refused when the database does not let anybody log in who would have to keep it.
    pub fn prepare(
        directories: &Directories,
        network: Network,
        (target, manner): (Target<'_>, Manner),
        progress: &dyn Progress,
    ) -> Result<Self, Failure> {
        let ground = Ground::take(directories, progress)?;
        let recovered = recovery::settle(&ground, progress)?;
        let changes = Changes::of(directories, network, (target, manner), progress)?;
        ground.check(&changes.proposal)?;
        let engines = Engines::of_user()?;
        let manifest = &changes.proposal.candidate.manifest;
        let facts = Facts::read(manifest, &ground.sites, &ground.state, &engines)?;
        let records = ground.generations().records()?;
        let chores = preflight(manifest, &facts, (&records, false), &changes.proposal.host.layout)?;
        if matches!(changes.fate, Fate::Kept | Fate::Given(_)) {
            let services = Services { engines: &engines, progress };
            if services.up(&changes.active.candidate)?.contains(DATABASE_SERVICE) {
                Server::new(&engines.podman).version()?;
            }
            if let Fate::Given(snapshot) = &changes.fate {
                Snapshots::of_state(&ground.state).check(snapshot)?;
            }
        }
        for note in &chores.notes {
            progress.note(note);
        }
        let notes = recovered.into_iter().chain(chores.notes.iter().cloned()).collect();
        Ok(Self { changes, notes, ground, engines, chores, manner })
    }

    /// Passes. Whoever calls this has the word.
    ///
    /// # Errors
    /// As [`Steps::pass`]; also when an image cannot be loaded, or the word cannot be written down.
    pub fn pass(self, word: Word, progress: &dyn Progress) -> Result<Outcome, Failure> {
        let Self { changes, ground, engines, chores, manner, .. } = self;
        let Proposal { candidate, sources, host, .. } = &changes.proposal;
        ground.load_images(&changes.proposal, &chores.images, &engines.podman, progress)?;
        let mut generation = ground.generations().next(Some(&changes.active), candidate.manifest.clone())?;
        generation.era = changes.era.unwrap_or(generation.number);
        let active = changes.active.number;
        let hashes = (candidate.manifest.id(), changes.confirmed());
        let word = consents::record(&ground.state, (word, "rebirth"), hashes, Some(active))?;
        let mut rite =
            Rite::new(ground.state.clone(), word, (active, generation.number), (manner.start, manner.watch));
        rite.takes_codex = changes.past.is_some();
        let arrival = Arrival {
            set: Set::new(generation, candidate, sources),
            found: &host.found,
            chores: &chores,
            fate: changes.fate.clone(),
        };
        Steps { ground: &ground, engines: &engines, progress }.pass(rite, arrival)
    }
}
