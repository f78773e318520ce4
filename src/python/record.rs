//! What the Synthesis records of Python packages.

mod wire;

use std::collections::BTreeSet;

use serde::Serialize;

use super::sources::git::Revision;
use crate::{
    artifact::Artifact,
    digest::{
        Integrity, Sha256,
        store_path::{StoreName, StorePath},
    },
    name::{MemberId, PackageName, derivation, purl::percent_encoded, url::ArtifactUrl},
    tree::RelativePath,
};

/// One package of the environment. What its record has besides (`kind`, `url`, `store_path` and more, see
/// `docs/formats.md`) follows from these values and is computed when it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PythonPackage {
    /// Normalised name.
    pub name: PackageName,
    /// Version as locked.
    pub version: String,
    /// What it is and where its bytes are.
    pub source: PackageSource,
    /// sha256 of the file; that of the Nix archive for a source tree.
    pub sha256: Sha256,
    /// Members that reach it.
    pub requested_by: BTreeSet<MemberId>,
    /// Names it depends on in this environment.
    pub dependencies: BTreeSet<PackageName>,
}

/// What a package is: a wheel, or something that is built into one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PackageSource {
    /// A wheel, installed as it is.
    Wheel(File),
    /// A source archive.
    Sdist {
        /// The archive.
        file: File,
        /// How it becomes a wheel.
        build: SourceBuild,
    },
    /// A source tree out of a git repository. Its bytes lie in the flake, so that nothing is downloaded.
    Git {
        /// The repository.
        url: ArtifactUrl,
        /// The commit.
        revision: Revision,
        /// How it becomes a wheel.
        build: SourceBuild,
    },
}

/// A file of a package. Its size is known: layers are planned by it, and a lock need not say it. In an environment as
/// the lock has it, `Size` is an [`Option`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct File<Size = u64> {
    /// Where it is.
    pub place: Place,
    /// Its name, percent-decoded.
    pub name: String,
    /// Bytes.
    pub size: Size,
    /// What its package URL says of where it is from.
    pub origin: Origin,
}

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// On an allowed host.
    Download(ArtifactUrl),
    /// In a member's tree, by its path in the federation; its bytes lie in the flake. In an environment as the lock
    /// has it the path is relative to the lock.
    Member(RelativePath),
}

/// Where a package is from, for its package URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The public index, which a package URL does not name; or a member's own file, which it cannot.
    Unnamed,
    /// Another index.
    Index(String),
    /// An address of its own.
    Url(String),
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

impl PackageSource {
    /// The file; `None` for a source tree.
    #[must_use]
    pub const fn file(&self) -> Option<&File> {
        match self {
            Self::Wheel(file) | Self::Sdist { file, .. } => Some(file),
            Self::Git { .. } => None,
        }
    }

    /// How it becomes a wheel; `None` for one that is a wheel.
    #[must_use]
    pub const fn build(&self) -> Option<&SourceBuild> {
        match self {
            Self::Wheel(_) => None,
            Self::Sdist { build, .. } | Self::Git { build, .. } => Some(build),
        }
    }

    /// Where it is downloaded from; `None` when its bytes lie in the flake.
    #[must_use]
    pub const fn address(&self) -> Option<&ArtifactUrl> {
        match self {
            Self::Wheel(File { place: Place::Download(url), .. })
            | Self::Sdist { file: File { place: Place::Download(url), .. }, .. } => Some(url),
            Self::Wheel(_) | Self::Sdist { .. } | Self::Git { .. } => None,
        }
    }
}

impl<Size> File<Size> {
    /// The same file with its size.
    #[must_use]
    pub fn of_size(self, size: u64) -> File {
        let Self { place, name, size: _, origin } = self;
        File { place, name, size, origin }
    }

    /// Its name in the store.
    #[must_use]
    pub fn store_name(&self) -> StoreName {
        StoreName::mapped(&self.name)
    }
}

impl<Size: Copy + Into<Option<u64>>> File<Size> {
    /// What is downloaded of it, with its hash and for these members; `None` for a file of a member. `label` is what
    /// a person calls it.
    #[must_use]
    pub fn download(
        &self,
        label: String,
        sha256: Sha256,
        requested_by: BTreeSet<MemberId>,
    ) -> Option<Artifact> {
        let Place::Download(url) = &self.place else { return None };
        let integrity = Integrity::Sha256(sha256);
        Some(Artifact {
            label,
            url: url.to_string(),
            integrity,
            size: self.size.into(),
            store_path: StorePath::of_flat_file(&integrity, &self.store_name()),
            requested_by,
            system: false,
        })
    }
}

impl PythonPackage {
    /// What is downloaded for it; `None` when its bytes lie in the flake.
    #[must_use]
    pub fn download(&self) -> Option<Artifact> {
        let label = format!("{} {}", self.name, self.version);
        self.source.file()?.download(label, self.sha256, self.requested_by.clone())
    }

    /// Bytes of its file; `None` for a source tree.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        Some(self.source.file()?.size)
    }

    /// Its package URL, `pkg:pypi/<name>@<version>`, with where it is from when that is not the public index.
    #[must_use]
    pub fn purl(&self) -> String {
        let (name, version) = (&self.name, &self.version);
        let qualifier = match &self.source {
            // The version of a tree is its manifest's own and stands as it is.
            PackageSource::Git { url, revision, .. } => {
                let address = percent_encoded(&git_address(url, revision));
                return format!("pkg:pypi/{name}@{version}?vcs_url={address}");
            }
            PackageSource::Wheel(file) | PackageSource::Sdist { file, .. } => match &file.origin {
                Origin::Unnamed => String::new(),
                Origin::Index(index) => format!("?repository_url={}", percent_encoded(index)),
                Origin::Url(url) => format!("?download_url={}", percent_encoded(url)),
            },
        };
        format!("pkg:pypi/{name}@{}{qualifier}", percent_encoded(version))
    }

    /// Where its bytes lie in the store.
    #[must_use]
    pub fn store_path(&self) -> StorePath {
        match &self.source {
            PackageSource::Wheel(file) | PackageSource::Sdist { file, .. } => {
                StorePath::of_flat_file(&Integrity::Sha256(self.sha256), &file.store_name())
            }
            PackageSource::Git { .. } => StorePath::of_source(&self.sha256, &self.tree_name()),
        }
    }

    /// What a source tree is called in the store.
    fn tree_name(&self) -> StoreName {
        derivation::source(&self.name)
    }
}

/// A source tree's address as pip writes it.
fn git_address(url: &ArtifactUrl, revision: &Revision) -> String {
    format!("git+{url}@{revision}")
}
