//! btrfs: subvolumes, which are kept in an instant. The user's own need no privilege.

use std::path::{Path, PathBuf};

use crate::{
    diagnostic::{Diagnostic, Failure, Fault},
    host::{environment, file, process::Command},
};

/// A `btrfs` program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Btrfs {
    program: PathBuf,
}

impl Btrfs {
    /// The one on `PATH`, if there is one.
    #[must_use]
    pub fn on_path() -> Option<Self> {
        environment::program("btrfs").map(|program| Self { program })
    }

    /// Makes a new subvolume.
    ///
    /// # Errors
    /// Unable when the system says no.
    pub fn create(&self, path: &Path) -> Result<(), Failure> {
        self.run(&["subvolume", "create"], &[path])
    }

    /// Makes a subvolume of another, as it is now.
    ///
    /// # Errors
    /// As [`Btrfs::create`].
    pub fn snapshot(&self, of: &Path, to: &Path, read_only: bool) -> Result<(), Failure> {
        let words: &[&str] =
            if read_only { &["subvolume", "snapshot", "-r"] } else { &["subvolume", "snapshot"] };
        self.run(words, &[of, to])
    }

    /// Removes a subvolume with all in it; nothing there is success.
    ///
    /// # Errors
    /// As [`Btrfs::create`].
    pub fn remove(&self, path: &Path) -> Result<(), Failure> {
        if !file::exists(path)? {
            return Ok(());
        }
        // Of one that cannot be written to nothing can be removed.
        self.run(&["property", "set", "-ts"], &[path, Path::new("ro"), Path::new("false")])?;
        // `subvolume delete` is for root alone, or needs a mount option.
        file::remove(path).map_err(|error| file::unable("remove", path, &error))
    }

    fn run(&self, words: &[&str], paths: &[&Path]) -> Result<(), Failure> {
        let command = Command::new(&self.program).args(words).args(paths);
        let output = command.output()?;
        if output.success() {
            return Ok(());
        }
        let told = Diagnostic::new(format!("`{}` fails", command.display())).of_kind(Fault::Program);
        Err(Failure::unable(output.stderr.trim().lines().fold(told, Diagnostic::note)))
    }
}
