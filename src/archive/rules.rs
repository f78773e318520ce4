//! What a caller takes from an archive.

use super::error::ArchiveError;

/// Archives that stand for one tree of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// tar, packed with gzip.
    TarGz,
    /// zip.
    Zip,
}

impl Format {
    /// The format that a file's name says.
    ///
    /// # Errors
    /// [`ArchiveError::Format`] for every other ending.
    pub fn of(name: &str) -> Result<Self, ArchiveError> {
        let name = name.to_ascii_lowercase();
        let ends = |ending: &str| name.ends_with(ending);
        if ends(".tar.gz") || ends(".tgz") {
            Ok(Self::TarGz)
        } else if ends(".zip") {
            Ok(Self::Zip)
        } else {
            Err(ArchiveError::Format)
        }
    }
}

/// What becomes of each kind of entry, and how much of it all there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Symbolic links.
    pub links: Links,
    /// Hard links.
    pub hard_links: HardLinks,
    /// Files with the set-user-id or set-group-id bit.
    pub set_id: SetId,
    /// Everything lies in one directory at the top, which is left out.
    pub strip_top: bool,
    /// How much there may be.
    pub limits: Limits,
}

/// What becomes of symbolic links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// None is taken.
    Refused,
    /// Those whose text alone shows that they stay in the tree ([`crate::tree::link::escape`]).
    Inside,
    /// Those that stay in the tree when followed through all others; the tree is the root, so that an absolute one is
    /// made relative.
    Rooted,
}

/// What becomes of hard links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HardLinks {
    /// None is taken.
    Refused,
    /// One to a file before it is a file of the same bytes.
    Copied,
}

/// What becomes of the set-user-id and set-group-id bits, which no tree keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetId {
    /// The file is taken without them.
    Dropped,
    /// The file is refused: without them it does not do what its package means.
    Refused,
}

/// How much an archive may hold. The length of a path is limited by [`crate::tree::RelativePath`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the archive itself.
    pub packed: u64,
    /// Bytes of all files, those of several archives together where they make one tree.
    pub unpacked: u64,
    /// Entries of one archive.
    pub entries: usize,
}
