//! Where a store lies on this machine.

use std::path::{Path, PathBuf};

use super::conf::STORE_DIR;
use crate::digest::store_path::StorePath;

/// Where the files of `/nix/store` really lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreRoot {
    physical: PathBuf,
}

impl StoreRoot {
    /// The system's store.
    #[must_use]
    pub fn system() -> Self {
        Self { physical: STORE_DIR.into() }
    }

    /// The store that `nix --store DIR` uses: its paths lie below `DIR/nix/store`.
    #[must_use]
    pub fn below(directory: &Path) -> Self {
        Self { physical: directory.join("nix/store") }
    }

    /// The directory that stands for `/nix/store`.
    #[must_use]
    pub fn physical(&self) -> &Path {
        &self.physical
    }

    /// Where a store path lies.
    #[must_use]
    pub fn locate(&self, path: &StorePath) -> PathBuf {
        let text = path.to_string();
        self.physical.join(text.rsplit('/').next().unwrap_or(&text))
    }
}
