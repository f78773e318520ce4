//! `transmute`: the Synthesis as a flake.

use super::{
    Outcome, TransmuteArgs,
    settings::{self, Settings},
    stages,
    ui::Ui,
};
use crate::{
    diagnostic::Failure,
    report::{self, ChangedFile},
    transmute,
};

pub(super) fn run(args: &TransmuteArgs, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let directory = match &args.out {
        Some(path) => settings::absolute(path)?,
        None => settings.flake(),
    };
    let work = stages::synthesize(&args.lock, settings, ui)?;
    let flake = work.transmute()?;
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
        moved: work.moved,
        notes: work.notes,
    })?;
    Ok(if args.check && !equal { Outcome::Differs } else { Outcome::Done })
}
