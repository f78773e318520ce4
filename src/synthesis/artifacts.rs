//! The files a Synthesis is made of, and those it is locked with, as something to download.

use std::collections::BTreeMap;

use super::Synthesis;
use crate::{
    artifact::Artifact,
    diagnostic::Failure,
    npm::record::NodePackage,
    python::PythonPackage,
    tools::{NodeTool, node, uv},
};

/// Every download a Synthesis needs, each once, sorted by store path.
#[must_use]
pub fn artifacts(synthesis: &Synthesis) -> Vec<Artifact> {
    let wheels = synthesis
        .python_packages
        .iter()
        .chain(synthesis.build_environments.iter().flat_map(|environment| &environment.packages))
        .filter_map(PythonPackage::download);
    let node = synthesis.node.iter().flat_map(|node| {
        let packages = node.packages.iter().filter_map(NodePackage::artifact);
        let tools: Box<dyn Iterator<Item = &NodeTool>> = if node.assets.is_empty() {
            Box::new(std::iter::empty())
        } else {
            Box::new(node.runtimes.iter().chain([&node.npm]))
        };
        packages.chain(tools.map(Artifact::from))
    });
    let system = synthesis.system_packages.iter().map(Artifact::from);
    let all = system.chain(wheels).chain(node);
    let unique: BTreeMap<String, Artifact> =
        all.map(|artifact| (artifact.store_path.to_string(), artifact)).collect();
    unique.into_values().collect()
}

/// What the forge itself is run with to lock a Synthesis on a host of its platform, besides Debian packages of the
/// Synthesis: uv, and with an npm side Node and npm. Some may be artifacts of the Synthesis as well.
///
/// # Errors
/// Never: the pins are constants that tests parse.
pub fn tool_downloads(synthesis: &Synthesis) -> Result<Vec<Artifact>, Failure> {
    let mut all = vec![uv::artifact(synthesis.platform)?];
    if let Some(side) = &synthesis.node {
        all.push(Artifact::from(&side.npm));
        all.extend(side.runtimes.iter().map(Artifact::from));
        // Where nothing is built, npm runs on the newest.
        if let (true, Some(pin)) = (side.runtimes.is_empty(), node::choose(None)) {
            all.push(Artifact::from(&pin.tool(synthesis.platform)?));
        }
    }
    Ok(all)
}
