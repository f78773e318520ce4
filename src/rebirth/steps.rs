//! The rite: out of one body, into another, and back where that does not live.

use std::collections::BTreeSet;

use super::{
    codex::{self, PutBack},
    fate::Fate,
    keeper::{Keeper, Means},
    rite::{Phase, Rite},
    services::{Services, Stop},
    snapshots::{About, Kind, Snapshot, Snapshots},
    soul::Server,
    watch::Why,
};
use crate::{
    binding::{
        facts::Engines, generation::Generation, ground::Ground, inscription, lychds::Lychds,
        preflight::Chores, set::Set, site::Found,
    },
    diagnostic::{Diagnostic, Failure, Fault},
    engine::systemd::last_words,
    host::{clock, file, progress::Progress},
    runes::DATA,
};

/// What comes after the generation that lives.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// The set, whose record says everything but what is kept.
    pub set: Set,
    /// What lies in the site.
    pub found: &'a Found,
    /// What has to be made for it.
    pub chores: &'a Chores,
    /// What becomes of the database.
    pub fate: Fate,
}

/// How a rite ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The new generation lives.
    Lives(Lives),
    /// It did not, and the old one is back.
    Returned(Fallen),
    /// Neither lives; all that writes is stopped.
    Down(Fallen),
    /// Nothing had begun: the old generation goes on.
    Stayed(u64),
}

/// A generation that lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lives {
    /// Its number.
    pub generation: u64,
    /// The snapshot of what the database was before.
    pub kept: Option<u64>,
    /// What became of the Codex.
    pub codex: PutBack,
}

/// A generation that did not live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallen {
    /// Its number.
    pub generation: u64,
    /// The one from before it.
    pub old: u64,
    /// What it did.
    pub why: String,
    /// Its last words.
    pub words: Vec<String>,
    /// What the database held when another past took its place, and what that had.
    pub left: Option<Box<(Snapshot, Snapshot)>>,
    /// Whether its migration may have changed the database, and nothing was kept of what that was before.
    pub is_unkept: bool,
    /// What became of the Codex.
    pub codex: PutBack,
}

/// Who carries a rite out.
pub struct Steps<'a> {
    /// Where.
    pub ground: &'a Ground,
    /// With whom.
    pub engines: &'a Engines,
    /// Who is told on the way.
    pub progress: &'a dyn Progress,
}

