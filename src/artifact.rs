//! The files a Synthesis is made of, as something to download.

mod effects;

use std::path::PathBuf;

use crate::{
    diagnostic::Failure,
    digest::{
        Integrity, Sha256,
        store_path::{StoreName, StorePath},
    },
    name::url::ArtifactUrl,
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
    /// Its name in the store.
    pub file: String,
    /// Its path in the store.
    pub store_path: String,
    /// Members that need it.
    pub requested_by: Vec<String>,
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
            file: name.to_string(),
            store_path: StorePath::of_flat_file(&Integrity::Sha256(sha256), &name).to_string(),
            requested_by: Vec::new(),
            system: false,
        }
    }
}
