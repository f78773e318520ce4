//! The files a Synthesis is made of, as something to download.

mod effects;

use std::{collections::BTreeSet, path::PathBuf};

use crate::{
    diagnostic::Failure,
    digest::{
        Integrity, Sha256,
        store_path::{StoreName, StorePath},
    },
    name::{MemberId, url::ArtifactUrl},
};

pub use effects::Effects;

/// Brings downloads and says where they lie, in the same order.
pub type Bring<'a> = &'a dyn Fn(&[Artifact]) -> Result<Vec<PathBuf>, Failure>;

/// One file to bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// What a person calls it, e.g. `libmagic1t64 1:5.46-5`.
    pub label: String,
    /// Where the lock says it is.
    pub url: String,
    /// What it must hash to.
    pub integrity: Integrity,
    /// Bytes, when the lock says.
    pub size: Option<u64>,
    /// Where it lies in the store; [`Artifact::file`] is the name there.
    pub store_path: StorePath,
    /// Members that need it.
    pub requested_by: BTreeSet<MemberId>,
    /// Whether it is a Debian package, whose mirrors drop old versions.
    pub system: bool,
}

impl Artifact {
    /// A tool of the forge's own, which stays in its cache.
    #[must_use]
    pub fn of_tool(url: &ArtifactUrl, sha256: Sha256, size: Option<u64>) -> Self {
        let name = StoreName::mapped(url.file_name());
        Self {
            label: url.file_name().to_owned(),
            url: url.to_string(),
            integrity: Integrity::Sha256(sha256),
            size,
            store_path: StorePath::of_flat_file(&Integrity::Sha256(sha256), &name),
            requested_by: BTreeSet::new(),
            system: false,
        }
    }

    /// Its name in the store.
    #[must_use]
    pub fn file(&self) -> &str {
        self.store_path.name().as_str()
    }
}
