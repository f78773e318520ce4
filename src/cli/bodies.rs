//! `bodies`: what was forged.

use super::{Outcome, settings::Settings, ui::Ui};
use crate::{
    diagnostic::Failure,
    forge::body::{self, Bodies},
    report::{self, Digest},
};

pub(super) fn run(settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let bodies = Bodies::of_state(&settings.state).list()?;
    let told = |body: body::Body| report::Body {
        image_id: Digest(body.image_id),
        manifest_digest: Digest(body.manifest_digest),
        reference: body.reference,
        backend: body.backend,
        substrate: body.substrate,
        synthesis_sha256: body.synthesis_sha256,
        layers: body.layers,
        size: body.size,
        store_path: body.store_path,
    };
    ui.report(&report::Bodies { bodies: bodies.into_iter().map(told).collect() })?;
    Ok(Outcome::Done)
}
