//! `bodies`: what was forged.

use super::{outcome::Outcome, settings::Settings, ui::Ui};
use crate::{body::Bodies, diagnostic::Failure, rebirth::standing, report};

pub(super) fn run(settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let listing = Bodies::of_state(&settings.directories.state).list()?;
    let standing = standing::of(&settings.directories, &listing.records)?;
    ui.report(&report::Bodies::of(listing, &standing))?;
    Ok(Outcome::Done)
}
