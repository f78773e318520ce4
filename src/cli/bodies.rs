//! `bodies`: what was forged.

use serde::Serialize;
use serde_json::json;

use super::{Outcome, settings::Settings, ui::Ui};
use crate::{
    body::{Bodies, Record, Written},
    diagnostic::Failure,
};

/// A record with what to pin.
#[derive(Serialize)]
struct Listed {
    image_id: String,
    #[serde(flatten)]
    written: Written,
}

impl Listed {
    fn of(record: &Record) -> Self {
        Self {
            image_id: record.body.images.vessel.found_by().to_string(),
            written: Written::of(&record.body, record.order),
        }
    }
}

pub(super) fn run(settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let listing = Bodies::of_state(&settings.state).list()?;
    if ui.wants_json() {
        let bodies: Vec<Listed> = listing.records.iter().map(Listed::of).collect();
        ui.json(&json!({ "bodies": bodies, "unreadable": listing.unreadable }))?;
        return Ok(Outcome::Done);
    }
    if listing.records.is_empty() && listing.unreadable.is_empty() {
        ui.say("No body was forged yet: `lychd-forge forge` makes one.");
        return Ok(Outcome::Done);
    }
    ui.line("BODY          IMAGE ID      LAYERS        SIZE  REFERENCE")?;
    for Record { body, .. } in &listing.records {
        let vessel = &body.images.vessel;
        let image_id: String = vessel.found_by().as_str().chars().take(12).collect();
        ui.line(&format!(
            "{}  {image_id:<12}  {:>6}  {:>10}  {}",
            body.id().short(12),
            vessel.layers,
            indicatif::HumanBytes(vessel.size).to_string(),
            vessel.reference
        ))?;
    }
    for unreadable in &listing.unreadable {
        ui.field("unreadable", &unreadable.to_string())?;
    }
    Ok(Outcome::Done)
}