impl Steps<'_> {
    pub(super) fn services(&self) -> Services<'_> {
        Services { engines: self.engines, progress: self.progress }
    }

    /// Who keeps the databases.
    pub(super) fn keeper(&self) -> Result<Keeper<'_>, Failure> {
        Ok(Keeper(Means {
            snapshots: Snapshots::of_state(&self.ground.state),
            server: Server::new(&self.engines.podman),
            services: self.services(),
            data: file::resolved(&self.ground.directories.crypt)?.join(DATA),
            progress: self.progress,
        }))
    }

    /// A generation that must be there.
    pub(super) fn generation(&self, number: u64) -> Result<Generation, Failure> {
        let found = self.ground.generations().read(number)?;
        found.ok_or_else(|| {
            let place = self.ground.generations().place(number);
            Failure::unable(Diagnostic::new(format!("`{}` is gone", place.display())).of_kind(Fault::File))
        })
    }

    pub(super) fn write(&self, rite: &Rite) -> Result<(), Failure> {
        rite.write(&self.ground.workshop)
    }

    pub(super) fn about(rite: &Rite, kind: Kind, of: &Generation) -> About {
        About { kind, generation: of.number, era: of.era, word: Some(rite.word) }
    }

    /// From the old generation to a new one. The rite is the one that is about to begin.
    ///
    /// # Errors
    /// Refused when something fails before the new set lies in the site: then the old one goes on. Unable when even that
    /// could not be done; then the rite stays, and whoever comes next goes on with it.
    pub fn pass(&self, mut rite: Rite, arrival: Arrival<'_>) -> Result<Outcome, Failure> {
        let Arrival { mut set, found, chores, fate } = arrival;
        let old = self.generation(rite.old)?;
        rite.up = self.services().up(&old.candidate)?;
        if let Fate::Given(snapshot) = &fate {
            rite.gives = Some(snapshot.number);
        }
        self.write(&rite)?;
        let kept = match self.leave(&mut rite, &old, &fate) {
            Ok(kept) => kept,
            Err(failure) => return Err(self.stay(&rite, failure)),
        };
        rite.kept = kept;
        set.generation.left = kept;
        rite.phase = Phase::Arriving;
        let begun = self.write(&rite).and_then(|()| {
            let place = self.ground.place(self.engines, self.progress);
            inscription::inscribe(place, &set, found, (None::<&Lychds>, chores))
        });
        if let Err(failure) = begun {
            return Err(self.stay(&rite, failure));
        }
        self.arrive(rite, &old, &set.generation)
    }

    /// Stops what writes, and keeps the database; the number of the snapshot.
    fn leave(&self, rite: &mut Rite, old: &Generation, fate: &Fate) -> Result<Option<u64>, Failure> {
        self.services().stop_writers(&old.candidate, Stop::Gently)?;
        let about = Self::about(rite, Kind::Departure, old);
        match fate {
            Fate::Stays | Fate::Unkept => Ok(None),
            Fate::Kept => {
                self.services().start_database()?;
                Ok(Some(self.keeper()?.take(about)?.number))
            }
            Fate::Given(snapshot) => {
                self.services().start_database()?;
                rite.phase = Phase::Restoring;
                self.write(rite)?;
                Ok(Some(self.keeper()?.give(snapshot, about)?.number))
            }
        }
    }

    /// What failed, with the old generation going on where that could be done.
    fn stay(&self, rite: &Rite, failure: Failure) -> Failure {
        // The inscription itself could not be undone: all of that comes first.
        let unfinished = self.ground.workshop.unfinished().map_or(true, |journal| journal.is_some());
        if unfinished {
            return failure;
        }
        match self.go_back(rite.clone()) {
            Ok(_) => failure,
            Err(left) => {
                let told = Diagnostic::new(failure.to_string())
                    .note(format!("and generation {} could not go on: {left}", rite.old))
                    .help("when that is mended: lychd-forge rebirth --recover");
                Failure::unable(told)
            }
        }
    }

    /// With the new set in the site: starts it, and watches.
    ///
    /// # Errors
    /// Unable when systemd or a tool does not answer; the rite stays.
    pub(super) fn arrive(
        &self,
        mut rite: Rite,
        old: &Generation,
        new: &Generation,
    ) -> Result<Outcome, Failure> {
        let since = clock::unix_seconds();
        self.services().renew(&old.candidate, &new.candidate)?;
        if rite.gives.is_some() {
            self.services().start_database()?;
            self.keeper()?.open()?;
        }
        self.services().start(&new.candidate, &rite.up)?;
        let Err(Why { service, did }) = self.services().watch(&new.candidate, rite.patience())? else {
            // Where a past body comes back, its Codex does.
            let codex =
                if rite.takes_codex { self.codex_of(old.number, new.number)? } else { PutBack::default() };
            Rite::end(&self.ground.workshop)?;
            return Ok(Outcome::Lives(Lives { generation: new.number, kept: rite.kept, codex }));
        };
        rite.phase = Phase::Returning;
        rite.why = Some(format!("`{service}` {did}"));
        let words = last_words(&format!("{service}.service"), since);
        self.write(&rite)?;
        let mut outcome = self.go_back(rite)?;
        if let Outcome::Returned(fallen) | Outcome::Down(fallen) = &mut outcome {
            fallen.words = words;
        }
        Ok(outcome)
    }

    /// Whatever was done of a rite: the old set, the old state of the database and what ran.
    ///
    /// # Errors
    /// As [`Steps::arrive`].
    pub(super) fn go_back(&self, mut rite: Rite) -> Result<Outcome, Failure> {
        let generations = self.ground.generations();
        let old = self.generation(rite.old)?;
        let there = Generation::read(&self.ground.sites.receipt())?;
        let new = there.filter(|there| there.number == rite.new && rite.new != rite.old);
        let failed = rite.phase == Phase::Returning;
        let how = if failed { Stop::Quickly } else { Stop::Gently };
        let there = new.as_ref().unwrap_or(&old);
        self.services().stop_writers(&there.candidate, how)?;

        let back = self.past_of(&mut rite, &old, new.is_some())?;
        let mut left = None;
        let mut given = false;
        if let Some(snapshot) = &back {
            match self.services().start_database() {
                Ok(()) => {
                    left = Some(self.give_back(&rite, snapshot, there)?);
                    given = true;
                }
                // The new set's server is no better than its body.
                Err(_) if new.is_some() => {}
                Err(failure) => return Err(failure),
            }
        }
        if let Some(new) = &new {
            let Some(set) = Set::kept(&generations, old.number)? else {
                return Err(self
                    .generation(old.number)
                    .err()
                    .unwrap_or_else(|| Diagnostic::default().into()));
            };
            let found = self.ground.sites.read()?;
            let place = self.ground.place(self.engines, self.progress);
            inscription::inscribe(place, &set, &found, (None, &Chores::default()))?;
            self.services().renew(&new.candidate, &old.candidate)?;
        }
        if let Some(snapshot) = &back {
            self.services().start_database()?;
            if !given {
                left = Some(self.give_back(&rite, snapshot, new.as_ref().unwrap_or(&old))?);
            }
            self.keeper()?.open()?;
        }
        if !failed {
            self.services().start_again(&old.candidate, &rite.up)?;
            Rite::end(&self.ground.workshop)?;
            return Ok(Outcome::Stayed(old.number));
        }
        self.services().start(&old.candidate, &rite.up)?;
        self.progress.stage("return", &format!("generation {}", old.number));
        let lives = self.services().watch(&old.candidate, rite.patience())?;
        let why = rite.why.clone().unwrap_or_default();
        let (mut codex, mut is_unkept) = (PutBack::default(), false);
        if let Some(new) = generations.read(rite.new)? {
            codex = self.codex_of(new.number, old.number)?;
            generations.fell(new.number, &why)?;
            is_unkept = new.era != old.era && rite.kept.is_none();
        }
        let left = left.zip(back).map(Box::new);
        let (generation, words) = (rite.new, Vec::new());
        let fallen = Fallen { generation, old: old.number, why, words, left, is_unkept, codex };
        if lives.is_err() {
            self.services().stop_writers(&old.candidate, Stop::Quickly)?;
        }
        Rite::end(&self.ground.workshop)?;
        Ok(if lives.is_ok() { Outcome::Returned(fallen) } else { Outcome::Down(fallen) })
    }

    /// The snapshot that the database has to get back, if it is or may be another than it was.
    fn past_of(&self, rite: &mut Rite, old: &Generation, is_new: bool) -> Result<Option<Snapshot>, Failure> {
        if rite.phase == Phase::Restoring && rite.kept.is_none() {
            let (keeper, about) = (self.keeper()?, Self::about(rite, Kind::Departure, old));
            if let Err(failure) = self.services().start_database() {
                if !keeper.take_back(about)? {
                    return Err(failure);
                }
                self.services().start_database()?;
            }
            // Where the other past has no place yet, nothing has changed.
            if let (true, Some(gives)) = (keeper.gave(about)?, rite.gives) {
                let gives = keeper.0.snapshots.read(gives)?;
                rite.kept = Some(keeper.give(&gives, about)?.number);
                self.write(rite)?;
            } else {
                keeper.forget()?;
            }
        }
        let touched = match rite.phase {
            Phase::Leaving => false,
            Phase::Restoring | Phase::Returning => true,
            // The same where the new set was there, and where the database got its past.
            Phase::Arriving => is_new || rite.was_there || rite.gives.is_some(),
        };
        let snapshots = self.keeper()?.0.snapshots;
        rite.kept.filter(|_| touched).map(|kept| snapshots.read(kept)).transpose()
    }

    fn give_back(&self, rite: &Rite, snapshot: &Snapshot, there: &Generation) -> Result<Snapshot, Failure> {
        let about = Self::about(rite, Kind::Left, there);
        self.keeper()?.give(snapshot, about)
    }

    /// Puts the Codex of a generation into its place, where it is that of the one that goes.
    fn codex_of(&self, leaving: u64, arriving: u64) -> Result<PutBack, Failure> {
        let generations = self.ground.generations();
        let (Some(leaving), Some(arriving)) =
            (Set::kept(&generations, leaving)?, Set::kept(&generations, arriving)?)
        else {
            return Ok(PutBack::default());
        };
        codex::put_back(&self.ground.directories.codex, &leaving.codex, &arriving.codex)
    }
}

