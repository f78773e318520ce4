//! A human's word to what was shown: the first digits of its hash, given or typed.

use super::{consent::unasked, ui::Ui};
use crate::{
    binding::{
        consents::Word,
        manifest::{CONFIRMING_DIGITS, CandidateId},
    },
    diagnostic::{Diagnostic, Failure},
    rebirth::{
        gate::Changes,
        past::{Going, Past},
        snapshots::Snapshot,
    },
    report,
};

/// For a rebirth: given, or typed by whoever was shown what changes.
pub(super) fn to_rebirth(
    changes: &Changes,
    (given, again): (Option<&str>, &str),
    diff: bool,
    ui: &Ui,
) -> Result<Word, Failure> {
    let show = || report::Rebirth::asked(changes, diff);
    let told = || {
        let told = Diagnostic::new("another body needs a human's word");
        changes.widens.iter().fold(told, |told, line| told.note(line.as_str()))
    };
    word(changes.confirmed(), (given, again), ui, told, || ui.show(&show()))
}

/// For a past of the database.
pub(super) fn to_restore(snapshot: &Snapshot, given: Option<&str>, ui: &Ui) -> Result<Word, Failure> {
    let told = || {
        let told = Diagnostic::new("another past of the database needs a human's word");
        told.note("what it holds now is kept as a snapshot")
    };
    let show = || ui.show(&report::Snapshots::of(std::slice::from_ref(snapshot)));
    word(Past::candidate(snapshot), (given, "lychd-forge snapshots"), ui, told, show)
}

/// For the end of a snapshot.
pub(super) fn to_remove(going: &Going, given: Option<&str>, ui: &Ui) -> Result<Word, Failure> {
    let (snapshot, lost) = (&going.snapshot, going.lost());
    let told = || {
        let told =
            Diagnostic::new("what a snapshot holds is gone for good with it, which needs a human's word");
        lost.iter().fold(told, |told, line| told.note(line.as_str()))
    };
    let show = || {
        ui.show(&report::Snapshots::of(std::slice::from_ref(snapshot)));
        for line in &lost {
            ui.say(line);
        }
    };
    word(going.candidate(), (given, "lychd-forge snapshots"), ui, told, show)
}

/// To the hash of what was shown: given, or typed. `command` shows it again, `told` says why it is asked for.
pub(super) fn word(
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
    show();
    if !ui.can_ask() {
        return Err(unasked(told(), command, &hash));
    }
    let typed = ui.ask_for(&format!("Type {hash} to go on:"))?;
    candidate.confirm(&typed, command).map(|()| Word::Typed)
}
