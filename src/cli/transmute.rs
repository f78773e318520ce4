//! `transmute`: the Synthesis as a flake.

use std::path::PathBuf;

use super::{
    lock_args::LockArgs,
    outcome::Outcome,
    settings::{Settings, absolute},
    ui::Ui,
};
use crate::{
    diagnostic::Failure,
    forge,
    report::{self, ChangedFile},
    transmute,
};

const EXAMPLES: &str = "\
Examples:
  lychd-forge transmute --locked --out flake          # of the locks as they are
  lychd-forge transmute --locked --out flake --check  # is it up to date?
  nix build path:./flake#lychd-image                  # without the forge";

/// Synthesize, and write the Synthesis as a Nix flake
///
/// The flake stands alone: it carries the sources of all members and has no inputs, or with
/// `kind = "nixpkgs"` that one, pinned. A directory that holds what the forge did not write is refused.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    lock: LockArgs,
    /// Write the flake here [default: flake/ in the state directory]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Leave the flake alone; print a diff and exit 1 when it is not up to date. Locks are written all the same: `--locked` keeps them
    #[arg(long)]
    check: bool,
}

pub(super) fn run(args: &Args, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    if let Some(told) = args.lock.trial(settings, ui)? {
        return Ok(told);
    }
    let directory = match &args.out {
        Some(path) => absolute(path)?,
        None => settings.directories.flake(),
    };
    let prepared = forge::prepare(&args.lock.preparation(settings)?, ui)?;
    let flake = prepared.transmute()?;
    let changes = transmute::diff(&directory, &flake)?;
    if !args.check {
        transmute::write(&directory, &flake)?;
    }
    let equal = changes.is_empty();
    let differing = changes
        .into_iter()
        .map(|change| ChangedFile { path: change.path.to_string(), diff: args.check.then_some(change.text) });
    ui.report(&report::Transmute {
        directory,
        files: flake.len(),
        equal,
        written: !args.check,
        changed: differing.collect(),
        moved: prepared.moved,
        notes: prepared.notes,
    })?;
    Ok(if args.check && !equal { Outcome::Differs } else { Outcome::Done })
}
