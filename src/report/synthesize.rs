//! `synthesize`.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Contents, Page, Report};
use crate::{digest::Sha256, lock::Change};

/// A Synthesis that was made or checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "synthesize --json", deny_unknown_fields)]
pub struct Synthesize {
    /// The synthesis id: sha256 of `synthesis.json`.
    pub synthesis_sha256: Sha256,
    /// What it holds.
    #[serde(flatten)]
    pub contents: Contents,
    /// What moved in the locks.
    pub moved: Vec<Change>,
    /// What else to know, a line each.
    pub notes: Vec<String>,
}

impl Report for Synthesize {
    fn write(&self, page: &mut Page) {
        self.contents.write(page);
        page.field("synthesis", format!("sha256:{}", self.synthesis_sha256));
        page.field("next", "`lychd-forge forge` builds it");
    }
}
