//! Where a member's repository stands, and whether its files are those of that commit.

use std::{collections::BTreeSet, path::Path};

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::{
    diagnostic::Failure,
    digest::object_id::ObjectId,
    host::{
        file,
        vcs::{self, Commit, Committed, Found, Kind, System},
    },
    tree::{Entry, FileTree},
};

/// The state of a member's repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorkingCopy {
    /// The member's directory is not the top of a repository: its hash alone says what it is.
    #[default]
    Unversioned,
    /// It is.
    Repository {
        /// What keeps the history.
        system: System,
        /// The commit it is at.
        revision: ObjectId,
        /// Whether the source tree holds other files than that commit.
        dirty: bool,
    },
}

impl WorkingCopy {
    /// `git`, `jj` or `none`.
    #[must_use]
    pub const fn vcs(&self) -> &'static str {
        match self {
            Self::Unversioned => "none",
            Self::Repository { system: System::Git, .. } => "git",
            Self::Repository { system: System::Jj, .. } => "jj",
        }
    }

    /// The commit, when there is one.
    #[must_use]
    pub const fn revision(&self) -> Option<ObjectId> {
        match self {
            Self::Unversioned => None,
            Self::Repository { revision, .. } => Some(*revision),
        }
    }

    /// Whether files differ from the commit; `None` when there is none.
    #[must_use]
    pub const fn dirty(&self) -> Option<bool> {
        match self {
            Self::Unversioned => None,
            Self::Repository { dirty, .. } => Some(*dirty),
        }
    }
}

/// As the fields `vcs`, `revision` and `dirty`, with `null` for what there is not.
impl Serialize for WorkingCopy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("WorkingCopy", 3)?;
        fields.serialize_field("vcs", self.vcs())?;
        fields.serialize_field("revision", &self.revision())?;
        fields.serialize_field("dirty", &self.dirty())?;
        fields.end()
    }
}

/// A member's working copy with what a person wants to know of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkout {
    /// Its state.
    pub working_copy: WorkingCopy,
    /// Paths at which the source tree and the commit differ.
    pub changes: BTreeSet<String>,
    /// Whether it is a repository in which nothing was committed yet, which counts as none.
    pub unborn: bool,
}

impl Checkout {
    /// Reads the repository whose top is `directory`, and holds `tree`, which was read there, against it.
    ///
    /// # Errors
    /// As [`vcs::head`].
    pub fn read(directory: &Path, shown: &str, tree: &FileTree) -> Result<Self, Failure> {
        let commit = match vcs::head(directory, shown)? {
            Found::Nothing => return Ok(Self::default()),
            Found::Unborn => return Ok(Self { unborn: true, ..Self::default() }),
            Found::Commit(commit) => commit,
        };
        let changes = changes(tree, &commit, |path| file::exists(&directory.join(path)))?;
        let working_copy = WorkingCopy::Repository {
            system: commit.system,
            revision: commit.revision,
            dirty: !changes.is_empty(),
        };
        Ok(Self { working_copy, changes, unborn: false })
    }
}

/// Where a tree and a commit differ, told from the bytes: neither git's index nor its filters have a say.
///
/// A file that was committed although it is ignored belongs to no source tree (see [`super::SourceTree`]), so only
/// its absence from the disk counts.
fn changes(
    tree: &FileTree,
    commit: &Commit,
    on_disk: impl Fn(&str) -> Result<bool, Failure>,
) -> Result<BTreeSet<String>, Failure> {
    let differs = |committed: &Committed, entry: &Entry| {
        let (kind, bytes) = match entry {
            Entry::File { bytes, executable } => (Kind::File { executable: *executable }, &**bytes),
            Entry::Link { target } => (Kind::Link, target.as_bytes()),
        };
        committed.kind != kind || committed.blob != committed.blob.of_blob_beside(bytes)
    };
    let mut changes: BTreeSet<String> = tree
        .iter()
        .filter(|(path, entry)| commit.files.get(path.as_str()).is_none_or(|known| differs(known, entry)))
        .map(|(path, _)| path.to_string())
        .collect();
    let here: BTreeSet<&str> = tree.iter().map(|(path, _)| path.as_str()).collect();
    for path in commit.files.keys().filter(|path| !here.contains(path.as_str())) {
        if !on_disk(path)? {
            changes.insert(path.clone());
        }
    }
    changes.extend(commit.absent.iter().cloned());
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REVISION: &str = "ce013625030ba8dba906f756967f9e9ca394464a";

    fn file(text: &str, executable: bool) -> Entry {
        Entry::File { bytes: text.as_bytes().into(), executable }
    }

    #[test]
    fn a_tree_is_dirty_where_its_bytes_kinds_or_modes_are_others() {
        let revision: ObjectId = REVISION.parse().unwrap();
        let blob = |text: &str| revision.of_blob_beside(text.as_bytes());
        let committed = |text, kind| Committed { kind, blob: blob(text) };
        let plain = Kind::File { executable: false };
        let files = [
            ("same", committed("same", plain)),
            ("edited", committed("before", plain)),
            ("now-a-program", committed("x", plain)),
            ("link", committed("same", Kind::Link)),
            ("gone", committed("x", plain)),
            ("ignored.log", committed("x", plain)),
        ];
        let commit = Commit {
            system: System::Git,
            revision,
            files: files.into_iter().map(|(path, one)| (path.to_owned(), one)).collect(),
            absent: BTreeSet::from(["module".to_owned()]),
        };
        let mut tree = FileTree::new();
        for (path, entry) in [
            ("same", file("same", false)),
            ("edited", file("after", false)),
            ("now-a-program", file("x", true)),
            ("link", Entry::Link { target: "same".to_owned() }),
            ("new", file("x", false)),
        ] {
            tree.insert(path.parse().unwrap(), entry);
        }
        let changes = changes(&tree, &commit, |path| Ok(path == "ignored.log")).unwrap();
        assert_eq!(
            changes.into_iter().collect::<Vec<_>>(),
            ["edited", "gone", "module", "new", "now-a-program"]
        );
    }

    #[test]
    fn the_fields_are_always_there() {
        let text = |copy: &WorkingCopy| serde_json::to_string(copy).unwrap();
        assert_eq!(text(&WorkingCopy::Unversioned), r#"{"vcs":"none","revision":null,"dirty":null}"#);
        let revision = REVISION.parse().unwrap();
        let copy = WorkingCopy::Repository { system: System::Jj, revision, dirty: true };
        assert_eq!(text(&copy), format!(r#"{{"vcs":"jj","revision":"{REVISION}","dirty":true}}"#));
    }
}
