//! The gate before a body: what changes with it, whose word it takes, and whether anything keeps it from living here.

use super::{
    recovery,
    rite::Rite,
    services::Services,
    snapshots::Snapshots,
    soul::Server,
    steps::{Arrival, Fate, Outcome, Steps},
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
    host::{directories::Directories, progress::Progress},
    runes::DATABASE_SERVICE,
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
        let (fate, era) = fate(&proposal, &active, past.as_ref(), manner, &generations)?;
        Ok(Self { past: past.map(|past| past.number), widens, compared, fate, era, proposal, active })
    }

    /// The hash that is consented to.
    #[must_use]
    pub fn candidate(&self) -> CandidateId {
        self.proposal.candidate.manifest.id()
    }

    /// Whether it lives already.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.proposal.candidate.manifest == self.active.candidate
            && !self.proposal.candidate.plan.changes()
            && !matches!(self.fate, Fate::Given(_))
    }
}

/// The generation that comes back.
fn past(generations: &Generations, active: &Generation, number: Option<u64>) -> Result<Generation, Failure> {
    if let Some(number) = number {
        let found = generations.read(number)?.filter(|found| found.number != active.number);
        return found.ok_or_else(|| {
            let numbers: Vec<String> =
                generations.numbers().unwrap_or_default().iter().map(ToString::to_string).collect();
            Diagnostic::new(format!("generation {number} is none that could come back"))
                .note(format!("kept are {}; {} is active", numbers.join(", "), active.number))
                .help("lychd-forge bodies")
                .into()
        });
    }
    for number in generations.numbers()?.into_iter().rev().filter(|number| *number < active.number) {
        if let Some(found) = generations.read(number)?
            && found.candidate != active.candidate
            && generations.fallen(number)?.is_none()
        {
            return Ok(found);
        }
    }
    Err(Diagnostic::new("no generation is kept that lived before the active one").into())
}

/// What becomes of the database, and the era that begins; `None` for a new one.
fn fate(
    proposal: &Proposal,
    active: &Generation,
    past: Option<&Generation>,
    manner: Manner,
    generations: &Generations,
) -> Result<(Fate, Option<u64>), Failure> {
    let manifest = &proposal.candidate.manifest;
    let has_database = manifest.services.contains_key(DATABASE_SERVICE)
        && active.candidate.services.contains_key(DATABASE_SERVICE);
    if !has_database {
        return Ok((Fate::Stays, Some(active.era)));
    }
    let Some(past) = past else {
        if !manifest.migrates() || manifest.body == active.candidate.body {
            return Ok((Fate::Stays, Some(active.era)));
        }
        return Ok((if manner.snapshot { Fate::Kept } else { Fate::Unkept }, None));
    };
    if past.era == active.era {
        return Ok((Fate::Stays, Some(past.era)));
    }
    let snapshots = Snapshots::of_state(&active.state);
    if let Some(left) = departure(generations, past.era)? {
        let left = snapshots.read(left)?;
        // Numbers of snapshots that were removed are given again.
        if left.era != past.era {
            let message =
                format!("snapshot {} is no longer the one that was taken as that era was left", left.number);
            return Err(Diagnostic::new(message).help("lychd-forge snapshots").into());
        }
        return Ok((Fate::Given(Box::new(left)), Some(past.era)));
    }
    if !manner.snapshot {
        return Ok((Fate::Unkept, Some(past.era)));
    }
    let message = format!(
        "there is no snapshot of the database as generation {} had it: it was left without one",
        past.number
    );
    Err(Diagnostic::new(message)
        .note("its body would meet what a later one's migration has made of the database")
        .help("`--no-snapshot` has it meet that all the same")
        .into())
}

