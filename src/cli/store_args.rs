//! Options of every verb that uses a Nix store.

use std::path::PathBuf;

use clap::Args;

use super::settings::absolute;
use crate::diagnostic::Failure;

#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    /// Use the Nix store below this directory instead of /nix (Nix's --store); it may be new
    #[arg(long, value_name = "DIR")]
    nix_store: Option<PathBuf>,
}

impl StoreArgs {
    /// The store of its own, when one is wanted.
    pub(super) fn store(&self) -> Result<Option<PathBuf>, Failure> {
        self.nix_store.as_deref().map(absolute).transpose()
    }
}
