//! `init`: a Codex and a Crypt to start from.

use serde_json::json;

use super::{Outcome, settings::Settings, ui::Ui};
use crate::{crypt::skeleton, diagnostic::Failure};

pub(super) fn run(settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let report = skeleton::init(&settings.codex, &settings.crypt)?;
    if ui.wants_json() {
        ui.json(&json!({ "created": report.created, "kept": report.kept }))?;
        return Ok(Outcome::Done);
    }
    for path in &report.created {
        ui.field("created", &path.display().to_string())?;
    }
    for path in &report.kept {
        ui.field("kept", &path.display().to_string())?;
    }
    ui.field("next", "`lychd-forge forge` makes the first body")?;
    Ok(Outcome::Done)
}
