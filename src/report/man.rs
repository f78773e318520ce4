//! `man --out`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Page, Report};

/// Manual pages that were written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "man --out --json", deny_unknown_fields)]
pub struct Man {
    /// Where they are.
    pub directory: PathBuf,
    /// Names of the files.
    pub pages: Vec<String>,
}

impl Report for Man {
    fn write(&self, page: &mut Page) {
        page.field("manual", self.directory.display().to_string());
        page.field("pages", self.pages.len().to_string());
    }
}
