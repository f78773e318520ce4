//! Targets: the gate of one rune, or a Coven.

use std::collections::BTreeSet;

use super::{Key, Unit};

/// A plain systemd target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// What a person reads.
    pub description: String,
    /// Units it stops with.
    pub part_of: BTreeSet<String>,
    /// Units it starts, whether they succeed or not.
    pub wants: BTreeSet<String>,
    /// Units it cannot do without.
    pub requires: BTreeSet<String>,
    /// Units that come after it.
    pub before: BTreeSet<String>,
    /// Units that come first.
    pub after: BTreeSet<String>,
    /// Targets that stop when it starts.
    pub conflicts: BTreeSet<String>,
}

impl Target {
    /// The unit.
    #[must_use]
    pub fn to_unit(&self) -> Unit {
        let mut unit = Unit::new();
        unit.set(Key::Description, &self.description);
        unit.list(Key::PartOf, &self.part_of);
        unit.list(Key::Wants, &self.wants);
        unit.list(Key::Requires, &self.requires);
        unit.list(Key::Before, &self.before);
        unit.list(Key::After, &self.after);
        unit.list(Key::Conflicts, &self.conflicts);
        unit
    }
}
