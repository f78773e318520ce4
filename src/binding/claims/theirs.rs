//! A Quadlet file of the user's own, and what comes of the comparison.

use std::path::PathBuf;

use crate::{binding::entries::Entry, diagnostic::Diagnostic};

/// What comes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Names that only one can have.
    pub wrong: Vec<Diagnostic>,
    /// What can go wrong when both run.
    pub notes: Vec<String>,
}

/// A Quadlet file of the user's own with what its drop-ins add.
pub(super) struct Theirs<'a> {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// The file's name.
    pub(super) name: &'a str,
    /// All that it says.
    pub(super) said: Vec<Entry>,
}
