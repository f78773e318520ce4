//! Files of a `uv.lock`: what was locked once keeps its hash as long as it is locked.
//!
//! uv takes hashes from the index whenever it locks anew. An index that gives other bytes under the same name
//! must not slip in beside a harmless change.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Diagnostic, Failure},
    python::lock::outline::{Origin, Outline},
};

/// Where a file is from: source, package, version, file name.
type Key = (String, String, String, String);

/// Refuses files of `old` that have another hash in `new`; `shown` is the lock's name.
pub(super) fn hold(shown: &str, old: &Outline, new: &Outline) -> Result<(), Failure> {
    let (old, new) = (files(old), files(new));
    let other: Vec<String> = new
        .iter()
        .filter(|(key, hash)| old.get(*key).is_some_and(|before| differ(before, hash)))
        .map(|((source, name, version, file), _)| format!("{file} of {name} {version}, {source}"))
        .collect();
    if other.is_empty() {
        return Ok(());
    }
    Err(Diagnostic::new(format!("the index has other bytes than `{shown}` for what is locked"))
        .note(other.join("\n"))
        .help("released files never change: find out what happened before anything else")
        .help("to take the new bytes all the same, remove the package from the lock")
        .into())
}

/// Hashes of two algorithms cannot be compared.
fn differ(old: &str, new: &str) -> bool {
    let algorithm = |hash: &str| hash.split(':').next().map(str::to_owned);
    algorithm(old) == algorithm(new) && old != new
}

fn files(lock: &Outline) -> BTreeMap<Key, &str> {
    let mut all = BTreeMap::new();
    for package in &lock.packages {
        let (Origin::Index(index), Some(version)) = (&package.origin, &package.version) else { continue };
        for (place, hash) in &package.files {
            let place = place.split(['#', '?']).next().unwrap_or_default();
            let short = place.rsplit('/').next().unwrap_or_default().to_owned();
            all.insert((index.clone(), package.name.clone(), version.clone(), short), hash.as_str());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(version: &str, wheel: &str, sdist: &str) -> String {
        format!(
            "[[package]]\nname = 'a'\nversion = '{version}'\nsource = {{ registry = 'https://pypi.org/simple' }}\n\
             sdist = {{ url = 'https://x/a-{version}.tar.gz', hash = '{sdist}' }}\n\
             wheels = [{{ url = 'https://y/a-{version}-py3-none-any.whl', hash = '{wheel}' }}]\n"
        )
    }

    fn outline(text: &str) -> Outline {
        Outline::read(text).unwrap()
    }

    #[test]
    fn a_locked_file_keeps_its_hash() {
        let old = lock("1", "sha256:aa", "sha256:bb");
        for same in [old.clone(), old.replace("https://y", "https://z"), lock("2", "sha256:cc", "sha256:bb")]
        {
            hold("uv.lock", &outline(&old), &outline(&same)).unwrap();
        }
        for other in [lock("1", "sha256:ab", "sha256:bb"), lock("1", "sha256:aa", "sha256:cc")] {
            let told = hold("uv.lock", &outline(&old), &outline(&other)).unwrap_err().to_string();
            assert!(
                told.contains("other bytes than `uv.lock`") && told.contains("of a 1, https://pypi"),
                "{told}"
            );
        }
    }
}
