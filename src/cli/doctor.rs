//! `doctor`: what this host lacks.

use super::{outcome::Outcome, settings::Settings, ui::Ui};
use crate::{
    diagnostic::Failure,
    report,
    upkeep::{doctor, host_facts::HostFacts},
};

pub(super) fn run(settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let facts = HostFacts::read(&settings.directories)?;
    let doctor = report::Doctor::of(doctor::checks(&facts));
    ui.report(&doctor)?;
    Ok(if doctor.fit { Outcome::Done } else { Outcome::Differs })
}
