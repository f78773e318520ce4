//! What differs between two npm locks: which versions came, went and moved.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    diagnostic::Source,
    lock::npm::{NpmLock, Package},
    synthesis::Move,
};

/// Names and versions of the tarballs of a lock.
pub(super) fn versions(lock: &NpmLock) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in lock.entries.values() {
        if let Package::Tarball { name, version, .. } = &entry.package {
            all.entry(name.to_string()).or_default().insert(version.clone());
        }
    }
    all
}

/// What moved from the text of an old lock to a new one, by name.
pub(super) fn between(old: Option<&str>, new: &NpmLock) -> Vec<Move> {
    let old = old.and_then(|text| NpmLock::read(&Source::new("", text)).ok());
    Move::between(&old.as_ref().map(versions).unwrap_or_default(), &versions(new))
}
