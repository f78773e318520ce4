//! Who judges a rendered set, and what comes of it.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::Serialize;

use super::{drop_ins::UserUnits, search::SearchTree};
use crate::{
    diagnostic::{Diagnostic, Failure},
    runes::{Rendered, podman::PodmanVersion},
};

/// Whose program it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The host's own.
    Host,
    /// Of a package of Debian 13, in the forge's cache.
    Debian,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Host => "this host's",
            Self::Debian => "Debian 13's",
        })
    }
}

/// What came of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// All that is wrong; the set passes when there is nothing.
    pub findings: Vec<Diagnostic>,
    /// What was seen and is no fault of the units, such as that this host has no podman to start.
    pub notes: Vec<String>,
    /// The units that podman's generator made, by name.
    pub made: BTreeMap<String, String>,
}

/// What of the user's own shapes units besides a rendered set.
#[derive(Clone, Copy, Debug)]
pub struct Theirs<'a> {
    /// In podman's directories.
    pub quadlets: &'a SearchTree,
    /// In systemd's.
    pub units: &'a UserUnits,
}

/// A podman and a systemd that judge.
pub trait Judge {
    /// Whose podman judges, in which version.
    fn podman(&self) -> (PodmanVersion, Origin);

    /// Whose systemd judges, in which version.
    fn systemd(&self) -> (&str, Origin);

    /// Judges a set.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it could not be checked; what is wrong with the units is in the [`Verdict`].
    fn judge(&self, rendered: &Rendered) -> Result<Verdict, Failure>;

    /// Judges a set that passed alone, of which `alone` was made, at its place among what is the user's own.
    ///
    /// # Errors
    /// As [`Judge::judge`]; what is wrong with the user's own units alone is no finding.
    fn judge_among(
        &self,
        rendered: &Rendered,
        alone: &BTreeMap<String, String>,
        theirs: Theirs<'_>,
    ) -> Result<Verdict, Failure>;
}
