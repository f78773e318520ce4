//! `gc`: what nothing that is kept needs goes.

use super::{outcome::Outcome, settings::Settings, ui::Ui, word};
use crate::{
    diagnostic::{Diagnostic, Failure},
    report,
    upkeep::gc::{Keep, Sweeping},
};

const EXAMPLES: &str = "\
Examples:
  lychd-forge gc --dry-run          # what would go
  lychd-forge gc                    # shows it, and asks
  lychd-forge gc --keep 1 --bodies 1 --confirm 1f0c7a…";

/// Remove generations, snapshots, bodies and images that nothing needs which is kept
///
/// Kept are the active generation, the last ones of the bodies that lived before it (--keep), all that came after the oldest of
/// those, and the newest bodies (--bodies); with the images, the records, the store paths and the snapshots that they need. A snapshot that
/// was taken by hand goes by hand. What goes is shown first, and wants a word to its hash: it is gone for good.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// How many bodies that lived, one after the other, can be gone back to, the active one among them
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    keep: u16,
    /// How many of the newest bodies stay, whether they ever lived or not
    #[arg(long, value_name = "M", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    bodies: u16,
    /// Show what would go and remove nothing
    #[arg(long)]
    dry_run: bool,
    /// Consent to what goes by its hash, or its first digits (twelve at least), instead of being asked
    #[arg(long, value_name = "HASH", conflicts_with = "dry_run")]
    confirm: Option<String>,
}

pub(super) fn run(args: &Args, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let keep = Keep { generations: args.keep.into(), bodies: args.bodies.into() };
    let sweeping = Sweeping::of(&settings.directories, keep, ui)?;
    if args.dry_run || sweeping.sweep.is_empty() {
        ui.report(&report::Gc::shown(&sweeping.sweep))?;
        return Ok(Outcome::Done);
    }
    let told = || Diagnostic::new("what goes is gone for good, which needs a human's word");
    let show = || ui.show(&report::Gc::asked(&sweeping.sweep));
    let again = format!("lychd-forge gc --keep {} --bodies {} --dry-run", args.keep, args.bodies);
    let asked = (args.confirm.as_deref(), again.as_str());
    let given = word::word(sweeping.sweep.candidate(), asked, ui, told, show)?;
    let (sweep, swept) = sweeping.carry_out(given, ui)?;
    ui.report(&report::Gc::done(&sweep, swept))?;
    Ok(Outcome::Done)
}
