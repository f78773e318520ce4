//! `unbind`: what is inscribed goes.

use super::{outcome::Outcome, settings::Settings, ui::Ui};
use crate::{binding::ground::Ground, diagnostic::Failure, rebirth::recovery, report, upkeep::unbind};

pub(super) fn run(settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let ground = Ground::take(&settings.directories, ui)?;
    recovery::settle(&ground, ui)?;
    ui.report(&report::Unbound::of(unbind::unbind(&ground, ui)?))?;
    Ok(Outcome::Done)
}
