//! The npm side of the Synthesis: one workspace of all members that have a `package.json`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use crate::{
    artifact::Artifact,
    digest,
    digest::{
        Integrity,
        store_path::{StoreName, StorePath},
    },
    name::{
        MemberId,
        npm::{NpmName, NpmScript},
    },
    tools::NodeTool,
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

/// One npm tarball.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodePackage {
    /// Its name in the registry; a place may call it otherwise (an alias).
    pub name: NpmName,
    /// Version as locked.
    pub version: String,
    /// Package URL, `pkg:npm/%40scope/name@1.2.3`.
    pub purl: String,
    /// Always `npm`.
    pub kind: &'static str,
    /// Its public address.
    pub url: String,
    /// Its file name in the store.
    pub filename: String,
    /// Its hash: sha256 or sha512. Serialised as `sha256` or `sha512` in hex, beside `sri`.
    #[serde(flatten, serialize_with = "digest::serialize::integrity")]
    pub integrity: Integrity,
    /// Bytes; npm's locks do not say.
    pub size: Option<u64>,
    /// Store path of the downloaded file.
    pub store_path: String,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asset {
    /// Whose it is.
    pub member: MemberId,
    /// The member's root, below the workspace's: `extensions/altar`.
    pub member_directory: String,
    /// The directory with `package.json`, below the member's root; `.` for the root.
    pub source: String,
    /// The same below the workspace's root: `extensions/altar/web`.
    pub directory: String,
    /// The script that npm runs there.
    pub script: NpmScript,
    /// What it writes, below the member's root.
    pub output: String,
    /// Version of one of [`NodeEnvironment::runtimes`].
    pub node: String,
}

/// `node_packages` and so on beside the other lists of the Synthesis: always there, empty without an environment.
#[derive(Serialize)]
struct Wire<'a> {
    node_packages: &'a [NodePackage],
    node_bundled: &'a [NodeBundled],
    node_links: &'a [NodeLink],
    assets: &'a [Asset],
    node_tools: Vec<&'a NodeTool>,
}

/// For serde's `serialize_with`.
///
/// # Errors
/// Those of the serializer.
pub fn flat<S: Serializer>(environment: &Option<NodeEnvironment>, serializer: S) -> Result<S::Ok, S::Error> {
    let environment = environment.as_ref();
    Wire {
        node_packages: environment.map_or(&[], |all| &all.packages),
        node_bundled: environment.map_or(&[], |all| &all.bundled),
        node_links: environment.map_or(&[], |all| &all.links),
        assets: environment.map_or(&[], |all| &all.assets),
        node_tools: environment.map_or_else(Vec::new, |all| all.runtimes.iter().chain([&all.npm]).collect()),
    }
    .serialize(serializer)
}

impl From<&NodePackage> for Artifact {
    fn from(package: &NodePackage) -> Self {
        Self {
            label: format!("{} {}", package.name, package.version),
            url: package.url.clone(),
            integrity: package.integrity,
            size: package.size,
            store_path: StorePath::of_flat_file(&package.integrity, &StoreName::mapped(&package.filename)),
            requested_by: package.requested_by.clone(),
            system: false,
        }
    }
}
