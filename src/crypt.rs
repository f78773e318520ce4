//! The Crypt: the directory that holds the core, the extensions and the locks, read into one value.

pub mod assets;
mod beside;
mod build_system;
mod discover;
pub mod federation_lock;
pub mod glob;
mod groups;
pub mod image_contract;
mod import_path;
pub mod inputs;
pub mod manifest;
pub mod package_json;
mod project;
mod requirement;
pub mod rune;
pub mod skeleton;
mod source;
pub mod system_dependency;
mod tool_lychd;
mod working_copy;

use std::{collections::BTreeMap, path::PathBuf};

pub use assets::{AssetSource, Assets};
pub use build_system::of_tree as build_system;
pub use discover::discover;
pub use federation_lock::FederationLock;
pub use manifest::{Manifest, SystemDependency};
pub use package_json::PackageJson;
pub use requirement::requirement_at;
pub use source::SourceTree;
pub use working_copy::{Checkout, WorkingCopy};

use crate::name::{MemberId, PackageName};

/// The core and the selected extensions, as they were when they were read.
#[derive(Clone, Debug, PartialEq)]
pub struct Federation {
    members: Vec<Member>,
    /// Distributions of extensions that lie in the Crypt and are not selected.
    unselected: BTreeMap<PackageName, MemberId>,
    /// What a person should know of the inputs.
    notes: Vec<String>,
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
    /// Its `package.json` files, by directory; empty for a member without npm packages.
    pub packages: Vec<PackageJson>,
    /// Its files.
    pub source: SourceTree,
    /// Where its repository stands.
    pub checkout: Checkout,
}

impl Federation {
    /// A federation that was not read from a disk.
    #[cfg(test)]
    pub(crate) fn for_test(members: Vec<Member>) -> Self {
        Self { members, unselected: BTreeMap::new(), notes: Vec::new() }
    }

    /// The extension that lies in the Crypt, is not selected, and is this distribution.
    #[must_use]
    pub fn unselected(&self, name: &PackageName) -> Option<&MemberId> {
        self.unselected.get(name)
    }

    /// The same federation with these extensions left out.
    #[cfg(test)]
    pub(crate) fn without(mut self, name: &str, id: &str) -> Self {
        if let (Ok(name), Ok(id)) = (name.parse(), id.parse()) {
            self.unselected.insert(name, id);
        }
        self
    }

    /// What of the inputs is not taken, and who should know: of what [`inputs`] has as noted.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

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

    /// The member called `id`, to add to its manifest what is known later than the text.
    pub fn member_mut(&mut self, id: &MemberId) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.id == *id)
    }

    /// The core.
    #[must_use]
    pub fn core(&self) -> Option<&Member> {
        self.members.first()
    }
}
