//! `fetch`, into the store or a folder.

use std::path::PathBuf;

use indicatif::HumanBytes;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Page, Report};
use crate::{digest::Sha256, lock::Change};

/// Downloads that were brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "fetch --json", deny_unknown_fields)]
#[serde(untagged)]
pub enum Fetch {
    /// Into the Nix store.
    Store {
        /// The synthesis id they are for.
        synthesis_sha256: Sha256,
        /// How many downloads the Synthesis has.
        artifacts: usize,
        /// How many the store lacked, what the substrate starts from among them.
        fetched: usize,
        /// What moved in the locks.
        moved: Vec<Change>,
        /// What else to know.
        notes: Vec<String>,
    },
    /// With `--to`, into a folder.
    Folder {
        /// The synthesis id they are for.
        synthesis_sha256: Sha256,
        /// How many files there are, the forge's own tools among them.
        artifacts: usize,
        /// Their bytes.
        size: u64,
        /// The folder.
        directory: PathBuf,
        /// What moved in the locks.
        moved: Vec<Change>,
        /// What else to know.
        notes: Vec<String>,
    },
}

impl Report for Fetch {
    fn write(&self, page: &mut Page) {
        match self {
            Self::Store { artifacts, fetched, .. } => {
                page.field("artifacts", format!("{artifacts} in the store, {fetched} of them new"));
            }
            Self::Folder { artifacts, size, directory, .. } => {
                page.field("folder", directory.display().to_string());
                page.field("artifacts", format!("{artifacts}, {}", HumanBytes(*size)));
                page.field(
                    "next",
                    "copy it with Codex and Crypt, then `lychd-forge forge --locked --from DIR`",
                );
            }
        }
    }
}
