//! `transmute`: the Synthesis as a flake.

use serde_json::json;

use super::{Outcome, TransmuteArgs, settings, settings::Settings, stages, ui::Ui};
use crate::{diagnostic::Failure, transmute};

pub(super) fn run(args: &TransmuteArgs, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let directory = match &args.out {
        Some(path) => settings::absolute(path)?,
        None => settings.flake(),
    };
    let work = stages::synthesize(&args.lock, settings, ui)?;
    let flake = work.transmute()?;
    ui.finish();
    let changes = transmute::diff(&directory, &flake)?;
    if args.check {
        if ui.wants_json() {
            let paths: Vec<String> = changes.iter().map(|change| change.path.to_string()).collect();
            ui.json(&json!({ "equal": changes.is_empty(), "changes": paths }))?;
        } else {
            for change in &changes {
                ui.line(&change.text)?;
            }
        }
        return Ok(if changes.is_empty() { Outcome::Done } else { Outcome::Differs });
    }
    transmute::write(&directory, &flake)?;
    if ui.wants_json() {
        ui.json(&json!({ "directory": directory, "files": flake.len(), "changed": changes.len() }))?;
    } else {
        ui.field("flake", &directory.display().to_string())?;
        ui.field("changed", &format!("{} of {} files", changes.len(), flake.len()))?;
        ui.field("next", &format!("nix build path:{}#lychd-image", directory.display()))?;
    }
    Ok(Outcome::Done)
}
