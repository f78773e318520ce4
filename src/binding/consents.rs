//! The log of consents: each word of a human to a candidate, chained to the one before.
//!
//! `<state>/consents.jsonl` has a JSON object a line. Each names the sha256 of the line before it (without its end), so
//! that nothing can be taken out or changed without a sign of it.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::manifest::{CandidateId, unreadable};
use crate::{
    diagnostic::Failure,
    digest::Sha256,
    host::{clock, environment, file},
};

/// The schema of a line.
pub const SCHEMA: &str = "lychd-forge/consent/1";
/// The most that the log may hold, in bytes: a line has a few hundred.
const LIMIT: u64 = 256 << 20;

/// How a word came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// It was typed on a terminal.
    Typed,
    /// It was given with `--confirm`.
    Given,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "a line of consents.jsonl")]
pub struct Consent {
    schema: String,
    /// sha256 of the line before; `None` of the first.
    pub previous: Option<Sha256>,
    /// Seconds since 1970.
    pub when: u64,
    /// The user who ran the forge.
    pub uid: u32,
    /// How the word came.
    pub word: Word,
    /// What for: the verb.
    pub verb: String,
    /// To which candidate; of a snapshot, to which record.
    pub candidate: CandidateId,
    /// The hash that was confirmed: the same, or one that covers more than that.
    pub confirmed: CandidateId,
    /// The generation that was active; `None` where there was none.
    pub active: Option<u64>,
}

/// Writes a consent; when this returns, it is on the disk. Returns the sha256 of its line, which no other has.
///
/// # Errors
/// Unable when the log cannot be read or written.
pub fn record(
    state: &Path,
    (word, verb): (Word, &str),
    (candidate, confirmed): (CandidateId, CandidateId),
    active: Option<u64>,
) -> Result<Sha256, Failure> {
    let path = state.join("consents.jsonl");
    let mut log = file::if_there(&path, file::read(&path, LIMIT))?.unwrap_or_default();
    let previous = log.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()).map(Sha256::of);
    let consent = Consent {
        schema: SCHEMA.to_owned(),
        previous,
        when: clock::unix_seconds(),
        uid: environment::uid(),
        word,
        verb: verb.to_owned(),
        candidate,
        confirmed,
        active,
    };
    let shown = path.display().to_string();
    let line = serde_json::to_string(&consent).map_err(|error| unreadable(&shown, &error.to_string()))?;
    log.extend_from_slice(line.as_bytes());
    log.push(b'\n');
    file::write(&path, &log)
        .and_then(|()| file::sync_directory(state))
        .map_err(|error| file::unable("write", &path, &error))?;
    Ok(Sha256::of(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_names_the_one_before() {
        let state = tempfile::tempdir().unwrap();
        let candidate: CandidateId = Sha256::of("candidate").to_string().parse().unwrap();
        let first = record(state.path(), (Word::Typed, "bind"), (candidate, candidate), None).unwrap();
        let second = record(state.path(), (Word::Given, "rebirth"), (candidate, candidate), Some(1)).unwrap();
        assert_ne!(first, second);
        let log = file::read_text(&state.path().join("consents.jsonl")).unwrap();
        let lines: Vec<Consent> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines[0].previous, lines[1].previous), (None, Some(first)));
        assert_eq!(
            (lines[1].word, lines[1].verb.as_str(), lines[1].active),
            (Word::Given, "rebirth", Some(1))
        );
    }
}
