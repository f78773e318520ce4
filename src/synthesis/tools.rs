//! The forge's own resolver: uv from its pinned wheel and a Python from pinned Debian packages, both in the
//! forge's cache. Neither is ever the host's.

pub mod deb;
pub mod node;
pub mod python;
mod tarball;
pub mod uv;

use std::path::{Path, PathBuf};

use super::{Artifact, Synthesis};
use crate::{
    diagnostic::Failure,
    digest::Sha256,
    name::{Platform, url::ArtifactUrl},
};

/// Brings a file of known content into the cache and says where it is: URL, sha256, size in bytes.
pub type Fetch<'a> = &'a dyn Fn(&ArtifactUrl, &Sha256, Option<u64>) -> Result<PathBuf, Failure>;

/// The resolver, ready to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    /// The `uv` binary.
    pub uv: PathBuf,
    /// A Python that uv may ask for its markers, and that no build can start.
    pub python: PathBuf,
}

/// What the forge itself is run with to lock a Synthesis on a host of its platform, besides Debian packages of the
/// Synthesis: uv, and with an npm side Node and npm. Some may be artifacts of the Synthesis as well.
///
/// # Errors
/// Never: the pins are constants that tests parse.
pub fn downloads(synthesis: &Synthesis) -> Result<Vec<Artifact>, Failure> {
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

/// Installs both below `<cache>/tools`, unless they are there.
///
/// # Errors
/// Whatever `fetch` says; refused when an archive is not what it should be; unable when the cache
/// cannot be written.
pub fn install(cache: &Path, host: Platform, debs: &[deb::Deb], fetch: Fetch<'_>) -> Result<Tools, Failure> {
    Ok(Tools { uv: uv::install(cache, host, fetch)?, python: python::install(cache, debs)? })
}
