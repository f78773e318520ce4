//! A Synthesis with all that later stages need.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    executor::Executor,
    missing_libraries::{self, MissingLibrary},
};
use crate::{
    artifact::Artifact,
    body::Evidence,
    crypt::Federation,
    diagnostic::Failure,
    digest::Sha256,
    host::{file, progress::Progress},
    lock::Change,
    name::{DebianName, MemberId, PackageName},
    python::sources::git::GitTree,
    supply::{
        air_gap::{self, Folder},
        outside::Outside,
        seed::seed,
        store::into_store,
    },
    synthesis::{self, Synthesis, value::Substrate},
    transmute,
    tree::FileTree,
};

/// What [`super::prepare()`] gives. Other runs stay out of the cache and the state directory as long as it is there.
#[derive(Debug)]
pub struct Prepared {
    /// The Synthesis.
    pub synthesis: Synthesis,
    /// sha256 of its canonical bytes.
    pub id: Sha256,
    /// Canonical bytes and locks: what a body keeps of where it comes from.
    pub evidence: Evidence,
    /// What moved in the locks.
    pub moved: Vec<Change>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Core and extensions as they were read.
    pub(super) federation: Federation,
    pub(super) sources: BTreeMap<MemberId, FileTree>,
    pub(super) packages: BTreeMap<PackageName, FileTree>,
    pub(super) git_trees: Vec<GitTree>,
    pub(super) outside: Outside,
    pub(super) _held: [file::LockGuard; 2],
}

impl Prepared {
    /// The flake.
    ///
    /// # Errors
    /// As [`transmute::transmute_with`].
    pub fn transmute(&self) -> Result<FileTree, Failure> {
        transmute::transmute_with(&self.synthesis, &self.sources, &self.packages, &transmute::library())
    }

    /// Brings what the executor's store lacks; returns how many artifacts that were.
    ///
    /// # Errors
    /// As [`into_store`].
    pub fn fetch(&self, executor: &dyn Executor, progress: &dyn Progress) -> Result<usize, Failure> {
        let artifacts = self.needed(progress)?;
        into_store(executor, &artifacts, &self.outside.downloads(), progress)
    }

    /// Brings everything, with what the forge itself is run with, and puts it into a folder.
    ///
    /// # Errors
    /// As [`crate::supply::downloads::Downloads::all`] and [`air_gap::write`].
    pub fn fetch_to(&self, folder: &Path, progress: &dyn Progress) -> Result<Folder, Failure> {
        let mut artifacts = self.needed(progress)?;
        for tool in synthesis::tool_downloads(&self.synthesis)? {
            // Two at a time would write one file.
            if artifacts.iter().all(|known| known.store_path != tool.store_path) {
                artifacts.push(tool);
            }
        }
        let downloads = self.outside.downloads();
        for tree in &self.git_trees {
            let (artifact, bytes) = tree.archive()?;
            downloads.keep(&artifact, &bytes)?;
            artifacts.push(artifact);
        }
        let paths = downloads.all(&artifacts, progress)?;
        let brought: Vec<_> = artifacts.into_iter().zip(paths).collect();
        air_gap::write(folder, self.id, &brought)
    }

    /// What to do about libraries that a build missed.
    #[must_use]
    pub fn remedies(&self, missing: &BTreeSet<MissingLibrary>, progress: &dyn Progress) -> Vec<String> {
        let asks = !missing.is_empty() && matches!(self.synthesis.substrate, Substrate::Debian { .. });
        let platform = self.synthesis.platform;
        let index = if asks { self.outside.debian_index(platform, progress) } else { None };
        let exists = index.as_ref().map(|index| |name: &DebianName| index.candidate(name.as_str()).is_some());
        let exists = exists.as_ref().map(|exists| exists as &dyn Fn(&DebianName) -> bool);
        missing_libraries::remedies(missing, &self.synthesis, exists)
    }

    /// Everything a build needs: the artifacts, and what the substrate starts from.
    fn needed(&self, progress: &dyn Progress) -> Result<Vec<Artifact>, Failure> {
        let mut artifacts = synthesis::artifacts(&self.synthesis);
        if matches!(self.synthesis.substrate, Substrate::Debian { .. }) {
            artifacts.push(seed()?);
        }
        progress.stage("fetch", &format!("{} artifacts", artifacts.len()));
        Ok(artifacts)
    }
}
