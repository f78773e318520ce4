//! The end of an inscription, whichever way it goes: from what its journal says and the site shows to one whole set.
//!
//! Both ways can be cut short at any point and begun again: each step is one that may have been done already.

use std::path::Path;

use super::{
    facts::Engines,
    generation::{self, Generation, Generations, RECEIPT},
    journal::{Journal, Workshop},
    loaded::{self, Texts},
    lychds::Lychds,
    site::Sites,
};
use crate::{
    diagnostic::{Diagnostic, Failure, Fault},
    digest::Sha256,
    engine::{podman::Podman, systemd::Systemd},
    host::{file, progress::Progress},
    name::Role,
    tree::RelativePath,
};

/// Where an inscription is settled.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The site and its like.
    pub sites: &'a Sites,
    /// Where it is prepared.
    pub workshop: &'a Workshop,
    /// Who brings it to life.
    pub engines: &'a Engines,
    /// Who is told on the way.
    pub progress: &'a dyn Progress,
}

/// What became of an inscription that was cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Its generation is inscribed.
    Finished(u64),
    /// All is as it was before it.
    Undone(u64),
    /// Its generation was to go, and is inscribed no longer.
    Released(u64),
    /// Its generation was to go, and is inscribed as before.
    Kept(u64),
}

impl std::fmt::Display for Settled {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Finished(number) => {
                write!(formatter, "the inscription of generation {number} was finished")
            }
            Self::Undone(number) => write!(formatter, "the inscription of generation {number} was undone"),
            Self::Released(number) => {
                write!(formatter, "generation {number} is inscribed no longer, as was asked for")
            }
            Self::Kept(number) => {
                write!(formatter, "generation {number}, which was to go, is inscribed as before")
            }
        }
    }
}

/// How the name begins of a container that keeps an image of a generation from being pruned; its number comes next.
pub const KEEPER: &str = "lychd-generation-";

/// What such a container is called.
#[must_use]
pub fn keeper(generation: u64, role: &Role) -> String {
    format!("{KEEPER}{generation}-{role}")
}

