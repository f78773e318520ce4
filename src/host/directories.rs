//! The directories of one run, and the locks that keep two runs from writing into one of them at a time.

use std::path::{Path, PathBuf};

use super::{
    file::{self, LockGuard},
    progress::Progress,
};
use crate::diagnostic::Failure;

/// Where everything lies; all paths absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directories {
    /// The configuration.
    pub codex: PathBuf,
    /// Sources and locks.
    pub crypt: PathBuf,
    /// The flake, the bodies and the inscription.
    pub state: PathBuf,
    /// Downloads, tools and layer hashes: safe to delete.
    pub cache: PathBuf,
}

impl Directories {
    /// Where `transmute` and `forge` write the flake.
    #[must_use]
    pub fn flake(&self) -> PathBuf {
        self.state.join("flake")
    }

    /// Digests of layers, by their store paths.
    #[must_use]
    pub fn layers(&self) -> PathBuf {
        self.cache.join("layers")
    }

    /// Downloaded artifacts, by hash.
    #[must_use]
    pub fn artifacts(&self) -> PathBuf {
        self.cache.join("artifacts")
    }

    /// Keeps other runs out of the cache: they would bring and lay out the same files.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it cannot be locked, or what a killed run left cannot be looked at.
    pub fn hold_cache(&self, progress: &dyn Progress) -> Result<LockGuard, Failure> {
        hold(&self.cache, "cache.lock", progress)
    }

    /// Keeps other runs out of the state directory: they would write the same flake and bodies. Who needs the cache
    /// as well holds that first.
    ///
    /// # Errors
    /// As [`Directories::hold_cache`].
    pub fn hold_state(&self, progress: &dyn Progress) -> Result<LockGuard, Failure> {
        hold(&self.state, "state.lock", progress)
    }
}

/// The names of the locks differ because cache and state may be one directory.
fn hold(directory: &Path, name: &str, progress: &dyn Progress) -> Result<LockGuard, Failure> {
    let path = directory.join(name);
    let waiting =
        || progress.waiting(&format!("waiting for another forge that uses `{}`", directory.display()));
    let held = file::lock(&path, waiting).map_err(|error| file::unable("lock", &path, &error))?;
    for below in ["", "bodies", "load", "snapshots", "stage", "tools"].map(|name| directory.join(name)) {
        if file::kind(&below)? == Some(file::Kind::Directory) {
            let left = file::sweep(&below).map_err(|error| file::unable("clean up", &below, &error))?;
            for path in left {
                progress.note(&format!(
                    "`{}` is left of a forge that was killed, and cannot be removed",
                    path.display()
                ));
            }
        }
    }
    Ok(held)
}
