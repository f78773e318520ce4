//! `outdated`: what `--update` would move.

use super::{lock_args::LockArgs, outcome::Outcome, settings::Settings, trial, ui::Ui};
use crate::diagnostic::Failure;

pub(super) fn run(settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    trial::told(&LockArgs::outdated().preparation(settings)?, ui)
}
