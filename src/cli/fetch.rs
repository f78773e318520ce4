//! `fetch`: every artifact into the store, or into a folder.

use indicatif::HumanBytes;
use serde_json::json;

use super::{
    FetchArgs, Outcome,
    settings::{self, Settings},
    stages,
    ui::Ui,
};
use crate::{
    diagnostic::Failure,
    forge::{self, executor::Wanted},
    synthesis,
};

pub(super) fn run(args: &FetchArgs, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let work = stages::synthesize(&args.lock, settings, ui)?;
    if let Some(folder) = &args.to {
        let folder = settings::absolute(folder)?;
        let written = stages::fetch_to(&work, &folder, settings, ui)?;
        ui.finish();
        if ui.wants_json() {
            ui.json(&json!({
                "directory": folder,
                "artifacts": written.artifacts,
                "size": written.size,
                "synthesis_sha256": work.id.to_string(),
            }))?;
        } else {
            ui.field("folder", &folder.display().to_string())?;
            ui.field("artifacts", &format!("{}, {}", written.artifacts, HumanBytes(written.size)))?;
            ui.field("next", "copy it with Codex and Crypt, then `lychd-forge forge --locked --from DIR`")?;
        }
        return Ok(Outcome::Done);
    }
    let wanted = Wanted { store: stages::store(&args.store)?, ..Wanted::default() };
    let executor = forge::executor(&wanted)?;
    let artifacts = synthesis::artifacts(&work.synthesis);
    let brought = stages::fetch(&work, executor.as_ref(), settings, ui)?;
    ui.finish();
    if ui.wants_json() {
        ui.json(&json!({ "artifacts": artifacts.len(), "fetched": brought }))?;
    } else {
        ui.field("artifacts", &format!("{} in the store, {brought} of them new", artifacts.len()))?;
    }
    Ok(Outcome::Done)
}
