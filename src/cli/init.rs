//! `init`: a Codex and a Crypt to start from.

use super::{outcome::Outcome, settings::Settings, ui::Ui};
use crate::{crypt::skeleton, diagnostic::Failure, report};

pub(super) fn run(settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let directories = &settings.directories;
    let skeleton::Report { created, kept } = skeleton::init(&directories.codex, &directories.crypt)?;
    ui.report(&report::Init { created, kept })?;
    Ok(Outcome::Done)
}
