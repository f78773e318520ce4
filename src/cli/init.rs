//! `init`: a Codex and a Crypt to start from.

use super::{Outcome, settings::Settings, ui::Ui};
use crate::{crypt::skeleton, diagnostic::Failure, report};

pub(super) fn run(settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let skeleton::Report { created, kept } = skeleton::init(&settings.codex, &settings.crypt)?;
    ui.report(&report::Init { created, kept })?;
    Ok(Outcome::Done)
}
