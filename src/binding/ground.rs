//! The ground of an inscription: its places, locked, with whatever was cut short settled first.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{
    facts::Engines,
    generation::{Generation, Generations, RECEIPT},
    journal::Workshop,
    proposal::Proposal,
    settle::{Place, Settled},
    site::Sites,
};
use crate::{
    diagnostic::{Diagnostic, Failure},
    engine::podman::Podman,
    forge::archive::Archive,
    host::{
        directories::Directories,
        file::{self, LockGuard},
        progress::Progress,
    },
    image::EngineId,
};

/// Whether what is inscribed is of this state directory; `verb` is what would do for the other.
///
/// # Errors
/// Refused when it is of another; unable when that cannot be told.
pub fn refuse_other(active: &Generation, state: &Path, verb: &str) -> Result<(), Failure> {
    if file::resolved(&active.state)? == state {
        return Ok(());
    }
    let other = active.state.display();
    let message = format!("what is inscribed is of a forge with the state directory `{other}`");
    Err(Diagnostic::new(message).help(format!("lychd-forge --state {other} {verb}")).into())
}

/// Where an inscription is made, with everything locked that it needs.
#[derive(Debug)]
pub struct Ground {
    /// The directories of the forge.
    pub directories: Directories,
    /// Where units lie.
    pub sites: Sites,
    /// Where they are prepared.
    pub workshop: Workshop,
    /// The state directory, without links.
    pub state: PathBuf,
    /// The locks, in the order in which they are taken: cache, state, site.
    _held: [LockGuard; 3],
}

impl Ground {
    /// Takes the locks.
    ///
    /// # Errors
    /// Unable when a place cannot be found or locked.
    pub fn take(directories: &Directories, progress: &dyn Progress) -> Result<Self, Failure> {
        let sites = Sites::of_user(&directories.state)?;
        let workshop = Workshop::of(&sites)?;
        let held =
            [directories.hold_cache(progress)?, directories.hold_state(progress)?, workshop.hold(progress)?];
        let state = file::resolved(&directories.state)?;
        Ok(Self { directories: directories.clone(), sites, workshop, state, _held: held })
    }

    /// With those who bring it to life.
    #[must_use]
    pub fn place<'a>(&'a self, engines: &'a Engines, progress: &'a dyn Progress) -> Place<'a> {
        Place { sites: &self.sites, workshop: &self.workshop, engines, progress }
    }

    /// The generations of the state directory.
    #[must_use]
    pub fn generations(&self) -> Generations {
        Generations::of_state(&self.state)
    }

    /// Finishes or undoes an inscription that was cut short.
    ///
    /// # Errors
    /// As [`Place::recover`]; unable when podman or systemd cannot be reached.
    pub fn recover(&self, progress: &dyn Progress) -> Result<Option<Settled>, Failure> {
        if self.workshop.unfinished()?.is_none() {
            self.workshop.clear()?;
            return Ok(None);
        }
        let engines = Engines::of_user()?;
        self.place(&engines, progress).recover(&self.state)
    }

    /// What lies in the site is this state directory's, and what its record says; the state directory keeps no other
    /// site's inscription.
    ///
    /// # Errors
    /// Refused when that is not so; unable when a record cannot be read.
    pub fn check(&self, proposal: &Proposal) -> Result<(), Failure> {
        let generations = self.generations();
        let Some(active) = &proposal.host.found.receipt else { return self.has_no_other(&generations) };
        refuse_other(active, &self.state, "bind")?;
        let kept = generations.read(active.number)?;
        if kept.is_some_and(|kept| kept != *active) {
            let message = format!(
                "the receipt in `{}` is not the record of generation {}",
                self.sites.quadlets.display(),
                active.number
            );
            return Err(Diagnostic::new(message)
                .note(format!("that is in `{}`", generations.place(active.number).display()))
                .help("one of them was changed by hand: put back what it was")
                .into());
        }
        Ok(())
    }

    fn has_no_other(&self, generations: &Generations) -> Result<(), Failure> {
        for record in generations.records()? {
            let other = &record.candidate.site;
            if *other != self.sites.quadlets && Generation::read(&other.join(RECEIPT))?.is_some() {
                let message =
                    format!("this state directory keeps what is inscribed in `{}`", other.display());
                return Err(Diagnostic::new(message)
                    .help("is XDG_CONFIG_HOME another than then? Or give this one a state directory of its own: `--state DIR`")
                    .into());
            }
        }
        Ok(())
    }

    /// Loads those of a body's images that podman has lost, from the store that holds their layers.
    ///
    /// # Errors
    /// Refused when podman calls one otherwise than its units; as [`Archive::of`] and [`Archive::load`].
    pub fn load_images(
        &self,
        proposal: &Proposal,
        lost: &BTreeSet<EngineId>,
        podman: &Podman,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        let images = &proposal.candidate.manifest.body_images;
        let record = &proposal.record;
        for (role, image) in images.iter().filter(|(_, image)| lost.contains(*image)) {
            let archive = Archive::of(record, role, None, &self.directories.layers(), progress)?;
            let scratch = self.directories.state.join("load");
            let loaded = archive.load(podman, Some(image), &scratch, progress)?;
            if loaded != *image {
                let message = format!("podman calls the image `{role}` {loaded} now, and the units {image}");
                return Err(Diagnostic::new(message)
                    .help("`lychd-forge forge` records the body anew, by what podman calls it")
                    .into());
            }
        }
        Ok(())
    }
}