impl Place<'_> {
    fn systemd(&self) -> &Systemd {
        &self.engines.systemd
    }

    fn podman(&self) -> &Podman {
        &self.engines.podman
    }

    /// Finishes or undoes what a crash left, if it left anything.
    ///
    /// # Errors
    /// Refused when what was to be finished had to be undone; unable when neither can be done, or when what lies in the site is neither the one nor the other.
    pub fn recover(&self, state: &Path) -> Result<Option<Settled>, Failure> {
        let Some(journal) = self.workshop.unfinished()? else { return Ok(None) };
        if journal.state != state {
            let message = format!(
                "an inscription was cut short that a forge with the state directory `{}` began",
                journal.state.display()
            );
            let help = format!("lychd-forge --state {} bind --recover", journal.state.display());
            return Err(Failure::unable(Diagnostic::new(message).of_kind(Fault::File).help(help)));
        }
        let now = self.receipt()?;
        let of = |generation: &Option<Generation>| generation.as_ref().map(Generation::sha256);
        if of(&now) == journal.to {
            self.finish(&journal, now.as_ref())?;
            let number = journal.generation;
            return Ok(Some(if journal.to.is_some() {
                Settled::Finished(number)
            } else {
                Settled::Released(number)
            }));
        }
        if of(&now) == journal.from {
            self.turned_back(&journal)?;
            let number = journal.generation;
            return Ok(Some(if journal.to.is_some() {
                Settled::Undone(number)
            } else {
                Settled::Kept(number)
            }));
        }
        let message = format!(
            "the inscription of generation {} was cut short, and `{}` holds neither it nor what was there before",
            journal.generation,
            self.sites.quadlets.display()
        );
        Err(Failure::unable(Diagnostic::new(message).of_kind(Fault::File).help(format!(
            "somebody else has written there; `{}` has what is missing",
            self.workshop.shadow().display()
        ))))
    }

    fn receipt(&self) -> Result<Option<Generation>, Failure> {
        Generation::read(&self.sites.receipt())
    }

    /// The generation that lay in the site before the exchange.
    fn before(&self) -> Result<Option<Generation>, Failure> {
        Generation::read(&self.workshop.shadow().join(RECEIPT))
    }

    /// After the exchange: has systemd load the new set, holds what it loaded against what is to be, and removes what is
    /// left. When systemd has something else, the old set is put back.
    ///
    /// # Errors
    /// Refused when systemd does not load the set, and all is as before; unable when that could not be told: then the
    /// journal stays, and [`Place::recover`] goes on.
    pub fn finish(&self, journal: &Journal, new: Option<&Generation>) -> Result<(), Failure> {
        let before = self.before()?;
        let wrong = match (new, &before) {
            (Some(new), _) => self.load(new, journal.is_kept)?,
            (None, Some(before)) => match self.unload(journal, before) {
                Ok(wrong) => wrong,
                Err(failure) => {
                    self.turn_back(journal, Some(before))?;
                    return Err(failure);
                }
            },
            (None, None) => Vec::new(),
        };
        if !wrong.is_empty() {
            self.turn_back(journal, before.as_ref())?;
            let message = match new {
                Some(new) => format!("systemd did not load generation {}, and it was undone", new.number),
                None => "systemd did not let go of the units, and all was undone".to_owned(),
            };
            let told = wrong.iter().take(MOST).fold(Diagnostic::new(message), Diagnostic::note);
            return Err(told
                .help("`journalctl --user --since -1min` has what systemd and podman said")
                .into());
        }
        let wanted = |name: &str| new.is_some_and(|new| new.candidate.plain_units().any(|unit| unit == name));
        if let Some(before) = &before {
            for name in before.candidate.plain_units().filter(|name| !wanted(name)) {
                self.unlink(name)?;
            }
        }
        if let Some(before) = &before {
            tidy(&journal.state, before.candidate.support.keys(), new);
        }
        self.end(journal)
    }

    /// Takes the journal away, and keeps what somebody else wrote into what goes with it.
    fn end(&self, journal: &Journal) -> Result<(), Failure> {
        file::remove_unfinished(&generation::support(&journal.state));
        if self.has_others()? {
            let place = self.workshop.set_aside(journal.generation)?;
            self.progress
                .note(&format!("what is not the forge's of its directory is kept in `{}`", place.display()));
        }
        self.workshop.end()
    }

    /// Whether something lies in the shadow that its receipt does not know, or not so.
    fn has_others(&self) -> Result<bool, Failure> {
        let shadow = self.workshop.shadow();
        let Some(receipt) = self.before()? else { return Ok(false) };
        // What cannot be read is not ours.
        let Ok(tree) = file::read_tree(&shadow) else { return Ok(true) };
        let ours = |path: &RelativePath| match tree.file(path) {
            _ if path.as_str() == RECEIPT => true,
            Some(bytes) => receipt.candidate.units.get(path.as_str()) == Some(&Sha256::of(bytes)),
            None => false,
        };
        Ok(!tree.iter().all(|(path, _)| ours(path)))
    }

    /// Has systemd read the site again; what is then not as it is to be, a line each.
    fn load(&self, generation: &Generation, is_kept: bool) -> Result<Vec<String>, Failure> {
        // What the user's own files make of one that is kept may be another text than on the day when it was judged.
        let texts = if is_kept { Texts::Any } else { Texts::Judged };
        let mut wrong = Vec::new();
        for _ in 0..2 {
            // A lost answer says nothing: what is loaded does. And another's reload may have met the exchange.
            let reloaded = self.systemd().reload();
            wrong = loaded::check(generation, texts, self.sites, self.systemd())?;
            if wrong.is_empty() {
                return Ok(wrong);
            }
            reloaded?;
        }
        Ok(wrong)
    }

    /// Has systemd forget a set that lies in the site no longer, with the files of another inscription back in their
    /// places; what it still has of it, or lacks of the other, a line each.
    fn unload(&self, journal: &Journal, before: &Generation) -> Result<Vec<String>, Failure> {
        for name in before.candidate.plain_units() {
            self.unlink(name)?;
        }
        for one in &journal.moves {
            one.carry_out()?;
        }
        self.systemd().reload()?;
        let mut wrong = Vec::new();
        for (name, state) in self.systemd().units(before.candidate.unit_names())? {
            let is_ours = |path: &Path| path.starts_with(&self.sites.quadlets);
            if is_ours(&state.source) || is_ours(&state.fragment) {
                wrong.push(format!("systemd still has `{name}`"));
            }
        }
        if let Some(theirs) = Lychds::of(self.sites)? {
            for name in theirs.unit_names() {
                if !self.systemd().unit(&name)?.is_loaded() {
                    wrong.push(format!("systemd does not load LychD's `{name}`"));
                }
            }
        }
        Ok(wrong)
    }

    /// Puts the old set back, has it loaded, and undoes the rest.
    ///
    /// # Errors
    /// Unable when one of that cannot be done: the journal stays.
    pub fn turn_back(&self, journal: &Journal, before: Option<&Generation>) -> Result<(), Failure> {
        let (site, shadow) = (&self.sites.quadlets, self.workshop.shadow());
        let moved = if journal.to.is_none() {
            move_back(journal)?;
            for name in before.iter().flat_map(|before| before.candidate.plain_units()) {
                self.link(name)?;
            }
            file::rename_new(&shadow, site)
        } else if file::exists(&shadow)? {
            file::exchange(&shadow, site)
        } else if journal.from.is_none() {
            file::rename_new(site, &shadow)
        } else {
            let message = format!("the old set is not in `{}`, and the new one stays", shadow.display());
            let help = format!(
                "it was generation {}'s predecessor: see {}",
                journal.generation,
                journal.state.display()
            );
            return Err(Failure::unable(Diagnostic::new(message).of_kind(Fault::File).help(help)));
        };
        moved.map_err(|error| file::unable("put the old set back into", site, &error))?;
        self.turned_back(journal)
    }

    /// With the old set in its place: has systemd load it, whatever it had loaded of the new one.
    fn turned_back(&self, journal: &Journal) -> Result<(), Failure> {
        move_back(journal)?;
        let old = self.receipt()?;
        for name in old.iter().flat_map(|old| old.candidate.plain_units()) {
            self.link(name)?;
        }
        self.systemd().reload()?;
        if let Some(old) = old {
            let wrong = loaded::check(&old, Texts::Any, self.sites, self.systemd())?;
            if !wrong.is_empty() {
                let message = "systemd does not load the old set either, which lies in the site again";
                let told = wrong.iter().take(MOST).fold(Diagnostic::new(message), Diagnostic::note);
                let help = "mend what is named here, then: lychd-forge bind --recover";
                return Err(Failure::unable(told.of_kind(Fault::Program).help(help)));
            }
        }
        self.undo(journal)
    }

    /// Before the exchange, or after it was turned back: takes away what was made for the new set, and starts what was
    /// stopped for it.
    ///
    /// # Errors
    /// Unable when something cannot be removed or started: the journal stays.
    pub fn undo(&self, journal: &Journal) -> Result<(), Failure> {
        let old = self.receipt()?;
        if old.as_ref().map(Generation::sha256) != journal.from {
            let message = format!("`{}` does not hold the old set", self.sites.quadlets.display());
            return Err(Failure::unable(Diagnostic::new(message).of_kind(Fault::File)));
        }
        let stays =
            |name: &str| old.as_ref().is_some_and(|old| old.candidate.plain_units().any(|unit| unit == name));
        for name in journal.links.iter().filter(|name| !stays(name)) {
            self.unlink(name)?;
        }
        if !journal.moves.is_empty() {
            // Another's reload may have met the moves.
            move_back(journal)?;
            self.systemd().reload()?;
        }
        let generations = Generations::of_state(&journal.state);
        if !journal.is_kept && old.as_ref().is_none_or(|old| old.number != journal.generation) {
            for name in &journal.keepers {
                self.podman().release(name)?;
            }
            generations.remove(journal.generation)?;
        }
        for directory in journal.made.iter().rev() {
            file::remove_empty(directory).map_err(|error| file::unable("remove", directory, &error))?;
        }
        for name in &journal.stopped {
            // What cannot start does not start for having run before.
            if let Err(failure @ Failure::Unable(_)) = self.systemd().start(name) {
                return Err(failure);
            }
        }
        tidy(&journal.state, journal.support.iter(), old.as_ref());
        self.end(journal)
    }

    /// Makes the link to a plain unit, where it is not.
    pub(super) fn link(&self, name: &str) -> Result<(), Failure> {
        if self.sites.has_link(name)? {
            return Ok(());
        }
        let at = self.sites.link(name);
        file::link(&self.sites.quadlets.join(name), &at).map_err(|error| file::unable("write", &at, &error))
    }

    /// Removes the link to a plain unit, where it is one.
    fn unlink(&self, name: &str) -> Result<(), Failure> {
        if !self.sites.has_link(name)? {
            return Ok(());
        }
        let at = self.sites.link(name);
        file::remove(&at).map_err(|error| file::unable("remove", &at, &error))
    }
}

/// Puts the files of another inscription where they were.
fn move_back(journal: &Journal) -> Result<(), Failure> {
    journal.moves.iter().rev().try_for_each(|one| one.back().carry_out())
}

/// Removes those of these files of the support directory that the set in the site does not read. Whoever has one mounted
/// keeps it, and what cannot be removed is in nobody's way.
fn tidy<'a>(state: &Path, names: impl Iterator<Item = &'a String>, inscribed: Option<&Generation>) {
    let reads = |name: &String| inscribed.is_some_and(|one| one.candidate.support.contains_key(name));
    for name in names.filter(|name| !reads(name)) {
        if let Ok(name) = name.parse::<RelativePath>() {
            let _left = file::remove_file(&generation::support(state).join(name.as_str()));
        }
    }
}

/// The most lines that are told of what is wrong.
const MOST: usize = 8;
