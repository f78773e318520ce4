//! `synthesize`: merge and lock.

use super::{Outcome, SynthesizeArgs, settings::Settings, stages, ui::Ui};
use crate::{
    diagnostic::Failure,
    report::{self, Contents},
};

pub(super) fn run(args: &SynthesizeArgs, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let work = stages::synthesize(&args.lock, settings, ui)?;
    ui.report(&report::Synthesize {
        synthesis_sha256: work.id,
        contents: Contents::of(&work.synthesis),
        moved: work.moved,
        notes: work.notes,
    })?;
    Ok(Outcome::Done)
}
