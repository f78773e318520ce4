//! The files a Synthesis is made of, as something to download.

use std::{collections::BTreeMap, path::PathBuf};

use super::value::{NodePackage, NodeTool, PythonPackage, Synthesis, SystemPackage};
use crate::{
    diagnostic::Failure,
    digest::{
        Integrity, Sha256,
        store_path::{StoreName, StorePath},
    },
    name::url::ArtifactUrl,
};

/// Brings downloads and says where they lie, in the same order.
pub type Bring<'a> = &'a dyn Fn(&[Artifact]) -> Result<Vec<PathBuf>, Failure>;

/// One file to bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// What a person calls it, e.g. `libmagic1t64 1:5.46-5`.
    pub label: String,
    /// Where the lock says it is.
    pub url: String,
    /// What it must hash to.
    pub integrity: Integrity,
    /// Bytes, when the lock says.
    pub size: Option<u64>,
    /// Its name in the store.
    pub file: String,
    /// Its path in the store.
    pub store_path: String,
    /// Members that need it.
    pub requested_by: Vec<String>,
    /// Whether it is a Debian package, whose mirrors drop old versions.
    pub system: bool,
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

impl From<&PythonPackage> for Artifact {
    fn from(package: &PythonPackage) -> Self {
        Self {
            label: format!("{} {}", package.name, package.version),
            url: package.url.clone(),
            integrity: Integrity::Sha256(package.sha256),
            size: package.size,
            file: file_of(&package.store_path),
            store_path: package.store_path.clone(),
            requested_by: package.requested_by.iter().map(ToString::to_string).collect(),
            system: false,
        }
    }
}

impl From<&NodePackage> for Artifact {
    fn from(package: &NodePackage) -> Self {
        Self {
            label: format!("{} {}", package.name, package.version),
            url: package.url.clone(),
            integrity: package.integrity,
            size: package.size,
            file: package.filename.clone(),
            store_path: package.store_path.clone(),
            requested_by: package.requested_by.iter().map(ToString::to_string).collect(),
            system: false,
        }
    }
}

impl From<&NodeTool> for Artifact {
    fn from(tool: &NodeTool) -> Self {
        Self {
            label: format!("{} {}", tool.name, tool.version),
            url: tool.url.clone(),
            integrity: tool.integrity,
            size: Some(tool.size),
            file: tool.filename.clone(),
            store_path: tool.store_path.clone(),
            requested_by: Vec::new(),
            system: false,
        }
    }
}

impl Artifact {
    /// A tool of the forge's own, which stays in its cache.
    #[must_use]
    pub fn of_tool(url: &ArtifactUrl, sha256: Sha256, size: Option<u64>) -> Self {
        let name = StoreName::mapped(url.file_name());
        Self {
            label: url.file_name().to_owned(),
            url: url.to_string(),
            integrity: Integrity::Sha256(sha256),
            size,
            file: name.to_string(),
            store_path: StorePath::of_flat_file(&Integrity::Sha256(sha256), &name).to_string(),
            requested_by: Vec::new(),
            system: false,
        }
    }
}

/// The name part of a store path, `/nix/store/<32 digits>-<name>`.
fn file_of(store_path: &str) -> String {
    store_path.rsplit('/').next().and_then(|base| base.get(33..)).unwrap_or_default().to_owned()
}

/// Every download a Synthesis needs, each once, sorted by store path.
#[must_use]
pub fn artifacts(synthesis: &Synthesis) -> Vec<Artifact> {
    let wheels = synthesis
        .python_packages
        .iter()
        .chain(synthesis.build_environments.iter().flat_map(|environment| &environment.packages))
        .filter(|package| !package.bundled);
    // A tarball of a member's own tree is there already.
    let node = synthesis.node.iter().flat_map(|node| {
        let packages = node.packages.iter().filter(|package| !package.url.starts_with("file:"));
        let tools: Box<dyn Iterator<Item = &NodeTool>> = if node.assets.is_empty() {
            Box::new(std::iter::empty())
        } else {
            Box::new(node.runtimes.iter().chain([&node.npm]))
        };
        packages.map(Artifact::from).chain(tools.map(Artifact::from))
    });
    let system = synthesis.system_packages.iter().map(Artifact::from);
    let all = system.chain(wheels.map(Artifact::from)).chain(node);
    let unique: BTreeMap<String, Artifact> =
        all.map(|artifact| (artifact.store_path.clone(), artifact)).collect();
    unique.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_name_is_cut_from_the_path() {
        assert_eq!(file_of("/nix/store/3fhdhfqli6qm669f7sz8d8v6xz24zrqc-hello.whl"), "hello.whl");
        assert_eq!(file_of("/nix/store/x"), "");
    }
}