/// The snapshot that was taken when an era was left for the last time.
fn departure(generations: &Generations, era: u64) -> Result<Option<u64>, Failure> {
    for number in generations.numbers()?.into_iter().rev() {
        let Some(one) = generations.read(number)? else { continue };
        if one.era == era || generations.fallen(number)?.is_some() {
            continue;
        }
        let before = one.after.map(|before| generations.read(before)).transpose()?.flatten();
        if before.is_some_and(|before| before.era == era) {
            return Ok(one.left);
        }
    }
    Ok(None)
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
        let word = consents::record(&ground.state, (word, "rebirth"), changes.candidate(), Some(active))?;
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

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use super::*;
    use crate::{
        binding::manifest::Manifest,
        digest::Sha256,
        runes::{Layout, Rendered},
        tree::FileTree,
    };

    /// Generations in a directory that goes with it.
    struct Kept {
        generations: Generations,
        active: Option<Generation>,
        _state: tempfile::TempDir,
    }

    impl Kept {
        fn new() -> Self {
            let state = tempfile::tempdir().unwrap();
            Self { generations: Generations::of_state(state.path()), active: None, _state: state }
        }

        /// One more becomes active: of this body and era, with this snapshot of what was left.
        fn next(&mut self, body: &str, era: u64, left: Option<u64>) -> u64 {
            let layout = Layout {
                home: "/home/magus".into(),
                codex: "/c".into(),
                crypt: "/d".into(),
                support: "/s".into(),
                sites: Vec::new(),
                own: Vec::new(),
                closed: Vec::new(),
            };
            let id = Sha256::of(body).to_string().parse().unwrap();
            let rendered = Rendered::default();
            let manifest = Manifest::of(Path::new("/site"), (id, BTreeMap::new()), &rendered, &layout);
            let mut next = self.generations.next(self.active.as_ref(), manifest).unwrap();
            (next.era, next.left) = (era, left);
            self.generations.write(&next, FileTree::new()).unwrap();
            let number = next.number;
            self.active = Some(next);
            number
        }

        /// One that did not live: the one before is active again.
        fn fell(&mut self, body: &str, era: u64, left: Option<u64>) {
            let before = self.active.clone();
            let number = self.next(body, era, left);
            self.generations.fell(number, "it ended").unwrap();
            self.active = before;
        }

        fn past(&self, number: Option<u64>) -> Result<u64, String> {
            let active = self.active.as_ref().unwrap();
            past(&self.generations, active, number).map(|past| past.number).map_err(|told| told.to_string())
        }

        fn departure(&self, era: u64) -> Option<u64> {
            departure(&self.generations, era).unwrap()
        }
    }

    #[test]
    fn the_generation_that_comes_back_lived_and_is_another() {
        let mut kept = Kept::new();
        assert_eq!((kept.next("a", 0, None), kept.next("b", 2, Some(1))), (1, 2));
        kept.fell("c", 3, Some(2));
        assert_eq!(kept.past(None), Ok(1));
        assert_eq!(kept.next("d", 4, Some(3)), 4);
        assert_eq!((kept.past(None), kept.past(Some(1))), (Ok(2), Ok(1)));
        let none = kept.past(Some(7)).unwrap_err();
        assert!(none.contains("generation 7 is none that could come back"), "{none}");
        assert!(none.contains("kept are 1, 2, 3, 4; 4 is active"), "{none}");
    }

    #[test]
    fn an_era_comes_back_as_it_was_left_for_the_last_time() {
        let mut kept = Kept::new();
        kept.next("a", 0, None);
        // Failed, and what it took belongs to a stint that went on.
        kept.fell("b", 2, Some(1));
        // Another Codex: the same era.
        kept.next("a", 0, None);
        assert_eq!(kept.departure(0), None);
        kept.next("b", 4, Some(2));
        assert_eq!(kept.departure(0), Some(2));
        // Back, and away again.
        kept.next("a", 0, Some(3));
        assert_eq!(kept.departure(4), Some(3));
        kept.next("c", 6, Some(4));
        assert_eq!((kept.departure(0), kept.departure(4)), (Some(4), Some(3)));
        // Without a snapshot an older one of the same era is not what was left.
        kept.next("a", 0, Some(5));
        kept.next("d", 8, None);
        assert_eq!(kept.departure(0), None);
    }
}
