//! Who keeps the databases and gives them back: as dumps, which any server of their version reads, or as subvolumes of
//! btrfs, in an instant.

mod immortal;
mod mortal;

use std::path::PathBuf;

use super::{
    services::Services,
    snapshots::{About, Snapshot, Snapshots},
    soul::Server,
};
use crate::{
    diagnostic::Failure,
    engine::btrfs::Btrfs,
    host::{file, progress::Progress},
};

/// The keeper of an organism's databases.
pub(super) struct Keeper<'a> {
    pub(super) snapshots: Snapshots,
    pub(super) server: Server<'a>,
    pub(super) services: Services<'a>,
    /// The server's directory on the host.
    pub(super) data: PathBuf,
    pub(super) progress: &'a dyn Progress,
}

impl Keeper<'_> {
    /// Takes a snapshot of all databases. The server runs.
    ///
    /// # Errors
    /// Refused when a tool of the server fails; unable when there is no room, or something cannot be written. Nothing of it is
    /// left then.
    pub(super) fn take(&self, about: About) -> Result<Snapshot, Failure> {
        match self.subvolumes()? {
            Some(btrfs) => immortal::take(self, &btrfs, about),
            None => mortal::take(self, about),
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
            (Some(subvolume), Some(btrfs)) => immortal::give(self, &btrfs, (snapshot, subvolume), about),
            _ => mortal::give(self, snapshot, about),
        }
    }

    /// Whether a past was given under this word, though the snapshot of what was there may not be taken yet.
    ///
    /// # Errors
    /// Unable when the server does not answer, or something cannot be read.
    pub(super) fn gave(&self, about: About) -> Result<bool, Failure> {
        let done = about.word.map(|word| self.snapshots.of_word(word, about.kind)).transpose()?.flatten();
        Ok(done.is_some() || !self.server.left()?.is_empty() || immortal::is_given(&self.data)?)
    }

    /// Lets the databases be written to that were given.
    ///
    /// # Errors
    /// Refused when the server says no.
    pub(super) fn open(&self) -> Result<(), Failure> {
        self.server.open()?;
        immortal::opened(&self.data)
    }

    fn subvolumes(&self) -> Result<Option<Btrfs>, Failure> {
        let is_one =
            file::is_subvolume(&self.data).map_err(|error| file::unable("look at", &self.data, &error))?;
        Ok(Btrfs::on_path().filter(|_| is_one))
    }
}
