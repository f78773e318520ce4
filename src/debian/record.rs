//! What the Synthesis records of Debian packages.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    artifact::Artifact,
    digest::Integrity,
    digest::Sha256,
    name::{DebianName, MemberId},
};

/// One Debian package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each says of one use whether it has it")]
pub struct SystemPackage {
    /// Binary package name.
    pub name: DebianName,
    /// Debian version.
    pub version: String,
    /// `pkg:deb/debian/<name>@<version>?arch=<arch>`.
    pub purl: String,
    /// Always `deb`.
    pub kind: &'static str,
    /// First mirror's URL.
    pub url: String,
    /// File name as it gets in the store.
    pub filename: String,
    /// Its sha256.
    pub sha256: Sha256,
    /// The same as SRI.
    pub sri: String,
    /// Bytes of the `.deb`.
    pub size: u64,
    /// Bytes when unpacked, as the index says.
    pub installed_size: u64,
    /// Store path of the downloaded file.
    pub store_path: String,
    /// Members that reach it; empty for the substrate's own.
    pub requested_by: BTreeSet<MemberId>,
    /// Names it depends on within the closure.
    pub dependencies: BTreeSet<DebianName>,
    /// Whether it is part of the image (else only of the build tools).
    pub image: bool,
    /// Whether the build's Python needs it.
    pub tool: bool,
    /// Whether native builds have it: the compiler, headers and what these need.
    pub compiler: bool,
    /// Always false: the signed index has the hash.
    pub completed: bool,
}

impl From<&SystemPackage> for Artifact {
    fn from(package: &SystemPackage) -> Self {
        Self {
            label: format!("{} {}", package.name, package.version),
            url: package.url.clone(),
            integrity: Integrity::Sha256(package.sha256),
            size: Some(package.size),
            file: package.filename.clone(),
            store_path: package.store_path.clone(),
            requested_by: package.requested_by.iter().map(ToString::to_string).collect(),
            system: true,
        }
    }
}
