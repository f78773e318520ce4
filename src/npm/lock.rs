//! `package-lock.json`, versions 2 and 3 (`npm help package-lock.json`).
//!
//! Every entry knows its line. What npm takes tolerantly and we cannot trust (no hash, a weak one, an unreadable
//! one) is kept as something to complete; what nobody could build from is refused.

mod entry;
mod integrity;
mod path;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use entry::{Edge, EdgeKind, Entry, From, Package};
pub use integrity::Pins;
pub use path::InstallPath;

use crate::{
    diagnostic::{Diagnostic, Failure, Source, refuse_any},
    document::{self, Table, Value, json},
};

/// The most entries a lock may have.
const ENTRIES: usize = 50_000;
/// The most bytes of a lock.
pub const LIMIT: u64 = 64 << 20;

/// A lock that was read: what lies where below the root of `node_modules`.
#[derive(Clone, Debug, PartialEq)]
pub struct NpmLock {
    /// Its text.
    pub source: Source,
    /// `lockfileVersion`: 2 or 3.
    pub version: u8,
    /// By path; the root has the empty path.
    pub entries: BTreeMap<InstallPath, Entry>,
    /// What a person should know, such as keys nobody knows.
    pub notes: Vec<String>,
}

impl NpmLock {
    /// Judges the bytes of a lock that messages call `shown`.
    ///
    /// # Errors
    /// As [`NpmLock::read`], and for bytes that are no plain text.
    pub fn parse(shown: &str, bytes: &[u8]) -> Result<Self, Failure> {
        Self::read(&document::source_within(shown, bytes, LIMIT)?)
    }

    /// Reads a lock.
    ///
    /// # Errors
    /// Refused with everything that is wrong in it.
    pub fn read(source: &Source) -> Result<Self, Failure> {
        let table = json::parse(source)?;
        let version = version(source, &table)?;
        let packages = table.table("packages").ok_or_else(|| {
            Diagnostic::new(format!("`{}` has no `packages`", source.name()))
                .at(source.at(0..1), "")
                .help(UPGRADE)
        })?;
        if packages.iter().count() > ENTRIES {
            let message = format!("`{}` has more than {ENTRIES} entries", source.name());
            return Err(Diagnostic::new(message).into());
        }
        let (mut entries, mut errors, mut unknown) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
        for (text, field) in packages.iter() {
            let path = match text.parse::<InstallPath>() {
                Ok(path) => path,
                Err(error) => {
                    errors.push(Diagnostic::new(error.to_string()).at(field.key.clone(), ""));
                    continue;
                }
            };
            let Some(table) = field.node.as_table() else {
                let message = format!("`{path}` must be a table, not {}", field.node.kind());
                errors.push(Diagnostic::new(message).at(field.node.place.clone(), ""));
                continue;
            };
            if let Some(entry) = entry::read(&path, table, &field.key, &mut unknown, &mut errors) {
                entries.insert(path, entry);
            }
        }
        errors.sort_by_key(|error| error.places.first().map(|(place, _)| place.span().start));
        refuse_any(errors)?;
        let notes = unknown.into_iter().map(|key| {
            format!(
                "`{}` has the key `{}`, which this forge does not know",
                source.name(),
                key.escape_debug()
            )
        });
        Ok(Self { source: source.clone(), version, notes: notes.collect(), entries })
    }

    /// The entry that a package at `from` finds as `name`: in its own `node_modules`, else in that of each
    /// directory above.
    #[must_use]
    pub fn resolve(&self, from: &InstallPath, name: &crate::name::npm::NpmName) -> Option<&Entry> {
        let mut directory = Some(from.as_str());
        while let Some(here) = directory {
            let inside = here.rsplit('/').next() == Some("node_modules");
            if !inside && let Some(entry) = self.entries.get(&InstallPath::below(here, name)) {
                return Some(entry);
            }
            directory = match here.rsplit_once('/') {
                Some((above, _)) => Some(above),
                None => (!here.is_empty()).then_some(""),
            };
        }
        None
    }
}

const UPGRADE: &str = "`npm install --package-lock-only --lockfile-version 3` upgrades it";

fn version(source: &Source, table: &Table) -> Result<u8, Failure> {
    let shown = source.name();
    let node = table.get("lockfileVersion").ok_or_else(|| {
        Diagnostic::new(format!("`{shown}` has no `lockfileVersion`"))
            .at(source.at(0..1), "")
            .help("it is no lock of npm's")
    })?;
    let wrong = |message: String, help: &str| {
        Err(Diagnostic::new(message).at(node.place.clone(), "").help(help).into())
    };
    match node.value {
        Value::Integer(2) => Ok(2),
        Value::Integer(3) => Ok(3),
        Value::Integer(1) => wrong(format!("`{shown}` is a lock of version 1, which has no paths"), UPGRADE),
        _ => wrong(
            format!("`{shown}` has a `lockfileVersion` that this forge does not know"),
            "it knows 2 and 3",
        ),
    }
}
