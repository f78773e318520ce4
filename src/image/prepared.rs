//! An image that is known but for its bytes.

use super::{cache::Slot, conf::Reference, content::Content, identity::ConfigDigest, writer::Attributes};
use crate::digest::Sha256;

/// A layer: its digest, its size and where its bytes come from.
#[derive(Debug)]
pub struct Layer {
    pub(super) content: Content,
    pub(super) diff_id: Sha256,
    pub(super) size: u64,
    /// Hashed in this run, not remembered from another.
    pub(super) is_fresh: bool,
    pub(super) cached: Option<Slot>,
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

    /// Its name in the docker-archive.
    pub(super) fn member_name(&self) -> String {
        format!("{}/layer.tar", self.diff_id)
    }
}

/// An image of which everything but the layers' bytes is known.
#[derive(Debug)]
pub struct Image {
    pub(super) layers: Vec<Layer>,
    pub(super) attributes: Attributes,
    pub(super) reference: Reference,
    pub(super) config: Vec<u8>,
    pub(super) manifest: Vec<u8>,
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

    /// What the operator said of the image's files and nothing in it needed.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.attributes.plan.notes
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
