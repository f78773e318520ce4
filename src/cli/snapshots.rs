//! `snapshots`: what the databases were.

pub(super) use super::snapshots_args::Args;
use super::{outcome::Outcome, settings::Settings, snapshots_args::Verb, ui::Ui, word};
use crate::{
    diagnostic::Failure,
    rebirth::{
        past::{self, Going, Past},
        snapshots::Snapshots,
    },
    report,
};

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
            let given = word::to_restore(&snapshot, confirm.as_deref(), ui)?;
            let kept = past.restore(&snapshot, given, ui)?;
            let (number, kept_as) = (snapshot.number, kept.number);
            ui.report(&report::Snapshots::of(&[kept]))?;
            ui.say(&format!(
                "the databases are as in snapshot {number}; what they held is kept as snapshot {kept_as}"
            ));
        }
        Some(Verb::Ascension) => ui.report(&report::Ascension::of(&past::crypt(directories)?))?,
        Some(Verb::Remove { number, confirm }) => {
            let going = Going::of(directories, *number, ui)?;
            let given = word::to_remove(&going, confirm.as_deref(), ui)?;
            ui.report(&report::Snapshots::of(&[going.remove(given)?]))?;
        }
    }
    Ok(Outcome::Done)
}
