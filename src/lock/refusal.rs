//! What `--locked` refuses, and a lock that is damaged: said alike for every lock.

use super::Change;
use crate::diagnostic::{Diagnostic, Failure, Fault};

/// A lock that is not there and may not be made.
#[must_use]
pub fn lock_missing(shown: &str) -> Diagnostic {
    lock_changed(format!("`{shown}` is missing"))
}

/// A lock that would become another one.
#[must_use]
pub fn lock_unfit(shown: &str, moved: &[Change]) -> Diagnostic {
    let lines: Vec<String> = moved.iter().map(ToString::to_string).collect();
    let refused = lock_changed(format!("`{shown}` does not fit the manifests any more"));
    if lines.is_empty() { refused } else { refused.note(format!("would change:\n{}", lines.join("\n"))) }
}

/// Anything that only a change of a lock would mend.
#[must_use]
pub fn lock_changed(message: String) -> Diagnostic {
    Diagnostic::new(message).of_kind(Fault::LockChanged).help("run `lychd-forge synthesize` without --locked")
}

/// The refusal of a damaged lock, with what to do about it.
#[must_use]
pub fn with_repair_hint(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(mut all) => {
            if let Some(last) = all.last_mut() {
                last.help.push("repair the lock, or remove it to lock anew".to_owned());
            }
            Failure::Refused(all)
        }
        unable @ Failure::Unable(_) => unable,
    }
}
