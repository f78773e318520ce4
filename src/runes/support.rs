//! Files that the forge's containers read and no image has. Each is called after its content, so a unit says which one it
//! reads, none ever changes under a container, and an inscription needs nothing but its units to be exchanged.

use std::collections::BTreeMap;

use super::{
    mounts::{self, Layout},
    unit::Value,
};
use crate::{
    diagnostic::{Diagnostic, Failure},
    digest::Sha256,
    tree::FileTree,
};

/// What there is, for the Vessel: the Animator's registry.
pub(super) const CAPABILITIES: &str = "capabilities.json";
/// What a new database begins with.
pub(super) const FIRST_SQL: &str = "phylactery.sql";

/// The text of [`FIRST_SQL`].
const FIRST_SQL_TEXT: &str = "\
-- Run once, by the database's image, when the data directory is new.
CREATE EXTENSION IF NOT EXISTS vector;
CREATE DATABASE phoenix;
\\connect phoenix
CREATE EXTENSION IF NOT EXISTS vector;
";

/// All of an inscription, by their plain names.
pub(super) struct Support(BTreeMap<&'static str, String>);

impl Support {
    /// The registry, the first SQL and what else is wanted.
    pub(super) fn of(
        registry: String,
        others: impl IntoIterator<Item = (&'static str, &'static str)>,
    ) -> Self {
        let own = [(CAPABILITIES, registry), (FIRST_SQL, FIRST_SQL_TEXT.to_owned())];
        let others = others.into_iter().map(|(name, text)| (name, text.to_owned()));
        Self(own.into_iter().chain(others).collect())
    }

    /// The mount of a file at a path of a container; none of one that there is not.
    pub(super) fn mount(
        &self,
        name: &str,
        inside: &str,
        layout: &Layout,
        errors: &mut Vec<Diagnostic>,
    ) -> Option<Value> {
        let file = layout.support.join(called(name, self.0.get(name)?));
        Some(mounts::host(&file, layout, errors).then(":").then(inside).then(":ro,z"))
    }

    /// The files as they lie in the support directory.
    ///
    /// # Errors
    /// None: their names are plain.
    pub(super) fn tree(&self) -> Result<FileTree, Failure> {
        let mut tree = FileTree::new();
        for (name, text) in &self.0 {
            let path = called(name, text).parse();
            tree.insert_text(path.map_err(|error| Diagnostic::new(format!("{error}")))?, text.as_str());
        }
        Ok(tree)
    }
}

/// `<12 hex digits of the content's sha256>-<name>`.
fn called(name: &str, text: &str) -> String {
    format!("{}-{name}", Sha256::of(text).short(12))
}

/// Whether a file of the support directory is the Animator's registry.
#[must_use]
pub fn is_capabilities(file: &str) -> bool {
    file.split_once('-').is_some_and(|(_, name)| name == CAPABILITIES)
}
