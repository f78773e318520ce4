//! What changed between two locks, as a value: which thing, from which versions to which, and why.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use schemars::JsonSchema;
use serde::Serialize;

/// What kind of thing a lock pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The sources of a member of the federation.
    Member,
    /// A Debian package.
    System,
    /// A Python package of the image.
    Python,
    /// A Python package that something is built with.
    Build,
    /// A Python package out of a git repository.
    Git,
    /// An npm package.
    Npm,
}

/// Why a lock pins it otherwise than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// It is needed now and was not.
    Added,
    /// It was needed and is not any more.
    Removed,
    /// Newer versions were asked for, with `--update`.
    Updated,
    /// What is required of it changed, or of something that requires it.
    Required,
    /// Its files in the Crypt changed.
    Sources,
}

/// A thing whose locked versions changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Change {
    /// What it is.
    pub kind: Kind,
    /// Its name: of the package, of the member, or the repository's address and branch.
    pub name: String,
    /// Versions that were locked and no longer are; empty for what is new.
    pub from: Vec<String>,
    /// Versions that are locked now and were not; empty for what went.
    pub to: Vec<String>,
    /// Why.
    pub why: Why,
}

impl Why {
    /// Why something moved that was locked and still is; `update` when newer versions were asked for.
    #[must_use]
    pub fn moved(update: bool) -> Self {
        if update { Self::Updated } else { Self::Required }
    }
}

/// The versions of one lock, by name.
pub type Versions = BTreeMap<String, BTreeSet<String>>;

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, from, to, why: _ } = self;
        match (from.is_empty(), to.is_empty()) {
            (true, _) => write!(formatter, "{name} {} added", to.join(", "))?,
            (_, true) => write!(formatter, "{name} {} removed", from.join(", "))?,
            _ => write!(formatter, "{name} {} -> {}", from.join(", "), to.join(", "))?,
        }
        match kind {
            Kind::Build => formatter.write_str(" (to build with)"),
            Kind::Npm => formatter.write_str(" (npm)"),
            Kind::Member | Kind::System | Kind::Python | Kind::Git => Ok(()),
        }
    }
}

impl Change {
    /// A thing that had `from` and has `to`; `moved` says why when it has both. `None` when nothing changed.
    #[must_use]
    pub fn new(kind: Kind, name: String, from: Vec<String>, to: Vec<String>, moved: Why) -> Option<Self> {
        let why = match (from.is_empty(), to.is_empty()) {
            (true, true) => return None,
            (true, false) => Why::Added,
            (false, true) => Why::Removed,
            (false, false) => moved,
        };
        Some(Self { kind, name, from, to, why })
    }

    /// What differs between two locks; sorted by name.
    #[must_use]
    pub fn between(kind: Kind, old: &Versions, new: &Versions, moved: Why) -> Vec<Self> {
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let none = BTreeSet::new();
        let change = |name: &String| {
            let (before, after) = (old.get(name).unwrap_or(&none), new.get(name).unwrap_or(&none));
            let only = |of: &BTreeSet<String>, other| of.difference(other).cloned().collect();
            let mut change = Self::new(kind, name.clone(), only(before, after), only(after, before), moved)?;
            // One of several versions may come or go, and the package stays.
            if !before.is_empty() && !after.is_empty() {
                change.why = moved;
            }
            Some(change)
        };
        names.into_iter().filter_map(change).collect()
    }

    /// Whether it was locked before and still is.
    #[must_use]
    pub fn is_move(&self) -> bool {
        !self.from.is_empty() && !self.to.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_went_and_moved_is_told_with_why() {
        let versions = |all: &[(&str, &str)]| -> Versions {
            let mut versions = Versions::new();
            for (name, version) in all {
                versions.entry((*name).to_owned()).or_default().insert((*version).to_owned());
            }
            versions
        };
        let (old, new) = (
            versions(&[("a", "1"), ("b", "1"), ("c", "1"), ("e", "1"), ("e", "2"), ("f", "1"), ("f", "2")]),
            versions(&[("a", "1"), ("b", "2"), ("d", "1"), ("e", "2"), ("e", "3"), ("f", "2")]),
        );
        let changes = Change::between(Kind::Npm, &old, &new, Why::Updated);
        let told: Vec<(String, Why)> =
            changes.iter().map(|change| (change.to_string(), change.why)).collect();
        let expected = [
            ("b 1 -> 2 (npm)", Why::Updated),
            ("c 1 removed (npm)", Why::Removed),
            ("d 1 added (npm)", Why::Added),
            ("e 1 -> 3 (npm)", Why::Updated),
            ("f 1 removed (npm)", Why::Updated),
        ];
        assert_eq!(told, expected.map(|(text, why)| (text.to_owned(), why)));
        assert_eq!(Change::between(Kind::Npm, &old, &old, Why::Updated), []);
    }
}
