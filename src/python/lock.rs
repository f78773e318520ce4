//! `uv.lock`, version 1, any revision: the typed value of the lock that uv wrote.
//!
//! The format has no specification besides uv itself; what is here follows uv's reader (the `uv-resolver`
//! crate) and is held against uv by `tests/it/uv_corpus.rs`. Reading is tolerant where uv is (unknown keys
//! and newer revisions become [`UvLock::notes`]) and strict where trust begins: an unknown version or kind of
//! source, two packages with one id, an edge to nowhere and a file that belongs to another package are refused.
//! Hashes and URLs are only judged for what is chosen, so that a wheel nobody installs breaks nothing.

mod edges;
mod entry;
mod fields;
mod join;
pub(crate) mod outline;
mod package;
mod read;
mod source;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::Range,
};

use uv_distribution_filename::WheelFilename;
use uv_pep440::{Version, VersionSpecifiers};
use uv_pep508::MarkerTree;

use crate::{
    diagnostic::{Diagnostic, Place, Source as Text},
    digest::{DigestError, Integrity},
    name::{ExtraName, GroupName, PackageName},
};

/// The newest revision of version 1 this reader was written against; newer ones are noted, not refused.
pub const KNOWN_REVISION: u32 = 5;
/// The most bytes a lock may have.
pub const SIZE_LIMIT: usize = 64 << 20;
/// The most packages a lock may have.
pub const PACKAGE_LIMIT: usize = 50_000;

/// A whole lock.
#[derive(Clone, Debug)]
pub struct UvLock {
    text: Text,
    /// Revision of the format; 0 when absent.
    pub revision: u32,
    /// Pythons the lock was made for.
    pub requires_python: VersionSpecifiers,
    /// `resolution-markers`: the forks. Empty when there was one resolution for all.
    pub forks: Vec<MarkerTree>,
    /// `supported-markers`: the environments it may be used in, any of them. Empty for all.
    pub supported: Vec<MarkerTree>,
    /// `required-markers`: environments uv made sure of when it locked. They restrict nothing at installation.
    pub required: Vec<MarkerTree>,
    /// Sets of items of which at most one may be active.
    pub conflicts: Vec<BTreeSet<ConflictItem>>,
    /// What was locked besides packages' own requirements.
    pub manifest: Manifest,
    /// All entries, in the lock's order. [`PackageIndex`] points here.
    pub packages: Vec<Package>,
    /// What the reader did not know and ignored.
    pub notes: Vec<Diagnostic>,
}

/// Position in [`UvLock::packages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageIndex(pub(crate) usize);

/// An extra, a group, or the production dependencies of a package, in a set of conflicts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConflictItem {
    /// The package.
    pub package: PackageName,
    /// What of it.
    pub kind: ConflictKind,
}

/// What part of a package conflicts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConflictKind {
    /// Its production dependencies.
    Project,
    /// An extra.
    Extra(ExtraName),
    /// A dependency group.
    Group(GroupName),
}

/// `[manifest]`: members of the workspace, and requirements that belong to no package.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    /// Members of the workspace; empty for a project without a workspace.
    pub members: BTreeSet<PackageName>,
    /// Requirements of a script.
    pub requirements: Vec<Requirement>,
    /// Dependency groups of a workspace root that is no project.
    pub groups: BTreeMap<GroupName, Vec<Requirement>>,
}

/// A requirement of the manifest.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// The package.
    pub name: PackageName,
    /// Extras asked for.
    pub extras: BTreeSet<ExtraName>,
    /// When it applies.
    pub marker: MarkerTree,
    /// Where it is written.
    pub span: Range<usize>,
}

/// What makes an entry unique.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageId {
    /// Normalised name.
    pub name: PackageName,
    /// Version; `None` for a source tree whose version is dynamic.
    pub version: Option<Version>,
    /// Where it comes from.
    pub source: Source,
}

/// Where an entry comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// An index, by URL, or a local find-links folder, by path.
    Registry(String),
    /// A git repository: the URL with the pinned commit as fragment.
    Git(String),
    /// An archive by URL, with the directory inside it.
    Url {
        /// Where the archive is.
        url: String,
        /// Directory inside it that is the project.
        subdirectory: Option<String>,
    },
    /// A local archive.
    Path(String),
    /// A local source tree.
    Directory(String),
    /// A local source tree, installed as editable.
    Editable(String),
    /// A local source tree that is not installed, only its dependencies.
    Virtual(String),
}

