//! The Codex comes back with its body: what the operator has not written since.

use std::path::Path;

use crate::{
    diagnostic::Failure,
    host::file,
    tree::{FileTree, RelativePath},
};

/// What became of a Codex.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutBack {
    /// Files that are what they were.
    pub back: Vec<String>,
    /// Files that somebody has written since: they stay.
    pub stay: Vec<String>,
}

impl PutBack {
    /// A line each for people: it is that of one generation again, and no longer that of another.
    #[must_use]
    pub fn told(&self, now: u64, before: u64) -> Vec<String> {
        let files = |all: &[String]| all.join(", ");
        let back = (!self.back.is_empty()).then(|| {
            format!(
                "the Codex is that of generation {now} again ({}); that of {before} is kept in generations/{before}/codex of the state directory",
                files(&self.back)
            )
        });
        let stay = (!self.stay.is_empty())
            .then(|| format!("what was written into the Codex since stays: {}", files(&self.stay)));
        back.into_iter().chain(stay).collect()
    }
}

/// What becomes of a Codex.
#[derive(Debug, Default, PartialEq, Eq)]
struct Return {
    /// Files that are written, with what they hold then; `None` for those that go.
    files: Vec<(RelativePath, Option<Vec<u8>>)>,
    /// Those that somebody wrote since: they stay.
    stay: Vec<RelativePath>,
}

/// Puts the Codex of the generation that comes back into its place, where it is still that of the one that goes.
///
/// # Errors
/// Unable when it cannot be read or written.
pub(super) fn put_back(place: &Path, leaving: &FileTree, arriving: &FileTree) -> Result<PutBack, Failure> {
    let mut live = FileTree::new();
    for (path, _) in leaving.iter().chain(arriving.iter()) {
        let whole = place.join(path.as_str());
        if let Some(entry) = file::if_there(&whole, file::read_entry(&whole))? {
            live.insert(path.clone(), entry);
        }
    }
    let Return { files, stay } = returned(&live, leaving, arriving);
    let back = files.iter().map(|(path, _)| path.to_string()).collect();
    for (path, bytes) in files {
        let whole = place.join(path.as_str());
        let written = match &bytes {
            Some(bytes) => file::write_again(&whole, bytes),
            None => file::remove(&whole),
        };
        written.map_err(|error| file::unable("write", &whole, &error))?;
    }
    Ok(PutBack { back, stay: stay.iter().map(ToString::to_string).collect() })
}

fn returned(live: &FileTree, leaving: &FileTree, arriving: &FileTree) -> Return {
    let mut all = Return::default();
    for (path, _) in leaving.iter().chain(arriving.iter().filter(|(path, _)| leaving.get(path).is_none())) {
        let (now, old) = (leaving.file(path), arriving.file(path));
        if now == old || live.file(path) == old {
            continue;
        }
        if live.file(path) == now {
            all.files.push((path.clone(), old.map(<[u8]>::to_vec)));
        } else {
            all.stay.push(path.clone());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> FileTree {
        let mut tree = FileTree::new();
        for (path, text) in files {
            tree.insert_text(path.parse().unwrap(), *text);
        }
        tree
    }

    #[test]
    fn what_was_written_since_stays() {
        let arriving = tree(&[("same", "a"), ("changed", "old"), ("gone", "old"), ("edited", "old")]);
        let leaving = tree(&[("same", "a"), ("changed", "new"), ("added", "new"), ("edited", "new")]);
        let live = tree(&[("same", "b"), ("changed", "new"), ("added", "new"), ("edited", "mine")]);
        let Return { files, stay } = returned(&live, &leaving, &arriving);
        let path = |name: &str| name.parse::<RelativePath>().unwrap();
        let want = [
            (path("added"), None),
            (path("changed"), Some(b"old".to_vec())),
            (path("gone"), Some(b"old".to_vec())),
        ];
        let mut files = files;
        files.sort();
        assert_eq!(files, want);
        assert_eq!(stay, [path("edited")]);
        // Done twice it is the same as once.
        assert_eq!(returned(&arriving, &leaving, &arriving), Return::default());
    }
}
