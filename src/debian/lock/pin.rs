//! One pinned package.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    digest::Sha256,
    name::{
        DebianName,
        debian::{Archive, DebianVersion, PoolPath},
    },
};

/// The most packages one platform may pin.
pub(super) const MOST: usize = 20_000;

/// What a package provides besides its own name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provided {
    /// The virtual name.
    pub name: DebianName,
    /// The version it is provided in, when it says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<DebianVersion>,
}

/// One pinned package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// Binary package name.
    pub name: DebianName,
    /// Version.
    pub version: DebianVersion,
    /// `amd64`, `arm64` or `all`.
    pub architecture: String,
    /// The archive it comes from.
    pub archive: Archive,
    /// Where it is in the archive.
    pub path: PoolPath,
    /// Hash of the `.deb`.
    pub sha256: Sha256,
    /// Bytes of the `.deb`.
    pub size: u64,
    /// Bytes when unpacked, as the index says.
    pub installed_size: u64,
    /// The pins it needs.
    pub depends: BTreeSet<DebianName>,
    /// What it provides.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub provides: BTreeSet<Provided>,
}
