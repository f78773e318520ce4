//! The past of the database by hand: a snapshot is taken, or given back.

use std::path::PathBuf;

use super::{
    fate::needed_by,
    recovery,
    rite::{Phase, Rite},
    services::Stop,
    snapshots::{About, Kind, Snapshot, Snapshots},
    steps::Steps,
};
use crate::{
    binding::{
        consents::{self, Word},
        facts::Engines,
        generation::Generation,
        ground::Ground,
        manifest::CandidateId,
    },
    diagnostic::{Diagnostic, Failure, Fault},
    digest::Sha256,
    document::canonical_json,
    engine::btrfs::Btrfs,
    host::{directories::Directories, file, progress::Progress},
    runes::DATABASE_SERVICE,
};

/// Where a Crypt lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crypt {
    /// Its directory, without links.
    pub directory: PathBuf,
    /// Whether its databases are kept in an instant.
    pub is_immortal: bool,
    /// Bytes that can still be written beside it.
    pub free: u64,
}

/// Looks where the Crypt lies.
///
/// # Errors
/// Unable when it cannot be looked at.
pub fn crypt(directories: &Directories) -> Result<Crypt, Failure> {
    let directory = file::resolved(&directories.crypt)?;
    let unable = |error| file::unable("look at", &directory, &error);
    let is_immortal = file::is_on_btrfs(&directory).map_err(unable)? && Btrfs::on_path().is_some();
    let above = directory.parent().unwrap_or(&directory);
    let free = if file::exists(above)? { file::free_space(above).map_err(unable)? } else { 0 };
    Ok(Crypt { directory, is_immortal, free })
}

/// A snapshot that is to go for good, with everything locked.
#[derive(Debug)]
pub struct Going {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// The generations that need it to come back with the databases as they left them.
    needed_by: Vec<u64>,
    ground: Ground,
    active: Option<u64>,
}

impl Going {
    /// One of this number, with what was cut short settled.
    ///
    /// # Errors
    /// Refused when there is none of this number; as [`recovery::settle`].
    pub fn of(directories: &Directories, number: u64, progress: &dyn Progress) -> Result<Self, Failure> {
        let ground = Ground::take(directories, progress)?;
        recovery::settle(&ground, progress)?;
        let snapshot = Snapshots::of_state(&ground.state).read(number)?;
        let active = Generation::read(&ground.sites.receipt())?;
        let needed_by = match &active {
            Some(active) => needed_by(&ground.generations(), active, &snapshot)?,
            None => Vec::new(),
        };
        Ok(Self { snapshot, needed_by, active: active.map(|active| active.number), ground })
    }

    /// A line for each generation that could not come back any more as it was left.
    #[must_use]
    pub fn lost(&self) -> Vec<String> {
        let told = |number| {
            format!("generation {number} could no longer come back with the databases as it left them")
        };
        self.needed_by.iter().map(told).collect()
    }

    /// The hash that is confirmed: nobody has it who wanted to give the snapshot back, or saw it needed by fewer.
    #[must_use]
    pub fn candidate(&self) -> CandidateId {
        let all = ("remove", self.snapshot.sha256(), &self.needed_by);
        CandidateId::of(Sha256::of(canonical_json(&all)))
    }

    /// Removes it. Whoever calls this has the word.
    ///
    /// # Errors
    /// Unable when it cannot be removed, or the word cannot be written down.
    pub fn remove(self, word: Word) -> Result<Snapshot, Failure> {
        let hashes = (Past::candidate(&self.snapshot), self.candidate());
        let Self { snapshot, ground, active, .. } = self;
        consents::record(&ground.state, (word, "snapshots remove"), hashes, active)?;
        if let (Some(subvolume), Some(btrfs)) = (&snapshot.subvolume, Btrfs::on_path()) {
            btrfs.remove(subvolume)?;
        }
        Snapshots::of_state(&ground.state).remove(snapshot.number)?;
        Ok(snapshot)
    }
}

/// A place where the database's past is handled, with everything locked.
#[derive(Debug)]
pub struct Past {
    ground: Ground,
    engines: Engines,
    active: Generation,
}

