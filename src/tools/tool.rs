//! What every tool of the forge's own is told by, and brought with.

use std::path::PathBuf;

use serde::Serialize;

use crate::{diagnostic::Failure, digest::Sha256, name::url::ArtifactUrl};

/// Brings a file of known content into the cache and says where it is: URL, sha256, size in bytes.
pub type Fetch<'a> = &'a dyn Fn(&ArtifactUrl, &Sha256, Option<u64>) -> Result<PathBuf, Failure>;

/// A pinned resolver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tool {
    /// Version.
    pub version: String,
    /// sha256 of the file it came in.
    pub sha256: Sha256,
}
