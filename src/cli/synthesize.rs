//! `synthesize`: merge and lock.

use serde_json::json;

use super::{Outcome, SynthesizeArgs, settings::Settings, stages, ui::Ui};
use crate::diagnostic::Failure;

pub(super) fn run(args: &SynthesizeArgs, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let work = stages::synthesize(&args.lock, settings, ui)?;
    let synthesis = &work.synthesis;
    ui.finish();
    if ui.wants_json() {
        ui.json(&json!({
            "synthesis_sha256": work.id.to_string(),
            "members": synthesis.members.len(),
            "python_packages": synthesis.python_packages.len(),
            "node_packages": synthesis.node.as_ref().map_or(0, |node| node.packages.len()),
            "system_packages": synthesis.system_packages.len(),
            "moved": work.moved,
        }))?;
    } else {
        stages::print_members(synthesis, ui)?;
        ui.field("synthesis", &format!("sha256:{}", work.id))?;
        ui.field("next", "`lychd-forge forge` builds it")?;
    }
    Ok(Outcome::Done)
}