impl Past {
    /// That of the active generation, with what was cut short settled.
    ///
    /// # Errors
    /// Refused when nothing is active, or has no database; as [`recovery::settle`].
    pub fn of(directories: &Directories, progress: &dyn Progress) -> Result<Self, Failure> {
        let ground = Ground::take(directories, progress)?;
        recovery::settle(&ground, progress)?;
        let active = Generation::read(&ground.sites.receipt())?
            .filter(|active| active.candidate.services.contains_key(DATABASE_SERVICE));
        let Some(active) = active else {
            return Err(Diagnostic::new("no body with a database is active").of_kind(Fault::NoBody).into());
        };
        Ok(Self { ground, engines: Engines::of_user()?, active })
    }

    fn steps<'a>(&'a self, progress: &'a dyn Progress) -> Steps<'a> {
        Steps { ground: &self.ground, engines: &self.engines, progress }
    }

    /// Takes a snapshot; the organism goes on meanwhile.
    ///
    /// # Errors
    /// Refused when a tool of the server fails; unable when something cannot be written.
    pub fn take(&self, progress: &dyn Progress) -> Result<Snapshot, Failure> {
        let steps = self.steps(progress);
        steps.services().start_database()?;
        let (generation, era) = (self.active.number, self.active.era);
        let about = About { kind: Kind::Taken, generation, era, word: None };
        steps.keeper()?.take(about)
    }

    /// A snapshot that could be given back.
    ///
    /// # Errors
    /// Refused when there is none of this number, it is of another era, or a dump is not what was recorded.
    pub fn find(&self, number: u64) -> Result<Snapshot, Failure> {
        let snapshots = Snapshots::of_state(&self.ground.state);
        let found = snapshots.read(number)?;
        if found.era != self.active.era {
            let message = format!(
                "snapshot {number} is of the databases as generation {} had them, and under generation {} they may have another schema",
                found.generation, self.active.number
            );
            let rollback = format!("lychd-forge rebirth --rollback {}", found.generation);
            return Err(Diagnostic::new(message)
                .note("that generation comes back with what they were when it was left")
                .help(rollback.as_str())
                .help(format!(
                    "{rollback} --no-snapshot, where nothing was kept then; and the snapshot after it"
                ))
                .into());
        }
        snapshots.check(&found)?;
        Ok(found)
    }

    /// The hash of a snapshot's record, which is confirmed.
    #[must_use]
    pub fn candidate(snapshot: &Snapshot) -> CandidateId {
        CandidateId::of(snapshot.sha256())
    }

    /// Gives it back; returns the snapshot of what the database was. Whoever calls this has the word.
    ///
    /// # Errors
    /// Refused or unable when it cannot be given: then the database is as it was, and what ran runs.
    pub fn restore(
        &self,
        snapshot: &Snapshot,
        word: Word,
        progress: &dyn Progress,
    ) -> Result<Snapshot, Failure> {
        let steps = self.steps(progress);
        let active = self.active.number;
        let candidate = Self::candidate(snapshot);
        let word = consents::record(
            &self.ground.state,
            (word, "snapshots restore"),
            (candidate, candidate),
            Some(active),
        )?;
        let mut rite = Rite::new(self.ground.state.clone(), word, (active, active), (0, 0));
        rite.up = steps.services().up(&self.active.candidate)?;
        rite.gives = Some(snapshot.number);
        steps.write(&rite)?;
        let given = self.give(&mut rite, snapshot, &steps);
        let kept = match given {
            Ok(kept) => kept,
            Err(failure) => {
                steps.go_back(rite)?;
                return Err(failure);
            }
        };
        rite.kept = Some(kept.number);
        rite.phase = Phase::Arriving;
        steps.write(&rite)?;
        steps.keeper()?.open()?;
        steps.services().start_again(&self.active.candidate, &rite.up)?;
        Rite::end(&self.ground.workshop)?;
        Ok(kept)
    }

    fn give(&self, rite: &mut Rite, snapshot: &Snapshot, steps: &Steps<'_>) -> Result<Snapshot, Failure> {
        steps.services().stop_writers(&self.active.candidate, Stop::Gently)?;
        steps.services().start_database()?;
        rite.phase = Phase::Restoring;
        steps.write(rite)?;
        let about = Steps::about(rite, Kind::Departure, &self.active);
        steps.keeper()?.give(snapshot, about)
    }
}
