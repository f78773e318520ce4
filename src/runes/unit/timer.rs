//! A timer that starts a service again.

use super::{Key, Unit};

/// A plain systemd timer. It runs when it is started, and starts the service of its own name once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// What a person reads.
    pub description: String,
    /// Seconds until then.
    pub seconds: u32,
    /// The unit that it stops with.
    pub part_of: String,
}

impl Timer {
    /// The unit.
    #[must_use]
    pub fn to_unit(&self) -> Unit {
        let mut unit = Unit::new();
        unit.set(Key::Description, &self.description);
        unit.set(Key::PartOf, &self.part_of);
        unit.set(Key::StartLimitIntervalSec, "0");
        unit.set(Key::OnActiveSec, self.seconds.to_string());
        // It can be started again as soon as it is through.
        unit.set(Key::RemainAfterElapse, "false");
        unit
    }
}
