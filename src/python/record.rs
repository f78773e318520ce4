//! What the Synthesis records of Python packages.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    artifact::Artifact,
    digest::Integrity,
    digest::Sha256,
    name::{MemberId, PackageName},
};

/// [`PythonPackage::kind`] of a wheel.
pub const WHEEL: &str = "wheel";
/// [`PythonPackage::kind`] of a source archive.
pub const SDIST: &str = "sdist";
/// [`PythonPackage::kind`] of a source tree out of a git repository.
pub const GIT: &str = "git";

/// One package of the environment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PythonPackage {
    /// Normalised name.
    pub name: PackageName,
    /// Version as locked.
    pub version: String,
    /// Package URL, `pkg:pypi/<name>@<version>`.
    pub purl: String,
    /// [`WHEEL`], [`SDIST`] or [`GIT`].
    pub kind: &'static str,
    /// Where the lock says it is: an https URL; `member:<path>` for a file of a member's tree;
    /// `git+https://…@<revision>` for a source tree.
    pub url: String,
    /// File name, percent-decoded; the directory's name for a source tree.
    pub filename: String,
    /// Its sha256; that of the Nix archive for a source tree.
    pub sha256: Sha256,
    /// The same as SRI.
    pub sri: String,
    /// Bytes, when the lock says.
    pub size: Option<u64>,
    /// Store path of the downloaded file.
    pub store_path: String,
    /// Members that reach it.
    pub requested_by: BTreeSet<MemberId>,
    /// Names it depends on in this environment.
    pub dependencies: BTreeSet<PackageName>,
    /// Always false for wheels: the lock has the hash.
    pub completed: bool,
    /// Whether its bytes lie in the flake, so that nothing is downloaded.
    pub bundled: bool,
    /// How it becomes a wheel; `None` for one that is a wheel.
    pub build: Option<SourceBuild>,
}

/// How a source archive or tree is built.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SourceBuild {
    /// [`BuildEnvironment::id`] it is built in.
    pub environment: String,
    /// Its PEP 517 backend.
    pub backend: BuildBackend,
    /// Directory inside the source that is the project.
    pub subdirectory: Option<String>,
    /// Whether it has the compiler of the substrate.
    pub native: bool,
}

/// A locked build system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BuildEnvironment {
    /// First 16 hex digits of the sha256 of the sorted requirements.
    pub id: String,
    /// The `[build-system] requires` it answers, sorted.
    pub requires: Vec<String>,
    /// Its wheels, by name.
    pub packages: Vec<PythonPackage>,
}

/// A PEP 517 backend.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct BuildBackend {
    /// Import path of the backend object, e.g. `flit_core.buildapi`.
    pub object: String,
    /// Directories of the source tree put on `sys.path` first.
    pub path: Vec<String>,
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

/// The name part of a store path, `/nix/store/<32 digits>-<name>`.
fn file_of(store_path: &str) -> String {
    store_path.rsplit('/').next().and_then(|base| base.get(33..)).unwrap_or_default().to_owned()
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
