//! What is selected of real npm locks, held against what `npm ci` of npm 11 and Node 24 installed from each on
//! linux, x64, glibc: every place, with the tarball's integrity. `tests/cases/npm/regenerate.py` makes both.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use lychd_forge::{
    name::{MemberId, Platform},
    npm::{
        NodeTarget,
        lock::{InstallPath, NpmLock, Package, Pins},
        select,
    },
};

fn cases() -> Vec<PathBuf> {
    let directory = Path::new("tests/cases/npm");
    let mut cases: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("expected.json").exists())
        .collect();
    cases.sort();
    cases
}

/// What we would install, in the words of `expected.json`.
fn installed(lock: &NpmLock) -> BTreeMap<String, String> {
    let roots: BTreeMap<InstallPath, MemberId> = lock
        .entries
        .iter()
        .filter(|(_, entry)| matches!(entry.package, Package::Directory { .. }))
        .map(|(path, _)| (path.clone(), MemberId::core()))
        .collect();
    let target = NodeTarget::new(Platform::X86_64Linux, "24.21.0").unwrap();
    let selected = select(lock, &roots, &target).unwrap();
    // npm links every workspace, whether somebody depends on it or not.
    let links = lock.entries.values().filter(|entry| matches!(entry.package, Package::Link { .. }));
    let places = selected.places.iter().map(|path| &lock.entries[path]);
    places
        .chain(links)
        .filter_map(|entry| {
            let what = match &entry.package {
                Package::Directory { .. } => return None,
                Package::Link { target } => format!("link:{target}"),
                Package::Bundled => "bundled".to_owned(),
                Package::Tarball { pins: Pins::Pinned(integrity), .. } => integrity.to_sri_string(),
                Package::Tarball { .. } => "no hash".to_owned(),
            };
            Some((entry.path.to_string(), what))
        })
        .collect()
}

#[test]
fn the_selection_is_npms_own_place_by_place() {
    let cases = cases();
    assert!(cases.len() >= 15, "{} locks", cases.len());
    let mut differences = Vec::new();
    let mut total = 0;
    for case in &cases {
        let lock =
            NpmLock::parse("package-lock.json", &fs::read(case.join("package-lock.json")).unwrap()).unwrap();
        assert!(lock.notes.is_empty(), "{case:?}: {:?}", lock.notes);
        let expected: BTreeMap<String, String> =
            serde_json::from_slice(&fs::read(case.join("expected.json")).unwrap()).unwrap();
        let ours = installed(&lock);
        total += expected.len();
        for place in expected.keys().chain(ours.keys()) {
            if expected.get(place) != ours.get(place) {
                let (npm, we) = (expected.get(place), ours.get(place));
                differences.push(format!("{}: {place}: npm {npm:?}, we {we:?}", case.display()));
            }
        }
    }
    differences.dedup();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(total > 500, "{total} places");
}
