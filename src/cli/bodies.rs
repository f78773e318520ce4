//! `bodies`: what was forged.

use serde_json::json;

use super::{Outcome, settings::Settings, ui::Ui};
use crate::{diagnostic::Failure, forge::body::Bodies};

pub(super) fn run(settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let bodies = Bodies::of_state(&settings.state).list()?;
    if ui.wants_json() {
        ui.json(&json!({ "bodies": bodies }))?;
    } else if bodies.is_empty() {
        ui.say("No body was forged yet: `lychd-forge forge` makes one.");
    } else {
        ui.line("IMAGE ID      LAYERS        SIZE  REFERENCE")?;
        for body in bodies {
            let size = indicatif::HumanBytes(body.size).to_string();
            ui.line(&format!(
                "{}  {:>6}  {size:>10}  {}",
                body.image_id.short(12),
                body.layers,
                body.reference
            ))?;
        }
    }
    Ok(Outcome::Done)
}
