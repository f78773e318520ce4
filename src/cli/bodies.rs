//! `bodies`: what was forged.

use super::{outcome::Outcome, settings::Settings, ui::Ui};
use crate::{body::Bodies, diagnostic::Failure, report};

pub(super) fn run(settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let listing = Bodies::of_state(&settings.directories.state).list()?;
    ui.report(&report::Bodies::of(listing))?;
    Ok(Outcome::Done)
}
