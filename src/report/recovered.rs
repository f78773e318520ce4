//! `bind --recover`: what became of an inscription that was cut short.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Page, Report};
use crate::binding::settle::Settled;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// There was none.
    Nothing,
    /// Its generation is inscribed.
    Finished,
    /// All is as it was before.
    Undone,
    /// Its generation was to go, and is inscribed no longer.
    Released,
    /// Its generation was to go, and is inscribed as before.
    Kept,
}

/// Whether an inscription was cut short, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "bind --recover --json", deny_unknown_fields)]
pub struct Recovered {
    /// What became of it.
    pub recovered: Way,
    /// The generation that it was of.
    pub generation: Option<u64>,
}

impl Recovered {
    /// What is told of a recovery.
    #[must_use]
    pub fn of(settled: Option<Settled>) -> Self {
        let (recovered, generation) = match settled {
            None => (Way::Nothing, None),
            Some(Settled::Finished(number)) => (Way::Finished, Some(number)),
            Some(Settled::Undone(number)) => (Way::Undone, Some(number)),
            Some(Settled::Released(number)) => (Way::Released, Some(number)),
            Some(Settled::Kept(number)) => (Way::Kept, Some(number)),
        };
        Self { recovered, generation }
    }
}

impl Report for Recovered {
    fn write(&self, page: &mut Page) {
        let told = match (self.recovered, self.generation) {
            (Way::Finished, Some(number)) => format!("the inscription of generation {number} was finished"),
            (Way::Undone, Some(number)) => format!("the inscription of generation {number} was undone"),
            (Way::Released, Some(number)) => format!("generation {number} is inscribed no longer"),
            (Way::Kept, Some(number)) => format!("generation {number} is inscribed as before"),
            _ => "no inscription was cut short".to_owned(),
        };
        page.field("recovered", told);
    }
}
