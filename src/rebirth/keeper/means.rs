//! What a keeper works with.

use std::path::PathBuf;

use crate::{
    host::progress::Progress,
    rebirth::{services::Services, snapshots::Snapshots, soul::Server},
};

/// What a keeper works with.
pub(in crate::rebirth) struct Means<'a> {
    pub(in crate::rebirth) snapshots: Snapshots,
    pub(in crate::rebirth) server: Server<'a>,
    pub(in crate::rebirth) services: Services<'a>,
    /// The server's directory on the host.
    pub(in crate::rebirth) data: PathBuf,
    pub(in crate::rebirth) progress: &'a dyn Progress,
}
