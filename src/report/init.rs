//! `init`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Page, Report};

/// A skeleton that was written where nothing was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "init --json", deny_unknown_fields)]
pub struct Init {
    /// Files that were written.
    pub created: Vec<PathBuf>,
    /// What was there before, and was left as it is.
    pub kept: Vec<PathBuf>,
}

impl Report for Init {
    fn write(&self, page: &mut Page) {
        for (label, paths) in [("created", &self.created), ("kept", &self.kept)] {
            for path in paths {
                page.field(label, path.display().to_string());
            }
        }
        page.field("next", "`lychd-forge forge` makes the first body");
    }
}
