//! A body as a value, and the record of one.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::SystemTime,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{evidence::Kept, id::BodyId, images::Images};
use crate::{
    digest::{Sha256, store_path::StorePath},
    image::{ConfigDigest, EngineId, Reference, StoreRoot},
    synthesis::value::Substrate,
};

/// Who built the layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExecutorKind {
    /// Nix, in its sandbox.
    Nix,
}

impl ExecutorKind {
    /// Its name in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nix => "nix",
        }
    }
}

/// What the layers were built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SubstrateKind {
    /// Debian packages.
    Debian,
    /// nixpkgs.
    Nixpkgs,
}

impl SubstrateKind {
    /// Its name in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debian => "debian",
            Self::Nixpkgs => "nixpkgs",
        }
    }
}

impl From<&Substrate> for SubstrateKind {
    fn from(substrate: &Substrate) -> Self {
        match substrate {
            Substrate::Debian { .. } => Self::Debian,
            Substrate::Nixpkgs { .. } => Self::Nixpkgs,
        }
    }
}

/// The store that holds the layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// The system's `/nix`.
    System,
    /// The one below this directory, which is absolute.
    Below(PathBuf),
}

impl Store {
    /// That of Nix's `--store`, an absolute directory, or the system's.
    #[must_use]
    pub fn of(directory: Option<PathBuf>) -> Self {
        directory.map_or(Self::System, Self::Below)
    }

    /// The directory, for one that is not the system's.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        match self {
            Self::System => None,
            Self::Below(directory) => Some(directory),
        }
    }

    /// Where its files lie.
    #[must_use]
    pub fn root(&self) -> StoreRoot {
        self.directory().map_or_else(StoreRoot::system, StoreRoot::below)
    }
}

/// An image of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyImage {
    /// What the image is.
    pub config_digest: ConfigDigest,
    /// sha256 of the OCI manifest the forge writes.
    pub manifest_digest: Sha256,
    /// What the engine called it when it was loaded.
    pub engine_id: Option<EngineId>,
    /// `<name>:b-<12 hex digits of the configuration's digest>`, the image's own tag.
    pub reference: Reference,
    /// Number of layers.
    pub layers: usize,
    /// Bytes of all layers, uncompressed.
    pub size: u64,
    /// The executable that streams the image.
    pub store_path: StorePath,
    /// The configuration it streams.
    pub conf: StorePath,
}

impl BodyImage {
    /// What an engine finds the image by: its own answer, or what today's engines call an image of this
    /// configuration where none was asked.
    #[must_use]
    pub fn found_by(&self) -> EngineId {
        self.engine_id.clone().unwrap_or_else(|| self.config_digest.into())
    }
}

/// Images that were built and read back, and what they were made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// By role.
    pub images: Images<BodyImage>,
    /// sha256 of `federation.json`.
    pub federation: Sha256,
    /// Who built it.
    pub executor: ExecutorKind,
    /// From what.
    pub substrate: SubstrateKind,
    /// Where the layers are; `None` in a record of a forge that did not write it down.
    pub store: Option<Store>,
    /// The synthesis id.
    pub synthesis_sha256: Sha256,
    /// sha256 of the emitted flake as a Nix archive: equal flakes need no second build.
    pub flake_nar_sha256: Sha256,
    /// Versions of what took part: `nix`, and `podman` when it was loaded.
    pub tools: BTreeMap<String, String>,
}

impl Body {
    /// What it is called.
    #[must_use]
    pub fn id(&self) -> BodyId {
        let images = self.images.iter().map(|(role, image)| (role, image.config_digest));
        BodyId::of(images, &self.federation)
    }
}

/// When a body was forged, as far as one can tell: the greater, the newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// In a record without a number: when its file was written.
    Written(SystemTime),
    /// Records are numbered as they are written, from 1.
    Sequence(u64),
}

impl Order {
    /// The number, where there is one.
    #[must_use]
    pub const fn sequence(self) -> Option<u64> {
        match self {
            Self::Written(_) => None,
            Self::Sequence(number) => Some(number),
        }
    }
}

/// A body with its place in the state directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What was forged.
    pub body: Body,
    /// When.
    pub order: Order,
    /// The files beside `body.json`.
    pub kept: Kept,
}
