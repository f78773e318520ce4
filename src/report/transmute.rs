//! `transmute`, and what `--check` finds.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Page, Report};
use crate::lock::Change;

/// A flake held against its directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "transmute --json", deny_unknown_fields)]
pub struct Transmute {
    /// Where it is.
    pub directory: PathBuf,
    /// How many files it has.
    pub files: usize,
    /// Whether the directory held it already.
    pub equal: bool,
    /// Whether it was written; not with `--check`.
    pub written: bool,
    /// The files that were not as they are to be.
    pub changed: Vec<ChangedFile>,
    /// What moved in the locks, which are written with `--check` as well.
    pub moved: Vec<Change>,
    /// What else to know.
    pub notes: Vec<String>,
}

/// A file of the flake that differs, or is there and should not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ChangedFile {
    /// Below the directory.
    pub path: String,
    /// A unified diff; with `--check` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

impl Report for Transmute {
    fn write(&self, page: &mut Page) {
        if !self.written {
            for diff in self.changed.iter().filter_map(|file| file.diff.as_ref()) {
                page.line(diff.as_str());
            }
            return;
        }
        let directory = self.directory.display();
        page.field("flake", directory.to_string());
        page.field("changed", format!("{} of {} files", self.changed.len(), self.files));
        page.field("next", format!("nix build path:{directory}#lychd-image"));
    }
}
