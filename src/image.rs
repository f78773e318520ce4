//! The image as data before bytes: layers, configuration, manifests and all their digests, known
//! before anything is loaded; then the bytes, streamed as a docker-archive or laid out for podman.
//!
//! ```text
//!   conf.json ── Conf::parse ──► Conf ── prepare (hashes layers on all cores) ──► Image
//!                                                                                   │
//!                                       docker-archive on a stream ◄── stream ──────┤
//!                                       OCI layout in a directory  ◄── oci_layout ──┘
//! ```

mod archive;
mod base;
mod cache;
pub mod conf;
mod config;
mod identity;
mod json;
mod layer;
mod oci;
mod prepare;
mod tar;

use std::path::{Path, PathBuf};

pub use archive::stream;
pub use conf::{Conf, Reference};
pub use identity::{ConfigDigest, EngineId};
pub use oci::oci_layout;
pub use prepare::prepare;

use self::layer::{Attributes, Content};
use crate::digest::{Sha256, store_path::StorePath};

/// Where the files of `/nix/store` really lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreRoot {
    physical: PathBuf,
}

impl StoreRoot {
    /// The system's store.
    #[must_use]
    pub fn system() -> Self {
        Self { physical: conf::STORE_DIR.into() }
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

/// A layer: its digest, its size and where its bytes come from.
#[derive(Debug)]
pub struct Layer {
    content: Content,
    diff_id: Sha256,
    size: u64,
    /// Hashed in this run, not remembered from another.
    is_fresh: bool,
    cached: Option<cache::Slot>,
}

impl Layer {
    /// sha256 of the uncompressed tar.
    #[must_use]
    pub fn diff_id(&self) -> Sha256 {
        self.diff_id
    }

    /// Size of the uncompressed tar in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The store paths in it; none for a layer of the base image.
    #[must_use]
    pub fn store_paths(&self) -> &[StorePath] {
        match &self.content {
            Content::Base(_) => &[],
            Content::Store(paths) => paths,
            Content::Customisation(path) => std::slice::from_ref(path),
        }
    }

    /// Its name in the docker-archive.
    fn member_name(&self) -> String {
        match &self.content {
            Content::Base(blob) => blob.name.clone(),
            Content::Store(_) | Content::Customisation(_) => format!("{}/layer.tar", self.diff_id),
        }
    }
}

/// An image of which everything but the layers' bytes is known.
#[derive(Debug)]
pub struct Image {
    layers: Vec<Layer>,
    attributes: Attributes,
    reference: Reference,
    config: Vec<u8>,
    manifest: Vec<u8>,
}

impl Image {
    /// sha256 of the configuration.
    #[must_use]
    pub fn config_digest(&self) -> ConfigDigest {
        ConfigDigest::of(&self.config)
    }

    /// `<name>:b-<12 hex digits of the configuration's digest>`: the tag that keeps this image alone from being
    /// pruned.
    #[must_use]
    pub fn own_reference(&self) -> Reference {
        self.reference.own(self.config_digest())
    }

    /// Layers, bottom first.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Name and tag from `conf.json`.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// The image configuration's bytes.
    #[must_use]
    pub fn config(&self) -> &[u8] {
        &self.config
    }

    /// The OCI manifest's bytes.
    #[must_use]
    pub fn manifest(&self) -> &[u8] {
        &self.manifest
    }

    /// sha256 of the OCI manifest.
    #[must_use]
    pub fn manifest_digest(&self) -> Sha256 {
        Sha256::of(&self.manifest)
    }

    /// All layers together, uncompressed, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.layers.iter().map(Layer::size).sum()
    }
}
