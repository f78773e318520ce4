//! Who keeps the databases and gives them back: as dumps, which any server of their version reads, or as subvolumes of
//! btrfs, in an instant.

mod immortal;
mod means;
mod mortal;

pub(super) use means::Means;

use super::snapshots::{About, Snapshot};
use crate::{diagnostic::Failure, engine::btrfs::Btrfs, host::file};

/// The keeper of an organism's databases.
pub(super) struct Keeper<'a>(pub(super) Means<'a>);

impl Keeper<'_> {
    /// Takes a snapshot of all databases. The server runs.
    ///
    /// # Errors
    /// Refused when a tool of the server fails; unable when there is no room, or something cannot be written. Nothing of it is
    /// left then.
    pub(super) fn take(&self, about: About) -> Result<Snapshot, Failure> {
        match self.subvolumes()? {
            Some(btrfs) => immortal::take(&self.0, &btrfs, about),
            None => mortal::take(&self.0, about),
        }
    }

    /// Gives the databases the past of a snapshot, all at once, and keeps what they were; returns what was kept. They cannot
    /// be written to before [`Keeper::open`]. The server runs, before and after. Whoever was cut short goes on by calling it
    /// again with the same word.
    ///
    /// # Errors
    /// Refused when the snapshot is not what was recorded, or a tool of the server fails; unable when something cannot be
    /// read or written. Until the change nothing is different.
    pub(super) fn give(&self, snapshot: &Snapshot, about: About) -> Result<Snapshot, Failure> {
        match (&snapshot.subvolume, Btrfs::on_path()) {
            (Some(subvolume), Some(btrfs)) => immortal::give(&self.0, &btrfs, (snapshot, subvolume), about),
            _ => mortal::give(&self.0, snapshot, about),
        }
    }

    /// Whether a past was given under this word, though the snapshot of what was there may not be taken yet.
    ///
    /// # Errors
    /// Unable when the server does not answer, or something cannot be read.
    pub(super) fn gave(&self, about: About) -> Result<bool, Failure> {
        let done = about.word.map(|word| self.0.snapshots.of_word(word, about.kind)).transpose()?.flatten();
        Ok(done.is_some() || !self.0.server.left()?.is_empty() || immortal::is_given(&self.0.data)?)
    }

    /// Where a server does not start on what was given under this word: puts its own directory back, and says whether that
    /// was it.
    ///
    /// # Errors
    /// Unable when the directories cannot be exchanged.
    pub(super) fn take_back(&self, about: About) -> Result<bool, Failure> {
        immortal::take_back(&self.0, about)
    }

    /// Takes away what was made ready of a past that was not given.
    ///
    /// # Errors
    /// Refused when the server says no; unable when a subvolume cannot be removed.
    pub(super) fn forget(&self) -> Result<(), Failure> {
        self.0.server.drop_aside()?;
        match Btrfs::on_path() {
            Some(btrfs) => immortal::forget(&self.0.data, &btrfs),
            None => Ok(()),
        }
    }

    /// Lets the databases be written to that were given.
    ///
    /// # Errors
    /// Refused when the server says no.
    pub(super) fn open(&self) -> Result<(), Failure> {
        self.0.server.open()?;
        if immortal::is_given(&self.0.data)? {
            self.0.server.open_whole()?;
        }
        immortal::opened(&self.0.data)
    }

    fn subvolumes(&self) -> Result<Option<Btrfs>, Failure> {
        let is_one = file::is_subvolume(&self.0.data)
            .map_err(|error| file::unable("look at", &self.0.data, &error))?;
        Ok(Btrfs::on_path().filter(|_| is_one))
    }
}