/// One `[[package]]`.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its id.
    pub id: PackageId,
    /// `resolution-markers`: the forks it lives in. Empty for all.
    pub forks: Vec<MarkerTree>,
    /// Production dependencies.
    pub dependencies: Vec<Dependency>,
    /// Dependencies by extra.
    pub optional: BTreeMap<ExtraName, Vec<Dependency>>,
    /// Dependencies by group.
    pub groups: BTreeMap<GroupName, Vec<Dependency>>,
    /// Extras it declares, empty ones too.
    pub provides_extras: BTreeSet<ExtraName>,
    /// Groups it declares, empty ones too.
    pub provides_groups: BTreeSet<GroupName>,
    /// Its wheels, in the lock's order.
    pub wheels: Vec<Wheel>,
    /// Its source archive.
    pub sdist: Option<Sdist>,
    /// The `name = …` line.
    pub span: Range<usize>,
    /// The `source = …` value.
    pub source_span: Range<usize>,
}

/// An edge of the lock, already joined to the entry it means.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// The entry.
    pub package: PackageIndex,
    /// Extras of it that the edge switches on.
    pub extras: BTreeSet<ExtraName>,
    /// When the edge is followed: PEP 508 and conflict clauses together, under the assumption that the
    /// package it starts from is installed and `requires-python` holds.
    pub marker: MarkerTree,
    /// Where it is written.
    pub span: Range<usize>,
}

/// One wheel file.
#[derive(Clone, Debug)]
pub struct Wheel {
    /// Where it is.
    pub location: WheelLocation,
    /// File name as it is on disk, not percent-encoded.
    pub file_name: String,
    /// The same, parsed.
    pub tags: WheelFilename,
    /// Its hash. `None`: the lock has none. An error: too weak, or no hash at all.
    pub hash: Option<Result<Integrity, DigestError>>,
    /// Bytes, when the lock says.
    pub size: Option<u64>,
    /// The entry in the lock.
    pub span: Range<usize>,
}

/// A source archive.
#[derive(Clone, Debug)]
pub struct Sdist {
    /// Where it is.
    pub location: WheelLocation,
    /// File name as it is on disk, not percent-encoded; `None` when it is no sound name of a file.
    pub file_name: Option<String>,
    /// Its hash, as for a wheel.
    pub hash: Option<Result<Integrity, DigestError>>,
    /// Bytes, when the lock says.
    pub size: Option<u64>,
    /// The entry in the lock.
    pub span: Range<usize>,
}

/// Where a wheel or a source archive is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WheelLocation {
    /// At a URL, not yet judged.
    Url(String),
    /// In a local folder (find-links), or the local file that the source names.
    Local(String),
}

/// A lock is its text; all else follows from it.
impl PartialEq for UvLock {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for UvLock {}

impl UvLock {
    /// The text it was read from.
    #[must_use]
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// A place in the lock.
    #[must_use]
    pub fn at(&self, span: &Range<usize>) -> Place {
        self.text.at(span.clone())
    }

    /// The entry at `index`.
    #[must_use]
    pub fn package(&self, index: PackageIndex) -> Option<&Package> {
        self.packages.get(index.0)
    }

    /// All entries with their indexes.
    pub fn entries(&self) -> impl Iterator<Item = (PackageIndex, &Package)> {
        self.packages.iter().enumerate().map(|(index, package)| (PackageIndex(index), package))
    }

    /// The workspace's members; for a project alone, that project.
    #[must_use]
    pub fn members(&self) -> BTreeSet<PackageName> {
        if !self.manifest.members.is_empty() {
            return self.manifest.members.clone();
        }
        let at_root = |package: &&Package| {
            matches!(&package.id.source,
                Source::Directory(path) | Source::Editable(path) | Source::Virtual(path) if path == ".")
        };
        self.packages.iter().filter(at_root).map(|package| package.id.name.clone()).collect()
    }
}

impl Source {
    /// Whether it is a source tree on this machine: a member or a path dependency.
    #[must_use]
    pub fn is_tree(&self) -> bool {
        matches!(self, Self::Directory(_) | Self::Editable(_) | Self::Virtual(_))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, what) = match self {
            Self::Registry(what) => ("registry", what),
            Self::Git(what) => ("git", what),
            Self::Url { url, .. } => ("url", url),
            Self::Path(what) => ("path", what),
            Self::Directory(what) => ("directory", what),
            Self::Editable(what) => ("editable", what),
            Self::Virtual(what) => ("virtual", what),
        };
        write!(formatter, "{kind} `{}`", what.escape_debug())
    }
}

impl fmt::Display for PackageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.name)?;
        match &self.version {
            Some(version) => write!(formatter, " {version}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ConflictItem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ConflictKind::Project => write!(formatter, "package `{}`", self.package),
            ConflictKind::Extra(extra) => write!(formatter, "extra `{}[{extra}]`", self.package),
            ConflictKind::Group(group) => write!(formatter, "group `{}:{group}`", self.package),
        }
    }
}
