//! The Crypt: the directory that holds the core, the extensions and the locks, read into one value.

mod discover;
mod image_contract;
pub mod manifest;
mod project;
pub mod skeleton;
mod source;
mod tool_lychd;

use std::path::PathBuf;

pub use discover::discover;
pub use manifest::Manifest;
pub use source::SourceTree;

use crate::name::MemberId;

/// The core and the selected extensions, as they were when they were read.
#[derive(Clone, Debug, PartialEq)]
pub struct Federation {
    members: Vec<Member>,
}

/// The core or an extension.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// `core`, or the path below `extensions/`.
    pub id: MemberId,
    /// Where it lies on this host; never part of an output.
    pub directory: PathBuf,
    /// Its `pyproject.toml`, parsed from the bytes in `source`.
    pub manifest: Manifest,
    /// Its files.
    pub source: SourceTree,
}

impl Federation {
    /// Core first, then extensions by id.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member called `id`.
    #[must_use]
    pub fn member(&self, id: &MemberId) -> Option<&Member> {
        self.members.iter().find(|member| member.id == *id)
    }

    /// The core.
    #[must_use]
    pub fn core(&self) -> Option<&Member> {
        self.members.first()
    }
}
