//! Candidates that are staged: written where nothing finds them but the forge, `<state>/candidates/<hash>/`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::manifest::{CandidateId, Manifest};
use crate::{diagnostic::Failure, host::file};

/// The record of one.
const RECORD: &str = "candidate.json";
/// The most that it may hold, in bytes.
const LIMIT: u64 = 16 << 20;

fn directory(state: &Path) -> PathBuf {
    state.join("candidates")
}

/// Where a candidate lies.
#[must_use]
pub fn place(state: &Path, id: CandidateId) -> PathBuf {
    directory(state).join(id.to_string())
}

/// All that can be read, by their hashes.
///
/// # Errors
/// Unable when the directory cannot be read.
pub fn list(state: &Path) -> Result<BTreeMap<CandidateId, Manifest>, Failure> {
    let directory = directory(state);
    let names = file::if_there(&directory, file::list(&directory))?.unwrap_or_default();
    let mut all = BTreeMap::new();
    for (name, _) in names {
        let Ok(id) = name.parse::<CandidateId>() else { continue };
        let path = place(state, id).join(RECORD);
        let Some(text) = file::if_there(&path, file::read(&path, LIMIT))? else { continue };
        // What an older forge staged, or somebody changed, is none that could be asked for.
        if let Ok(manifest) = Manifest::parse(&path.display().to_string(), &text)
            && manifest.id() == id
        {
            all.insert(id, manifest);
        }
    }
    Ok(all)
}

/// Takes one away, if it is there.
///
/// # Errors
/// Unable when it cannot be removed.
pub fn remove(state: &Path, id: CandidateId) -> Result<(), Failure> {
    let place = place(state, id);
    file::remove(&place).map_err(|error| file::unable("remove", &place, &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        digest::Sha256,
        runes::{Layout, Rendered},
    };

    #[test]
    fn what_is_staged_is_listed_by_its_hash() {
        let state = tempfile::tempdir().unwrap();
        let state = state.path();
        assert_eq!(list(state).unwrap(), BTreeMap::new());
        let body = Sha256::of("body").to_string().parse().unwrap();
        let manifest = Manifest::of(
            "/site".as_ref(),
            (body, BTreeMap::new()),
            &Rendered::default(),
            &Layout::of_magus(),
        );
        let other = CandidateId::of(Sha256::of("other"));
        for id in [manifest.id(), other] {
            file::create_directory(&place(state, id)).unwrap();
            file::write(&place(state, id).join(RECORD), manifest.to_text().as_bytes()).unwrap();
        }
        file::create_directory(&directory(state).join("notes")).unwrap();
        assert_eq!(list(state).unwrap(), [(manifest.id(), manifest.clone())].into(), "another has its text");
        remove(state, manifest.id()).unwrap();
        assert_eq!(list(state).unwrap(), BTreeMap::new());
    }
}
