//! A tree of files as a value: what a source tree is after reading and a flake before writing.

pub mod compare;
pub mod link;
mod literal;

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

pub use literal::PathLiteral;

/// A [`RelativePath`] of a literal or constant, checked when the forge is compiled.
macro_rules! relative_path {
    ($text:expr) => {{
        const PATH: $crate::tree::PathLiteral = $crate::tree::PathLiteral::new($text);
        $crate::tree::RelativePath::from(PATH)
    }};
}
pub(crate) use relative_path;

/// A relative path of validated components, joined by `/`: no empty part, `.`, `..`, NUL or backslash,
/// at most 255 bytes a part and 4,096 in all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelativePath(String);

/// Why a text is no [`RelativePath`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a plain relative path", .0.escape_debug())]
pub struct RelativePathError(String);

impl FromStr for RelativePath {
    type Err = RelativePathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let sound = |part: &str| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && part.len() <= 255
                && !part.contains(|c: char| c.is_control() || c == '\\')
        };
        if text.len() <= 4096 && text.split('/').all(sound) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RelativePathError(text.to_owned()))
        }
    }
}

impl From<PathLiteral> for RelativePath {
    fn from(literal: PathLiteral) -> Self {
        Self(literal.as_str().to_owned())
    }
}

impl RelativePath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts, outermost first.
    #[must_use]
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The directories above it, outermost first.
    pub fn above(&self) -> impl Iterator<Item = Self> {
        self.0.match_indices('/').filter_map(|(at, _)| Some(Self(self.0.get(..at)?.to_owned())))
    }

    /// This path below `directory`.
    #[must_use]
    pub fn below(&self, directory: &RelativePath) -> Self {
        Self(format!("{}/{}", directory.0, self.0))
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a path of a [`FileTree`] holds. Directories are implied by the paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A regular file.
    File {
        /// Its bytes, as they were read or will be written.
        bytes: Arc<[u8]>,
        /// The only mode bit that survives the Nix store.
        executable: bool,
    },
    /// A symbolic link whose target stays inside the tree.
    Link {
        /// The target as it stands in the link, relative to the link's directory.
        target: String,
    },
}

/// A sorted tree of files and links; equal trees give equal bytes wherever they are written or hashed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileTree {
    entries: BTreeMap<RelativePath, Entry>,
}

impl FileTree {
    /// An empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an entry at `path`, replacing what was there.
    pub fn insert(&mut self, path: RelativePath, entry: Entry) {
        self.entries.insert(path, entry);
    }

    /// Puts a plain, non-executable file at `path`.
    pub fn insert_text(&mut self, path: RelativePath, text: impl AsRef<str>) {
        self.insert(path, Entry::File { bytes: text.as_ref().as_bytes().into(), executable: false });
    }

    /// Puts a whole tree below `directory`.
    pub fn insert_tree(&mut self, directory: &RelativePath, tree: &FileTree) {
        for (path, entry) in &tree.entries {
            self.insert(path.below(directory), entry.clone());
        }
    }

    /// What lies below `directory`, as a tree of its own.
    #[must_use]
    pub fn subtree(&self, directory: &RelativePath) -> Self {
        let prefix = format!("{directory}/");
        let below = self.entries.iter().filter_map(|(path, entry)| {
            Some((RelativePath(path.0.strip_prefix(&prefix)?.to_owned()), entry.clone()))
        });
        Self { entries: below.collect() }
    }

    /// The entry at `path`.
    #[must_use]
    pub fn get(&self, path: &RelativePath) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// The bytes of the regular file at `path`.
    #[must_use]
    pub fn file(&self, path: &RelativePath) -> Option<&[u8]> {
        match self.entries.get(path)? {
            Entry::File { bytes, .. } => Some(bytes),
            Entry::Link { .. } => None,
        }
    }

    /// All entries, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&RelativePath, &Entry)> {
        self.entries.iter()
    }

    /// How many files and links there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_relative_paths_are_accepted() {
        for bad in ["", "/a", "a//b", "./a", "a/..", "a\0b", "a\\b", "a/", &"x".repeat(256)] {
            assert!(bad.parse::<RelativePath>().is_err(), "{bad:?}");
        }
        assert_eq!("src/a b.py".parse::<RelativePath>().unwrap().as_str(), "src/a b.py");
    }
}
