//! `synthesize`: merge and lock.

use super::{lock_args::LockArgs, outcome::Outcome, settings::Settings, ui::Ui};
use crate::{
    diagnostic::Failure,
    forge,
    report::{self, Contents},
};

const EXAMPLES: &str = "\
Examples:
  lychd-forge synthesize                  # lock what is new, keep every pin
  lychd-forge synthesize --locked         # only check, as CI does
  lychd-forge synthesize --update         # move all pins to the newest
  lychd-forge synthesize --update system  # move Debian's alone
  lychd-forge synthesize --json           # the synthesis id, for scripts";

/// Merge and lock all manifests into one Synthesis
///
/// Every pin of an existing lock is kept; a changed manifest re-locks as little as it can and says
/// what moved. The locks are written into the Crypt (synthesis/), for version control. Manifests that
/// disagree are told apart with file, line and who asked, and nothing is written.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    lock: LockArgs,
}

pub(super) fn run(args: &Args, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    if let Some(told) = args.lock.trial(settings, ui)? {
        return Ok(told);
    }
    let prepared = forge::prepare(&args.lock.preparation(settings)?, ui)?;
    ui.report(&report::Synthesize {
        synthesis_sha256: prepared.id,
        contents: Contents::of(&prepared.synthesis),
        moved: prepared.moved,
        notes: prepared.notes,
    })?;
    Ok(Outcome::Done)
}
