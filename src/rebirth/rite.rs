//! What a rebirth is about to do, written before it does any of it: whoever comes after a crash goes on from there, or
//! back.
//!
//! It lies beside the journal of the inscription that is a part of it, `rebirth.json` in the workshop. Whether the new
//! set lies in the site is not written: that is seen.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::watch::Patience;
use crate::{
    binding::{journal::Workshop, manifest::unreadable},
    diagnostic::Failure,
    digest::Sha256,
    document::canonical_json,
    host::file,
};

/// The schema of `rebirth.json`.
pub const SCHEMA: &str = "lychd-forge/rebirth/1";
/// The most that it may hold, in bytes.
const LIMIT: u64 = 1 << 20;

/// A rebirth that is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "rebirth.json")]
pub struct Rite {
    schema: String,
    /// The state directory whose forge writes it.
    pub state: PathBuf,
    /// sha256 of the line of the consent: no other rebirth has it.
    pub word: Sha256,
    /// The generation that lay in the site before.
    pub old: u64,
    /// The one that is to live; that of `old` where only the database is given another past.
    pub new: u64,
    /// Services that ran before.
    pub up: BTreeSet<String>,
    /// How far it is.
    pub phase: Phase,
    /// The snapshot that the database is to get.
    pub gives: Option<u64>,
    /// The snapshot of what the database was before.
    pub kept: Option<u64>,
    /// Whether the new set was seen in the site: a boot may have started it, whatever lies there now.
    #[serde(default)]
    pub was_there: bool,
    /// Whether the Codex of the new generation is an older one, which comes back with it.
    pub takes_codex: bool,
    /// Seconds until the application must have begun.
    pub start: u32,
    /// Seconds for which it is watched.
    pub watch: u32,
    /// Why it goes back.
    pub why: Option<String>,
}

/// How far a rebirth is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// What writes into the database is stopped, and the database is kept.
    Leaving,
    /// The database is given another past.
    Restoring,
    /// The new set is inscribed, started and watched.
    Arriving,
    /// The new body failed: the old set and the old state of the database come back.
    Returning,
}

impl Rite {
    /// One that is about to begin, from a generation to another.
    #[must_use]
    pub fn new(state: PathBuf, word: Sha256, (old, new): (u64, u64), (start, watch): (u32, u32)) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            state,
            word,
            old,
            new,
            up: BTreeSet::new(),
            phase: Phase::Leaving,
            gives: None,
            kept: None,
            was_there: false,
            takes_codex: false,
            start,
            watch,
            why: None,
        }
    }

    /// How long its body is waited for and watched.
    #[must_use]
    pub fn patience(&self) -> Patience {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Patience { start: seconds(self.start), window: seconds(self.watch) }
    }

    /// The one that was cut short, if one was.
    ///
    /// # Errors
    /// Unable when it cannot be read.
    pub fn unfinished(workshop: &Workshop) -> Result<Option<Self>, Failure> {
        let path = workshop.rite();
        let Some(text) = file::if_there(&path, file::read(&path, LIMIT))? else { return Ok(None) };
        let shown = path.display().to_string();
        let read: Self =
            serde_json::from_slice(&text).map_err(|error| unreadable(&shown, &error.to_string()))?;
        if read.schema == SCHEMA {
            return Ok(Some(read));
        }
        Err(unreadable(&shown, &format!("its schema is `{}`, not `{SCHEMA}`", read.schema.escape_debug())))
    }

    /// Writes it; when this returns, it is on the disk.
    ///
    /// # Errors
    /// Unable when it cannot be written.
    pub fn write(&self, workshop: &Workshop) -> Result<(), Failure> {
        let path = workshop.rite();
        file::write(&path, canonical_json(self).as_bytes())
            .and_then(|()| path.parent().map_or(Ok(()), file::sync_directory))
            .map_err(|error| file::unable("write", &path, &error))
    }

    /// Takes it away: the rebirth is done, or undone.
    ///
    /// # Errors
    /// Unable when it cannot be removed.
    pub fn end(workshop: &Workshop) -> Result<(), Failure> {
        let path = workshop.rite();
        file::remove(&path)
            .and_then(|()| path.parent().map_or(Ok(()), file::sync_directory))
            .map_err(|error| file::unable("remove", &path, &error))
    }
}
