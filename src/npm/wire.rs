//! The npm side as the Synthesis writes it: what follows from other fields is written out beside them, for readers
//! that know no store paths and no package URLs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::record::{Asset, NodeBundled, NodeEnvironment, NodeLink, NodePackage};
use crate::{
    digest::{self, Integrity},
    name::{
        MemberId,
        npm::{NpmName, NpmScript},
    },
    tools::NodeTool,
};

/// The lists beside the other lists of the Synthesis: always there, empty without an environment.
#[derive(Serialize)]
struct Lists<'a> {
    node_packages: Vec<Package<'a>>,
    node_bundled: &'a [NodeBundled],
    node_links: &'a [NodeLink],
    assets: Vec<FrontEnd<'a>>,
    node_tools: Vec<&'a NodeTool>,
}

#[derive(Serialize)]
struct Package<'a> {
    name: &'a NpmName,
    version: &'a str,
    purl: String,
    kind: &'static str,
    url: String,
    filename: &'a str,
    #[serde(flatten, serialize_with = "digest::serialize::integrity")]
    integrity: Integrity,
    /// npm's locks do not say.
    size: Option<u64>,
    store_path: String,
    requested_by: &'a BTreeSet<MemberId>,
    dependencies: &'a BTreeSet<NpmName>,
    completed: bool,
    places: &'a BTreeSet<String>,
    bin: &'a BTreeMap<String, String>,
    scripts: bool,
}

#[derive(Serialize)]
struct FrontEnd<'a> {
    member: &'a MemberId,
    member_directory: String,
    source: String,
    directory: String,
    script: &'a NpmScript,
    output: &'a str,
    node: &'a str,
    reads: &'a BTreeSet<MemberId>,
}

impl<'a> From<&'a NodePackage> for Package<'a> {
    fn from(package: &'a NodePackage) -> Self {
        Self {
            name: &package.name,
            version: &package.version,
            purl: package.name.purl(&package.version),
            kind: "npm",
            url: package.source.to_string(),
            filename: package.filename.as_str(),
            integrity: package.integrity,
            size: None,
            store_path: package.store_path().to_string(),
            requested_by: &package.requested_by,
            dependencies: &package.dependencies,
            completed: package.completed,
            places: &package.places,
            bin: &package.bin,
            scripts: package.scripts,
        }
    }
}

impl<'a> From<&'a Asset> for FrontEnd<'a> {
    fn from(asset: &'a Asset) -> Self {
        Self {
            member: &asset.member,
            member_directory: asset.member.directory(),
            source: asset.source.to_string(),
            directory: asset.directory(),
            script: &asset.script,
            output: asset.output.as_str(),
            node: &asset.node,
            reads: &asset.reads,
        }
    }
}

/// The npm side among the other fields of the Synthesis, for serde's `serialize_with`.
///
/// # Errors
/// Those of the serializer.
pub fn flattened<S: Serializer>(
    environment: &Option<NodeEnvironment>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let all = environment.as_ref();
    Lists {
        node_packages: all.iter().flat_map(|all| &all.packages).map(Package::from).collect(),
        node_bundled: all.map_or(&[], |all| &all.bundled),
        node_links: all.map_or(&[], |all| &all.links),
        assets: all.iter().flat_map(|all| &all.assets).map(FrontEnd::from).collect(),
        node_tools: all.iter().flat_map(|all| all.runtimes.iter().chain([&all.npm])).collect(),
    }
    .serialize(serializer)
}
