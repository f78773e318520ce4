//! `fetch`: every artifact into the store, or into a folder.

use super::{
    FetchArgs, Outcome,
    settings::{self, Settings},
    stages,
    ui::Ui,
};
use crate::{
    diagnostic::Failure,
    forge::{self, executor::Wanted},
    report, synthesis,
};

pub(super) fn run(args: &FetchArgs, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let work = stages::synthesize(&args.lock, settings, ui)?;
    let synthesis_sha256 = work.id;
    if let Some(folder) = &args.to {
        let directory = settings::absolute(folder)?;
        let written = stages::fetch_to(&work, &directory, settings, ui)?;
        let (artifacts, size, moved, notes) = (written.artifacts, written.size, work.moved, work.notes);
        ui.report(&report::Fetch::Folder { synthesis_sha256, artifacts, size, directory, moved, notes })?;
        return Ok(Outcome::Done);
    }
    let wanted = Wanted { store: stages::store(&args.store)?, ..Wanted::default() };
    let executor = forge::executor(&wanted)?;
    let artifacts = synthesis::artifacts(&work.synthesis).len();
    let fetched = stages::fetch(&work, executor.as_ref(), settings, ui)?;
    let (moved, notes) = (work.moved, work.notes);
    ui.report(&report::Fetch::Store { synthesis_sha256, artifacts, fetched, moved, notes })?;
    Ok(Outcome::Done)
}
