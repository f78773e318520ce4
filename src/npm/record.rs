//! The npm side of the Synthesis: one workspace of all members that have a `package.json`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;

use crate::{
    artifact::Artifact,
    crypt::AssetSource,
    digest::{
        Integrity,
        store_path::{StoreName, StorePath},
    },
    name::{
        MemberId,
        npm::{NpmName, NpmScript},
        url::ArtifactUrl,
    },
    tools::NodeTool,
    tree::RelativePath,
};

/// What `npm ci` would install for all members together, and what is built with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeEnvironment {
    /// Tarballs, by name and version.
    pub packages: Vec<NodePackage>,
    /// Packages that lie inside another's tarball, by place; only those with commands, since nothing else is to
    /// be done for them.
    pub bundled: Vec<NodeBundled>,
    /// Links to the members' own packages, by place.
    pub links: Vec<NodeLink>,
    /// The members' front ends.
    pub assets: Vec<Asset>,
    /// The Nodes that they are built with, by version.
    pub runtimes: Vec<NodeTool>,
    /// The npm that locked it, and that runs the scripts.
    pub npm: NodeTool,
}

/// Where a tarball is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TarballSource {
    /// At its public address.
    Registry(ArtifactUrl),
    /// In a member's own tree: its path below the workspace's root.
    Member(RelativePath),
}

impl fmt::Display for TarballSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(url) => url.fmt(formatter),
            Self::Member(path) => write!(formatter, "file:{path}"),
        }
    }
}

/// One npm tarball.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePackage {
    /// Its name in the registry; a place may call it otherwise (an alias).
    pub name: NpmName,
    /// Version as locked.
    pub version: String,
    /// Where it is.
    pub source: TarballSource,
    /// Its file name in the store.
    pub filename: StoreName,
    /// Its hash: sha256 or sha512.
    pub integrity: Integrity,
    /// Members that reach it.
    pub requested_by: BTreeSet<MemberId>,
    /// Names it depends on, as its manifest spells them, so far as they are installed.
    pub dependencies: BTreeSet<NpmName>,
    /// Whether the registry supplied the hash, because the lock lacked it.
    pub completed: bool,
    /// Where it is unpacked, below the workspace's root: `node_modules/a/node_modules/@b/c`.
    pub places: BTreeSet<String>,
    /// Commands: name to path in the package, without `./`.
    pub bin: BTreeMap<String, String>,
    /// Whether its install scripts run: it has some, and the policy names it.
    pub scripts: bool,
}

/// A package inside another's tarball.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeBundled {
    /// Where it lies, below the workspace's root.
    pub place: String,
    /// Its commands: name to path in the package.
    pub bin: BTreeMap<String, String>,
}

/// A member's own package, as other packages find it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeLink {
    /// `node_modules/<name>`, below the workspace's root.
    pub place: String,
    /// Directory below the workspace's root, such as `extensions/altar/web`.
    pub target: String,
    /// The member.
    pub member: MemberId,
    /// Its commands: name to path in the package.
    pub bin: BTreeMap<String, String>,
}

/// A front end to build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Whose it is.
    pub member: MemberId,
    /// The directory with `package.json`, below the member's root.
    pub source: AssetSource,
    /// The script that npm runs there.
    pub script: NpmScript,
    /// What it writes, below the member's root.
    pub output: RelativePath,
    /// Version of one of [`NodeEnvironment::runtimes`].
    pub node: String,
    /// The other members whose trees it reads: each makes it anew when it changes.
    pub reads: BTreeSet<MemberId>,
}

impl Asset {
    /// The directory with `package.json`, below the workspace's root: `extensions/altar/web`.
    #[must_use]
    pub fn directory(&self) -> String {
        let member = self.member.directory();
        self.source.directory().map_or_else(|| member.clone(), |below| format!("{member}/{below}"))
    }
}

impl NodePackage {
    /// Store path of the tarball.
    #[must_use]
    pub fn store_path(&self) -> StorePath {
        StorePath::of_flat_file(&self.integrity, &self.filename)
    }

    /// What is to be downloaded for it; nothing for a tarball of a member's own tree.
    #[must_use]
    pub fn artifact(&self) -> Option<Artifact> {
        let TarballSource::Registry(url) = &self.source else { return None };
        Some(Artifact {
            label: format!("{} {}", self.name, self.version),
            url: url.to_string(),
            integrity: self.integrity,
            size: None,
            store_path: self.store_path(),
            requested_by: self.requested_by.clone(),
            system: false,
        })
    }
}
