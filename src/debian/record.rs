//! What the Synthesis records of Debian packages.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::unneeded::is_unneeded;
use crate::{
    artifact::Artifact,
    digest::{
        Integrity, Sha256,
        store_path::{StoreName, StorePath},
    },
    name::{DebianName, MemberId, Role, purl::percent_encoded},
};

/// What a package is to an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// It is in it.
    Image,
    /// It is only there for the maintainer scripts: part of the root in which dpkg configures the image's packages, and
    /// not of the image.
    Configure,
}

/// One Debian package, with at least one purpose. What its record has besides follows from these values and is computed
/// when it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemPackage {
    /// Binary package name.
    pub name: DebianName,
    /// Debian version.
    pub version: String,
    /// `amd64`, `arm64` or `all`.
    pub architecture: String,
    /// First mirror's URL.
    pub url: String,
    /// File name as it gets in the store.
    pub filename: StoreName,
    /// Its sha256.
    pub sha256: Sha256,
    /// Bytes of the `.deb`.
    pub size: u64,
    /// Bytes when unpacked, as the index says.
    pub installed_size: u64,
    /// Members that reach it; empty for the substrate's own.
    pub requested_by: BTreeSet<MemberId>,
    /// Names it depends on within the closure.
    pub dependencies: BTreeSet<DebianName>,
    /// What it is to each image that it is anything to; the application's is the vessel.
    pub images: BTreeMap<Role, Part>,
    /// Whether the build's Python needs it.
    pub tool: bool,
    /// Whether native builds have it: the compiler, headers and what these need.
    pub compiler: bool,
}

impl SystemPackage {
    /// Whether this image has it.
    #[must_use]
    pub fn is_in_image(&self, role: &Role) -> bool {
        self.images.get(role) == Some(&Part::Image)
    }

    /// Whether it is there for the maintainer scripts of this image alone.
    #[must_use]
    pub fn configures(&self, role: &Role) -> bool {
        self.images.get(role) == Some(&Part::Configure)
    }

    /// `pkg:deb/debian/<name>@<version>?arch=<arch>`, percent-encoded as the purl specification says.
    #[must_use]
    pub fn purl(&self) -> String {
        let (name, version) = (percent_encoded(self.name.as_str()), percent_encoded(&self.version));
        format!("pkg:deb/debian/{name}@{version}?arch={}", self.architecture)
    }

    /// Where the downloaded file lies in the store.
    #[must_use]
    pub fn store_path(&self) -> StorePath {
        StorePath::of_flat_file(&Integrity::Sha256(self.sha256), &self.filename)
    }
}

/// What an image lacks because it does without some packages: these, and what only they need. `None` where maintainer
/// scripts do not run, as nothing of it is recorded then.
#[must_use]
pub fn left_out<'a>(
    packages: &'a [SystemPackage],
    without: &BTreeSet<DebianName>,
) -> Option<Vec<&'a SystemPackage>> {
    let vessel = Role::vessel();
    packages.iter().find(|package| package.configures(&vessel))?;
    let by_name: BTreeMap<&DebianName, &SystemPackage> =
        packages.iter().map(|package| (&package.name, package)).collect();
    let mut left_out = BTreeMap::new();
    let mut pending: Vec<&DebianName> = without.iter().collect();
    while let Some(name) = pending.pop() {
        let Some(&package) = by_name.get(name).filter(|package| !package.is_in_image(&vessel)) else {
            continue;
        };
        if left_out.insert(name, package).is_none() {
            let needed = |on: &&DebianName| !is_unneeded(name.as_str(), on.as_str());
            pending.extend(package.dependencies.iter().filter(needed));
        }
    }
    Some(left_out.into_values().collect())
}

/// The record as `synthesis.json` has it: the format promises readers some fields that follow from others.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "as the format has them")]
struct Wire<'a> {
    name: &'a DebianName,
    version: &'a str,
    purl: String,
    kind: &'static str,
    url: &'a str,
    filename: &'a str,
    sha256: Sha256,
    sri: String,
    size: u64,
    installed_size: u64,
    store_path: StorePath,
    requested_by: &'a BTreeSet<MemberId>,
    dependencies: &'a BTreeSet<DebianName>,
    image: bool,
    tool: bool,
    compiler: bool,
    configure: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    images: BTreeMap<&'a Role, Part>,
    /// Always false: the signed index has the hash.
    completed: bool,
}

impl Serialize for SystemPackage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let vessel = Role::vessel();
        Wire {
            name: &self.name,
            version: &self.version,
            purl: self.purl(),
            kind: "deb",
            url: &self.url,
            filename: self.filename.as_str(),
            sha256: self.sha256,
            sri: self.sha256.to_sri_string(),
            size: self.size,
            installed_size: self.installed_size,
            store_path: self.store_path(),
            requested_by: &self.requested_by,
            dependencies: &self.dependencies,
            image: self.is_in_image(&vessel),
            tool: self.tool,
            compiler: self.compiler,
            configure: self.configures(&vessel),
            images: self
                .images
                .iter()
                .filter(|(role, _)| **role != vessel)
                .map(|(role, part)| (role, *part))
                .collect(),
            completed: false,
        }
        .serialize(serializer)
    }
}

impl From<&SystemPackage> for Artifact {
    fn from(package: &SystemPackage) -> Self {
        Self {
            label: format!("{} {}", package.name, package.version),
            url: package.url.clone(),
            integrity: Integrity::Sha256(package.sha256),
            size: Some(package.size),
            store_path: package.store_path(),
            requested_by: package.requested_by.clone(),
            system: true,
        }
    }
}
