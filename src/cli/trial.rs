//! `--dry-run` wherever locks are made: what would move in them.

use super::{outcome::Outcome, ui::Ui};
use crate::{
    diagnostic::Failure,
    forge::{self, Preparation},
    report,
};

/// Synthesizes as a trial, and tells what would move.
pub(super) fn told(trial: &Preparation, ui: &Ui) -> Result<Outcome, Failure> {
    let prepared = forge::prepare(trial, ui)?;
    let equal = prepared.moved.is_empty();
    let synthesis_sha256 = prepared.id;
    ui.report(&report::Outdated { equal, synthesis_sha256, moved: prepared.moved, notes: prepared.notes })?;
    Ok(if equal { Outcome::Done } else { Outcome::Differs })
}
