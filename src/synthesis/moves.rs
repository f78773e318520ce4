//! What moved between two locks, whatever their format.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A package whose locked versions changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Move {
    /// Its name.
    pub name: String,
    /// Versions that were locked and no longer are; empty for a package that is new.
    pub from: Vec<String>,
    /// Versions that are locked now and were not; empty for a package that went.
    pub to: Vec<String>,
}

impl fmt::Display for Move {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, from, to } = self;
        match (from.is_empty(), to.is_empty()) {
            (true, _) => write!(formatter, "{name} {} added", to.join(", ")),
            (_, true) => write!(formatter, "{name} {} removed", from.join(", ")),
            _ => write!(formatter, "{name} {} -> {}", from.join(", "), to.join(", ")),
        }
    }
}

impl Move {
    /// What differs between two locks, each the versions by name; sorted by name.
    pub(super) fn between(
        old: &BTreeMap<String, BTreeSet<String>>,
        new: &BTreeMap<String, BTreeSet<String>>,
    ) -> Vec<Self> {
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let none = BTreeSet::new();
        names
            .into_iter()
            .map(|name| {
                let (before, after) = (old.get(name).unwrap_or(&none), new.get(name).unwrap_or(&none));
                Self {
                    name: name.clone(),
                    from: before.difference(after).cloned().collect(),
                    to: after.difference(before).cloned().collect(),
                }
            })
            .filter(|one| !one.from.is_empty() || !one.to.is_empty())
            .collect()
    }
}
