//! What a resolution does beyond its values.

use std::path::Path;

use super::Bring;
use crate::host::{http::Client, progress::Progress};

/// The effects that a resolution needs, as values of the caller.
pub struct Effects<'a> {
    /// Where relative paths of the configuration start.
    pub codex_directory: &'a Path,
    /// Tools, indexes and uv's own cache: safe to delete.
    pub cache: &'a Path,
    /// `None` when the network must not be used.
    pub client: Option<&'a Client>,
    /// Downloads what the tools are made of.
    pub bring: Bring<'a>,
    /// Seconds since 1970, for the validity of signed indexes.
    pub now: u64,
    /// Where progress goes.
    pub progress: &'a dyn Progress,
}
