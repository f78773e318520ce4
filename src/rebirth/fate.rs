//! What becomes of the databases with another generation.

use super::snapshots::{Snapshot, Snapshots};
use crate::{
    binding::{
        generation::{Generation, Generations},
        manifest::Manifest,
    },
    diagnostic::{Diagnostic, Failure},
    runes::DATABASE_SERVICE,
};

/// What becomes of the databases with a new generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They go on as they are.
    Stays,
    /// They are kept before the new body's migration runs.
    Kept,
    /// The new body meets them as they are, and nothing is kept, by the operator's wish.
    Unkept,
    /// They get this snapshot's past, and what they were is kept.
    Given(Box<Snapshot>),
}

/// From one generation to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course<'a> {
    /// What is to live.
    pub(super) next: &'a Manifest,
    /// What lives.
    pub(super) active: &'a Generation,
    /// The generation that comes back, where one does.
    pub(super) past: Option<&'a Generation>,
    /// Whether the Crypt has a directory of databases.
    pub(super) has_data: bool,
}

/// The generation that comes back.
pub(super) fn past(
    generations: &Generations,
    active: &Generation,
    number: Option<u64>,
) -> Result<Generation, Failure> {
    if let Some(number) = number {
        if let Some(why) = generations.fallen(number)? {
            let fallen = Diagnostic::new(format!("generation {number} did not live: {why}"));
            return Err(fallen.help("`lychd-forge rebirth BODY` tries its body again").into());
        }
        if number == active.number {
            return Err(Diagnostic::new(format!("generation {number} is active already")).into());
        }
        let found = generations.read(number)?;
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

impl Course<'_> {
    /// What becomes of the databases, and the era that begins; `None` for one of its own. `keeps` says whether snapshots are
    /// taken and given, as they are where nobody says otherwise.
    ///
    /// # Errors
    /// Refused when a body would meet what it cannot read, or change what nothing could bring back; unable when a record
    /// cannot be read.
    pub(super) fn fate(
        &self,
        generations: &Generations,
        keeps: bool,
    ) -> Result<(Fate, Option<u64>), Failure> {
        let Self { next, active, past, has_data } = self;
        if !next.services.contains_key(DATABASE_SERVICE) {
            return Ok((Fate::Stays, Some(active.era)));
        }
        let era = past.map(|past| past.era);
        let is_another = match era {
            Some(era) => era != active.era,
            None => next.migrates() && next.body != active.candidate.body,
        };
        if !is_another {
            return Ok((Fate::Stays, Some(active.era)));
        }
        if !keeps {
            return Ok((Fate::Unkept, era));
        }
        if !active.candidate.services.contains_key(DATABASE_SERVICE) {
            // No server runs that could keep them.
            if !has_data {
                return Ok((Fate::Stays, era));
            }
            let message = format!(
                "generation {} has no database that could be kept, and there is one of a body before it",
                active.number
            );
            return Err(Diagnostic::new(message)
                .note("the new body's migration changes it")
                .help("`--no-snapshot` goes on all the same")
                .into());
        }
        match past {
            Some(past) => given(generations, past).map(|snapshot| (Fate::Given(Box::new(snapshot)), era)),
            None => Ok((Fate::Kept, None)),
        }
    }
}

/// The snapshot of the databases as a past generation left them.
fn given(generations: &Generations, past: &Generation) -> Result<Snapshot, Failure> {
    let lost = |why: String| -> Failure {
        let message =
            format!("there is no snapshot of the databases as generation {} had them: {why}", past.number);
        Diagnostic::new(message)
            .note("its body would meet what a later one's migration has made of them")
            .help("`--no-snapshot` has it meet that all the same")
            .into()
    };
    let Some(left) = departure(generations, past.era)? else {
        return Err(lost("they were left without one".to_owned()));
    };
    let snapshots = Snapshots::of_state(&past.state);
    if !snapshots.has(left)? {
        return Err(lost(format!("that was snapshot {left}, which was removed")));
    }
    let left = snapshots.read(left)?;
    if left.era != past.era {
        return Err(lost(format!("snapshot {} is another than was taken then", left.number)));
    }
    Ok(left)
}

/// The generations that need a snapshot to come back with the databases as they left them.
pub(super) fn needed_by(
    generations: &Generations,
    active: &Generation,
    snapshot: &Snapshot,
) -> Result<Vec<u64>, Failure> {
    if snapshot.era == active.era || departure(generations, snapshot.era)? != Some(snapshot.number) {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for one in generations.records()? {
        if one.era == snapshot.era && generations.fallen(one.number)?.is_none() {
            all.push(one.number);
        }
    }
    Ok(all)
}

/// The snapshot that was taken when an era was left for the last time.
fn departure(generations: &Generations, era: u64) -> Result<Option<u64>, Failure> {
    let mut lived: Vec<Generation> = Vec::new();
    for number in generations.numbers()? {
        if let Some(one) = generations.read(number)?
            && generations.fallen(number)?.is_none()
        {
            lived.push(one);
        }
    }
    // What followed nothing left the last one that lived behind all the same.
    let left = |pair: &[Generation]| match pair {
        [last, one] if one.era != era => {
            let before = one.after.and_then(|before| lived.iter().find(|one| one.number == before));
            (before.unwrap_or(last).era == era).then_some(one.left)
        }
        _ => None,
    };
    Ok(lived.windows(2).rev().find_map(left).flatten())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use super::*;
    use crate::{
        digest::Sha256,
        rebirth::snapshots::{About, Kind},
        runes::{Layout, MIGRATE_SERVICE, Rendered},
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
            let layout = Layout::of_magus();
            let id = Sha256::of(body).to_string().parse().unwrap();
            let rendered = Rendered::default();
            let mut manifest = Manifest::of(Path::new("/site"), (id, BTreeMap::new()), &rendered, &layout);
            // A body of capital letters has no database, and all have migrations.
            let has_database = body != body.to_uppercase();
            let services = [MIGRATE_SERVICE].into_iter().chain(has_database.then_some(DATABASE_SERVICE));
            manifest.services = services.map(|service| (service.to_owned(), true)).collect();
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

        /// What would become of the databases with the body, or with the generation that comes back, of this number.
        fn fate(&self, to: u64, is_past: bool, keeps: bool) -> Result<(Fate, Option<u64>), String> {
            let to = self.generations.read(to).unwrap().unwrap();
            let course = Course {
                next: &to.candidate,
                active: self.active.as_ref().unwrap(),
                past: is_past.then_some(&to),
                has_data: true,
            };
            course.fate(&self.generations, keeps).map_err(|told| told.to_string())
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
        let fallen = kept.past(Some(3)).unwrap_err();
        assert!(fallen.contains("generation 3 did not live: it ended"), "{fallen}");
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

    #[test]
    fn what_follows_nothing_left_the_last_era_without_a_snapshot() {
        let mut kept = Kept::new();
        kept.next("a", 0, None);
        kept.next("b", 2, Some(1));
        kept.next("a", 0, Some(2));
        assert_eq!((kept.departure(0), kept.departure(2)), (Some(1), Some(2)));
        kept.active = None;
        kept.next("a", 4, None);
        assert_eq!((kept.departure(0), kept.departure(2)), (None, Some(2)));
    }

    #[test]
    fn databases_are_kept_before_they_are_changed() {
        let mut kept = Kept::new();
        kept.next("a", 0, None);
        kept.next("b", 2, Some(1));
        // Another body, the same one, and without.
        assert_eq!(kept.fate(1, false, true), Ok((Fate::Kept, None)));
        assert_eq!(kept.fate(2, false, true), Ok((Fate::Stays, Some(2))));
        assert_eq!(kept.fate(1, false, false), Ok((Fate::Unkept, None)));
        // A past whose snapshot was removed, and all the same.
        let lost = kept.fate(1, true, true).unwrap_err();
        assert!(lost.contains("that was snapshot 1, which was removed"), "{lost}");
        assert_eq!(kept.fate(1, true, false), Ok((Fate::Unkept, Some(0))));
        // A body without a database, and what is there from before it.
        kept.next("N", 2, None);
        assert_eq!(kept.fate(2, true, true), Ok((Fate::Stays, Some(2))));
        let none = kept.fate(1, false, true).unwrap_err();
        assert!(none.contains("generation 3 has no database that could be kept"), "{none}");
        assert_eq!(kept.fate(3, true, true), Ok((Fate::Stays, Some(2))));
    }

    #[test]
    fn what_follows_nothing_begins_an_era() {
        let mut kept = Kept::new();
        kept.next("a", 0, None);
        let after = kept.active.take().unwrap();
        let next = kept.generations.next(None, after.candidate.clone()).unwrap();
        assert_eq!((next.number, next.era, next.after), (2, 2, None));
        let first = Generations::of_state("/nowhere".as_ref()).next(None, after.candidate).unwrap();
        assert_eq!((first.number, first.era), (1, 0));
    }

    #[test]
    fn a_snapshot_is_needed_by_what_left_it() {
        let mut kept = Kept::new();
        kept.next("a", 0, None);
        kept.fell("b", 2, Some(1));
        kept.next("a", 0, None);
        kept.next("b", 4, Some(2));
        let needed = |number, era| {
            let about = About { kind: Kind::Departure, generation: 1, era, word: None };
            let of = ("image".to_owned(), "17.6".to_owned());
            let snapshot = Snapshot::new(number, about, of, None, Vec::new());
            needed_by(&kept.generations, kept.active.as_ref().unwrap(), &snapshot).unwrap()
        };
        assert_eq!((needed(2, 0), needed(1, 0), needed(3, 4)), (vec![1, 3], vec![], vec![]));
    }
}
