//! Options of every verb that synthesizes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::settings::{Settings, absolute};
use crate::{
    diagnostic::Failure,
    forge::{Pins, Preparation},
};

/// What may be moved away from its pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Update {
    /// Python packages
    Uv,
    /// npm packages
    Npm,
    /// Debian packages
    System,
    /// lychd.lock: where the repositories of the federation are
    Federation,
}

#[derive(Debug, Args)]
pub(super) struct LockArgs {
    /// Leave the locks alone: manifests that do not fit them are an error (exit 1)
    #[arg(long, conflicts_with = "update")]
    locked: bool,
    /// Move pins to the newest versions allowed: all, or those of one kind
    #[arg(long, value_enum, value_name = "WHAT", num_args = 0..=1, value_delimiter = ',', default_missing_value = "uv,npm,system,federation")]
    update: Vec<Update>,
    /// Take every download from this folder, which `fetch --to` made, and use no network; the locks must be there
    #[arg(long, value_name = "DIR", conflicts_with = "update")]
    from: Option<PathBuf>,
}

impl LockArgs {
    /// What is to be prepared.
    pub(super) fn preparation(&self, settings: &Settings) -> Result<Preparation, Failure> {
        let moves = |what| self.update.contains(&what);
        // `--update federation` asks for nothing yet: `lychd.lock` follows the repositories as they are.
        let (python, npm, system) = (moves(Update::Uv), moves(Update::Npm), moves(Update::System));
        Ok(Preparation {
            directories: settings.directories.clone(),
            network: settings.network,
            pins: if self.locked { Pins::Locked } else { Pins::Kept { python, npm, system } },
            from: self.from.as_deref().map(absolute).transpose()?,
        })
    }
}
