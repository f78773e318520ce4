//! `snapshots`: what the databases were.

use super::{consent, outcome::Outcome, settings::Settings, ui::Ui};
use crate::{
    diagnostic::Failure,
    rebirth::{
        past::{self, Past},
        snapshots::Snapshots,
    },
    report,
};

const EXAMPLES: &str = "\
Examples:
  lychd-forge snapshots                       # what is kept
  lychd-forge snapshots take                  # before something risky; nothing stops
  lychd-forge snapshots restore 3             # asks; what the databases hold now is kept first";

/// List, take and give back snapshots of the databases
///
/// A snapshot has every database of the server, written by its own tools. `rebirth` takes one before a migration
/// runs, and keeps what a failed body wrote. Each lies in snapshots/N/ of the state directory, for the user alone:
/// snapshot.json says what it is of, and N.dump is what `pg_restore` reads.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List them, the oldest first
    List,
    /// Take one; the organism goes on meanwhile
    Take,
    /// Give the databases their past back; what they hold now is kept as another snapshot
    ///
    /// It has to be of the schema that the active generation has: `rebirth --rollback` brings a past body as well.
    Restore {
        /// Its number
        #[arg(value_name = "N")]
        number: u64,
        /// Consent to the snapshot of this hash instead of being asked
        #[arg(long, value_name = "HASH")]
        confirm: Option<String>,
    },
    /// Say how the Crypt comes to lie on btrfs, where the databases are kept in an instant
    Ascension,
    /// Remove one for good
    Remove {
        /// Its number
        #[arg(value_name = "N")]
        number: u64,
    },
}

pub(super) fn run(args: &Args, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let directories = &settings.directories;
    let snapshots = Snapshots::of_state(&directories.state);
    match &args.verb {
        None | Some(Verb::List) => {
            ui.report(&report::Snapshots::of(&snapshots.list()?))?;
            if !past::crypt(directories)?.is_immortal {
                ui.say("on btrfs the databases are kept in an instant: `lychd-forge snapshots ascension` says how");
            }
        }
        Some(Verb::Take) => {
            let taken = Past::of(directories, ui)?.take(ui)?;
            ui.report(&report::Snapshots::of(&[taken]))?;
        }
        Some(Verb::Restore { number, confirm }) => {
            let past = Past::of(directories, ui)?;
            let snapshot = past.find(*number)?;
            let word = consent::to_restore(&snapshot, confirm.as_deref(), ui)?;
            ui.report(&report::Snapshots::of(&[past.restore(&snapshot, word, ui)?]))?;
        }
        Some(Verb::Ascension) => ui.report(&report::Ascension::of(&past::crypt(directories)?))?,
        Some(Verb::Remove { number }) => {
            ui.report(&report::Snapshots::of(&[past::remove(directories, *number, ui)?]))?;
        }
    }
    Ok(Outcome::Done)
}
