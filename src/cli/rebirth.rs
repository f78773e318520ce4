//! `rebirth`: another body, or a past one.

pub(super) use super::rebirth_args::Args;
use super::{outcome::Outcome, settings::Settings, ui::Ui, word};
use crate::{
    binding::ground::Ground,
    diagnostic::Failure,
    rebirth::{
        gate::{Changes, Gate, Manner, Target},
        recovery::{self, Recovered},
    },
    report,
};

pub(super) fn run(args: &Args, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let (directories, network) = (&settings.directories, settings.network);
    if args.recover {
        let recovered = recovery::recover(&Ground::take(directories, ui)?, ui)?;
        if let Recovered::Rebirth(outcome) = &recovered {
            outcome.clone().complain()?;
        }
        ui.report(&report::Recovered::of(&recovered))?;
        return Ok(Outcome::Done);
    }
    let target = args.rollback.map_or(Target::Body(&args.body), Target::Past);
    let manner = Manner { snapshot: !args.no_snapshot, start: args.start, watch: args.watch };
    if args.dry_run {
        let _held = directories.hold_cache(ui)?;
        let changes = Changes::of(directories, network, (target, manner), ui)?;
        ui.report(&report::Rebirth::dry_run(&changes, args.diff))?;
        return Ok(Outcome::Done);
    }
    let gate = Gate::prepare(directories, network, (target, manner), ui)?;
    if gate.changes.is_there() {
        ui.report(&report::Rebirth::unchanged(&gate.changes))?;
        return Ok(Outcome::Done);
    }
    let again = settings.whole_command(&args.dry_run_again());
    let given = word::to_rebirth(&gate.changes, (args.confirm.as_deref(), &again), args.diff, ui)?;
    let shown = report::Rebirth::dry_run(&gate.changes, args.diff);
    let notes = gate.notes.clone();
    if let Some(lives) = gate.pass(given, ui)?.complain()? {
        ui.report(&shown.lives(&lives, notes))?;
    }
    Ok(Outcome::Done)
}
