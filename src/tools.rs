//! The forge's own resolver: uv from its pinned wheel and a Python from pinned Debian packages, both in the
//! forge's cache. Neither is ever the host's.

pub mod node;
pub mod python;
mod tool;
pub mod uv;

pub use self::{
    node::NodeTool,
    tool::{Fetch, Tool},
};

use std::path::{Path, PathBuf};

use crate::{archive::Deb, diagnostic::Failure, name::Platform};

/// The resolver, ready to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    /// The `uv` binary.
    pub uv: PathBuf,
    /// A Python that uv may ask for its markers, and that no build can start.
    pub python: PathBuf,
}

/// Installs both below `<cache>/tools`, unless they are there.
///
/// # Errors
/// Whatever `fetch` says; refused when an archive is not what it should be; unable when the cache
/// cannot be written.
pub fn install(cache: &Path, host: Platform, debs: &[Deb], fetch: Fetch<'_>) -> Result<Tools, Failure> {
    Ok(Tools { uv: uv::install(cache, host, fetch)?, python: python::install(cache, debs)? })
}
