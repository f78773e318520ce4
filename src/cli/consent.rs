//! A human's word where it is needed.

use super::ui::Ui;
use crate::{
    binding::{
        bind::Prepared,
        consents::Word,
        manifest::{CONFIRMING_DIGITS, CandidateId},
    },
    diagnostic::{Diagnostic, Failure},
    rebirth::{gate::Changes, past::Past, snapshots::Snapshot},
    report,
};

/// From the terminal, for what was prepared.
pub(super) fn ask(prepared: &Prepared, ui: &Ui) -> Result<(), Failure> {
    let hash = prepared.candidate().short(CONFIRMING_DIGITS);
    let what =
        if prepared.is_first() { "this activates the first body" } else { "this allows more than before" };
    let told =
        prepared.outlook.widens.iter().fold(Diagnostic::new(what), |told, line| told.note(line.as_str()));
    if !ui.can_ask() {
        return Err(unasked(told, &hash));
    }
    ui.say(&format!("{what}: candidate {hash}"));
    for line in &prepared.outlook.widens {
        ui.say(&format!("    {line}"));
    }
    if ui.ask("Inscribe it?")? {
        Ok(())
    } else {
        Err(Diagnostic::new("not confirmed: nothing was changed").into())
    }
}

/// For a rebirth: given, or typed by whoever was shown what changes.
pub(super) fn to_rebirth(
    changes: &Changes,
    given: Option<&str>,
    diff: bool,
    ui: &Ui,
) -> Result<Word, Failure> {
    let show = || report::Rebirth::dry_run(changes, diff);
    let told = || {
        let told = Diagnostic::new("another body needs a human's word");
        changes.widens.iter().fold(told, |told, line| told.note(line.as_str()))
    };
    word(changes.candidate(), (given, "lychd-forge rebirth --dry-run"), ui, told, || ui.show(&show()))
}

/// For a past of the database.
pub(super) fn to_restore(snapshot: &Snapshot, given: Option<&str>, ui: &Ui) -> Result<Word, Failure> {
    let told = || {
        let told = Diagnostic::new("another past of the database needs a human's word");
        told.note("what it holds now is kept as a snapshot")
    };
    let show = || ui.show(&report::Snapshots::of(std::slice::from_ref(snapshot)));
    word(Past::candidate(snapshot), (given, "lychd-forge snapshots restore N"), ui, told, show)
}

fn word(
    candidate: CandidateId,
    (given, command): (Option<&str>, &str),
    ui: &Ui,
    told: impl FnOnce() -> Diagnostic,
    show: impl FnOnce(),
) -> Result<Word, Failure> {
    if let Some(digits) = given {
        return candidate.confirm(digits, command).map(|()| Word::Given);
    }
    let hash = candidate.short(CONFIRMING_DIGITS);
    if !ui.can_ask() {
        return Err(unasked(told(), &hash));
    }
    show();
    let typed = ui.ask_for(&format!("Type {hash} to go on:"))?;
    candidate.confirm(&typed, command).map(|()| Word::Typed)
}

fn unasked(told: Diagnostic, hash: &str) -> Failure {
    told.help(format!("look at it with --dry-run, then say yes to its hash: --confirm {hash}")).into()
}
