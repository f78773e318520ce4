//! Who builds the layers: one seam, so that the flow from a flake to an image knows no executor.
//!
//! An executor evaluates and builds the recipe graph, and holds what it built. The image itself is always written by
//! [`crate::image`].

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::missing_libraries::MissingLibrary;
use crate::{
    body::{ExecutorKind, Images, Store},
    diagnostic::Failure,
    digest::{Sha256, store_path::StorePath},
    host::progress::Progress,
    supply::store::ArtifactStore,
};

/// What a build gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outputs {
    /// The executable that streams the image.
    pub store_path: StorePath,
    /// What the image is made of.
    pub conf: StorePath,
}

/// Why a build gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotBuilt {
    /// What is told of it.
    pub failure: Failure,
    /// Names of the derivations that failed, such as `idna-3.10`.
    pub derivations: BTreeSet<String>,
    /// Libraries that the check of the image misses.
    pub missing: BTreeSet<MissingLibrary>,
}

impl From<Failure> for NotBuilt {
    fn from(failure: Failure) -> Self {
        Self { failure, derivations: BTreeSet::new(), missing: BTreeSet::new() }
    }
}

/// What a build may take part of besides the flake and what was brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inputs {
    /// Nothing: the embedded substrate.
    Closed,
    /// The pinned nixpkgs, and built packages that its caches have.
    Nixpkgs {
        /// A tree to use instead of fetching it.
        tree: Option<PathBuf>,
        /// The hash that it must have.
        pinned: Sha256,
        /// Whether the network must not be used.
        offline: bool,
    },
}

/// What an executor is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// A store of its own: an absolute directory, which may be new.
    pub store: Option<PathBuf>,
    /// Machines that build, as Nix's `--builders` has them.
    pub builders: Option<String>,
}

/// An executor that is usable on this host, and the store that it builds from.
pub trait Executor: ArtifactStore {
    /// The executor as it is asked for.
    ///
    /// # Errors
    /// Why it is not usable on this host.
    fn usable(wanted: &Wanted) -> Result<Self, Failure>
    where
        Self: Sized;

    /// What records call it.
    fn kind(&self) -> ExecutorKind;

    /// Its version.
    fn version(&self) -> &str;

    /// Whether it builds under this host's kernel alone.
    fn builds_here(&self) -> bool;

    /// The store it builds in.
    fn store(&self) -> Store;

    /// The same with these inputs.
    ///
    /// # Errors
    /// Refused when an input is not the one that is pinned; unable when it cannot be read.
    fn with_inputs(self: Box<Self>, inputs: Inputs) -> Result<Box<dyn Executor>, Failure>;

    /// Builds the images of these roles out of the flake in this directory.
    ///
    /// # Errors
    /// Refused when the build ran and failed.
    fn build(
        &self,
        flake: &Path,
        roles: &Images<()>,
        progress: &dyn Progress,
    ) -> Result<Images<Outputs>, NotBuilt>;

    /// Whether what was built before is still in its store, and the executable is one that streams the configuration.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it cannot tell.
    fn holds(&self, outputs: &Outputs) -> Result<bool, Failure>;

    /// Keeps what was built as long as the link at `root` is there.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it cannot.
    fn keep(&self, outputs: &Outputs, root: &Path) -> Result<(), Failure>;
}
