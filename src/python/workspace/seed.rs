//! The core's own `uv.lock`, from which the first lock of a federation takes its versions.
//!
//! A core was tested with what it locked, so these versions are preferred to the newest; what an extension or
//! the image's Python rules out still moves. Once the federation has a lock, that one counts alone.

use super::{moves, relock::Start};
use crate::{
    crypt::Member,
    diagnostic::{Diagnostic, Failure},
    lock::{Change, Kind, Why},
    python::lock::outline::Outline,
    tree::RelativePath,
};

const NAME: &str = "uv.lock";
/// How it is called in messages.
const SHOWN: &str = "core/uv.lock";
/// How many versions that did not fit are named one by one.
const NAMED: usize = 20;

/// The core's own lock, when it has one.
pub(super) fn of(members: &[Member]) -> Result<Option<Start<'_>>, Failure> {
    let Some(core) = members.iter().find(|member| member.id.is_core()) else { return Ok(None) };
    let Ok(path) = NAME.parse::<RelativePath>() else { return Ok(None) };
    let Some(bytes) = core.source.tree.file(&path) else { return Ok(None) };
    let text = std::str::from_utf8(bytes).ok();
    match text.and_then(|text| Some(Start { shown: SHOWN, text, outline: Outline::read(text)? })) {
        Some(seed) => Ok(Some(seed)),
        None => Err(Diagnostic::new(format!("`{SHOWN}` is no lock"))
            .requested_by("core")
            .help(
                "the first lock takes its versions from it: repair it, or remove it to lock the newest ones",
            )
            .into()),
    }
}

/// What became of the seed's versions, for people.
pub(super) fn notes(seed: &Outline, new: &Outline) -> Vec<String> {
    let moved: Vec<_> = moves::between(Kind::Python, [seed], [new], Why::Required)
        .into_iter()
        .filter(Change::is_move)
        .collect();
    let kept = moves::in_both(seed, new);
    let mut notes = vec![format!("`{SHOWN}` gave the versions of {kept} packages")];
    notes.extend(moved.iter().take(NAMED).map(|one| format!("but {one}")));
    if moved.len() > NAMED {
        notes.push(format!("but {} more of its versions do not fit", moved.len() - NAMED));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(packages: &[(&str, &str)]) -> Outline {
        let package = |(name, version): &(&str, &str)| {
            format!("[[package]]\nname = '{name}'\nversion = '{version}'\nsource = {{ registry = 'x' }}\n")
        };
        Outline::read(&packages.iter().map(package).collect::<Vec<_>>().concat()).unwrap()
    }

    #[test]
    fn the_note_counts_what_was_kept_and_names_what_did_not_fit() {
        let seed = lock(&[("a", "1"), ("b", "1"), ("dev", "1")]);
        let new = lock(&[("a", "1"), ("b", "2"), ("extra", "1")]);
        assert_eq!(notes(&seed, &new), ["`core/uv.lock` gave the versions of 1 packages", "but b 1 -> 2"]);
    }
}
