//! Downloads in the store that builds take them from.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use super::downloads::{Downloads, about};
use crate::{
    artifact::Artifact,
    diagnostic::{Diagnostic, Failure},
    digest::store_path::StorePath,
    host::{file, progress::Progress},
};

/// A store of files by their hashes, as an executor has one.
pub trait ArtifactStore {
    /// Those of these store paths that it does not hold.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it cannot tell.
    fn missing(&self, paths: &[StorePath]) -> Result<BTreeSet<StorePath>, Failure>;

    /// Adds downloaded files by their hash; each file's name is its store name. `algorithm` is `sha256`, `sha384` or
    /// `sha512`. Returns the store paths, in the same order.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it refuses.
    fn add_fixed(&self, algorithm: &str, files: &[PathBuf]) -> Result<Vec<String>, Failure>;
}

/// Adds to the store what it lacks of `artifacts`; returns how many were brought.
///
/// # Errors
/// As [`Downloads::all`], or when the store refuses a file or names it otherwise than predicted.
pub fn into_store(
    store: &dyn ArtifactStore,
    artifacts: &[Artifact],
    downloads: &Downloads<'_>,
    progress: &dyn Progress,
) -> Result<usize, Failure> {
    let paths: Vec<StorePath> = artifacts.iter().map(|artifact| artifact.store_path.clone()).collect();
    let missing = store.missing(&paths)?;
    let wanted: Vec<Artifact> =
        artifacts.iter().filter(|artifact| missing.contains(&artifact.store_path)).cloned().collect();
    if wanted.is_empty() {
        return Ok(0);
    }
    let files = downloads.all(&wanted, progress)?;
    let mut by_algorithm: BTreeMap<&str, Vec<(&Artifact, PathBuf)>> = BTreeMap::new();
    for (artifact, path) in wanted.iter().zip(files) {
        by_algorithm.entry(artifact.integrity.algorithm()).or_default().push((artifact, path));
    }
    let mut added = Vec::new();
    for (algorithm, group) in by_algorithm {
        let files: Vec<PathBuf> = group.iter().map(|(_, path)| path.clone()).collect();
        let paths = store.add_fixed(algorithm, &files)?;
        added.extend(group.into_iter().map(|(artifact, _)| artifact).zip(paths));
    }
    for (artifact, path) in added {
        if artifact.store_path.to_string() != path {
            // The store hashed the file itself: the copy in the cache is not what the lock pins.
            file::remove(&downloads.place(artifact))
                .map_err(|error| file::unable("remove", downloads.cache, &error))?;
            return Err(about(
                artifact,
                Diagnostic::new(format!(
                    "the cached copy of `{}` is not what the lock pins ({path}, not {})",
                    artifact.label, artifact.store_path
                ))
                .help("it was removed: run this again"),
            )
            .into());
        }
    }
    Ok(wanted.len())
}
