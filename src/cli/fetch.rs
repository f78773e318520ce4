//! `fetch`: every artifact into the store.

use serde_json::json;

use super::{FetchArgs, Outcome, settings::Settings, stages, ui::Ui};
use crate::{diagnostic::Failure, forge::nix::Nix, synthesis};

pub(super) fn run(args: &FetchArgs, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let work = stages::synthesize(&args.lock, settings, ui)?;
    let nix = Nix::find(stages::store(&args.store)?, None)?;
    let artifacts = synthesis::artifacts(&work.synthesis);
    let brought = stages::fetch(&work, &nix, settings, ui)?;
    ui.finish();
    if ui.wants_json() {
        ui.json(&json!({ "artifacts": artifacts.len(), "fetched": brought }))?;
    } else {
        ui.field("artifacts", &format!("{} in the store, {brought} of them new", artifacts.len()))?;
    }
    Ok(Outcome::Done)
}
