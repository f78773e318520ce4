//! What differs between two npm locks: which versions came, went and moved.

use crate::{
    diagnostic::Source,
    lock::{Change, Kind, Versions, Why},
    npm::lock::{NpmLock, Package},
};

/// Names and versions of the tarballs of a lock.
pub(super) fn versions(lock: &NpmLock) -> Versions {
    let mut all = Versions::new();
    for entry in lock.entries.values() {
        if let Package::Tarball { name, version, .. } = &entry.package {
            all.entry(name.to_string()).or_default().insert(version.clone());
        }
    }
    all
}

/// What moved from the text of an old lock to a new one, by name.
pub(super) fn between(old: Option<&str>, new: &NpmLock, moved: Why) -> Vec<Change> {
    let old = old.and_then(|text| NpmLock::read(&Source::new("", text)).ok());
    Change::between(Kind::Npm, &old.as_ref().map(versions).unwrap_or_default(), &versions(new), moved)
}

/// What a lock had that is not wanted at all any more.
pub(super) fn gone(old: &str) -> Vec<Change> {
    let old = NpmLock::read(&Source::new("", old)).map(|lock| versions(&lock)).unwrap_or_default();
    Change::between(Kind::Npm, &old, &Versions::new(), Why::Required)
}
