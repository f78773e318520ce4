//! Options of every verb that synthesizes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{
    outcome::Outcome,
    settings::{Settings, absolute},
    trial,
    ui::Ui,
};
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
    /// Only tell what would move in the locks, and write nothing; exit code 1 when something would
    #[arg(long, conflicts_with = "locked")]
    dry_run: bool,
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
            is_trial: self.dry_run,
        })
    }

    /// Tells what would move, where no more than that is asked for.
    pub(super) fn trial(&self, settings: &Settings, ui: &Ui) -> Result<Option<Outcome>, Failure> {
        if !self.dry_run {
            return Ok(None);
        }
        trial::told(&self.preparation(settings)?, ui).map(Some)
    }

    /// All pins move, and it is only told how.
    pub(super) fn outdated() -> Self {
        let update = vec![Update::Uv, Update::Npm, Update::System, Update::Federation];
        Self { locked: false, update, dry_run: true, from: None }
    }
}
