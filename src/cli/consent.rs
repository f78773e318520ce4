//! A human's word where it is needed.

use super::ui::Ui;
use crate::{
    binding::{bind::Prepared, manifest::CONFIRMING_DIGITS},
    diagnostic::{Diagnostic, Failure},
};

/// From the terminal, for what was prepared.
pub(super) fn ask(prepared: &Prepared, ui: &Ui) -> Result<(), Failure> {
    let hash = prepared.candidate().short(CONFIRMING_DIGITS);
    let what =
        if prepared.is_first() { "this activates the first body" } else { "this allows more than before" };
    let told =
        prepared.outlook.widens.iter().fold(Diagnostic::new(what), |told, line| told.note(line.as_str()));
    if !ui.can_ask() {
        return Err(unasked(told, "lychd-forge bind --dry-run", &hash));
    }
    ui.insist(&format!("{what}: candidate {hash}"));
    for line in &prepared.outlook.widens {
        ui.insist(&format!("    {line}"));
    }
    if ui.ask("Inscribe it?")? {
        Ok(())
    } else {
        Err(Diagnostic::new("not confirmed: nothing was changed").into())
    }
}

/// Where nobody is there to be asked.
pub(super) fn unasked(told: Diagnostic, command: &str, hash: &str) -> Failure {
    told.help(format!("`{command}` shows it again, and this says yes to it: --confirm {hash}")).into()
}
