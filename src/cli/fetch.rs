//! `fetch`: every artifact into the store, or into a folder.

use std::path::PathBuf;

use super::{
    lock_args::LockArgs,
    outcome::Outcome,
    settings::{Settings, absolute},
    store_args::StoreArgs,
    ui::Ui,
};
use crate::{
    diagnostic::Failure,
    forge::{self, executor::Wanted},
    report, synthesis,
};

const EXAMPLES: &str = "\
Examples:
  lychd-forge fetch                    # `forge --offline` needs no network after it
  lychd-forge fetch --to /media/stick  # for a host that has none; copy Codex and Crypt as well
  lychd-forge forge --from /media/stick --locked  # there";

/// Synthesize, and bring every download into the Nix store
///
/// Downloads in parallel, mirror by mirror, resumes what broke off and checks every hash. `forge` does
/// it as well; alone it prepares a build without network: on this host (`forge --offline`), or with `--to`
/// on another.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    lock: LockArgs,
    #[command(flatten)]
    store: StoreArgs,
    /// Put every download into this folder instead, for a host without a network (`--from` there)
    #[arg(long, value_name = "DIR", conflicts_with_all = ["from", "nix_store"])]
    to: Option<PathBuf>,
}

pub(super) fn run(args: &Args, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    if let Some(told) = args.lock.trial(settings, ui)? {
        return Ok(told);
    }
    let prepared = forge::prepare(&args.lock.preparation(settings)?, ui)?;
    let synthesis_sha256 = prepared.id;
    if let Some(folder) = &args.to {
        let directory = absolute(folder)?;
        let written = prepared.fetch_to(&directory, ui)?;
        let (artifacts, size, moved, notes) =
            (written.artifacts, written.size, prepared.moved, prepared.notes);
        ui.report(&report::Fetch::Folder { synthesis_sha256, artifacts, size, directory, moved, notes })?;
        return Ok(Outcome::Done);
    }
    let executor = forge::executor(&Wanted { store: args.store.store()?, builders: None })?;
    let fetched = prepared.fetch(executor.as_ref(), ui)?;
    let artifacts = synthesis::artifacts(&prepared.synthesis).len();
    let (moved, notes) = (prepared.moved, prepared.notes);
    ui.report(&report::Fetch::Store { synthesis_sha256, artifacts, fetched, moved, notes })?;
    Ok(Outcome::Done)
}