impl Outcome {
    /// Whether the generation that was asked for lives.
    ///
    /// # Errors
    /// Refused when it does not, with why, its last words, and what is left of what it did; unable when none lives.
    pub fn complain(self) -> Result<Option<Lives>, Failure> {
        match self {
            Self::Lives(lives) => Ok(Some(lives)),
            Self::Stayed(_) => Ok(None),
            Self::Returned(fallen) => {
                let message = format!("returned to generation {} because {}", fallen.old, fallen.why);
                Err(fallen.told(Diagnostic::new(message)).into())
            }
            Self::Down(fallen) => {
                let message = format!(
                    "generation {} does not live, because {}; and generation {}, which is back, does not either",
                    fallen.generation, fallen.why, fallen.old
                );
                let told = fallen.told(Diagnostic::new(message).of_kind(Fault::Program));
                Err(Failure::unable(
                    told.help("the application is stopped; `journalctl --user --unit lychd-vessel` has what it says")
                        .help("systemctl --user start lychd-vessel")
                        .help("lychd-forge rebirth --rollback"),
                ))
            }
        }
    }
}

impl Fallen {
    fn told(&self, told: Diagnostic) -> Diagnostic {
        let told = self.words.iter().fold(told, |told, line| told.note(line.as_str()));
        let told = self.left.iter().fold(told, |told, both| {
            let (left, given) = both.as_ref();
            told.note(left_told(left, given))
        });
        let told = if self.is_unkept {
            told.note("no snapshot was taken: the databases are as the failed body left them")
        } else {
            told
        };
        self.codex.told(self.old, self.generation).into_iter().fold(told, Diagnostic::note)
    }
}

/// What a database held that another past took the place of.
fn left_told(left: &Snapshot, given: &Snapshot) -> String {
    let before = given.rows();
    let rows = left.rows();
    let names: BTreeSet<&String> = rows.keys().chain(before.keys()).collect();
    let changed = names.into_iter().filter_map(|name| {
        let (now, was) = (rows.get(name).copied().unwrap_or(0), before.get(name).copied().unwrap_or(0));
        (now != was).then(|| format!("{name} {now} rows ({was} before)"))
    });
    let changed: Vec<String> = changed.collect();
    let told = if changed.is_empty() { "as many rows as before".to_owned() } else { changed.join(", ") };
    format!("what the database held is kept as snapshot {}: {told}", left.number)
}
