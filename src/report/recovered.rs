//! `bind --recover`: what became of an inscription that was cut short.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Page, Report};
use crate::{
    binding::settle::Settled,
    rebirth::{self, steps::Outcome},
};

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
    /// It was a rebirth, and its generation lives.
    Lives,
    /// It was a rebirth, and the generation before it goes on.
    Stayed,
    /// It was a rebirth; its generation did not live, and the one before is back.
    Returned,
    /// It was a rebirth, and neither generation lives.
    Down,
}

/// Whether an inscription was cut short, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "bind --recover --json, rebirth --recover --json", deny_unknown_fields)]
pub struct Recovered {
    /// What became of it.
    pub recovered: Way,
    /// The generation that it was of.
    pub generation: Option<u64>,
}

impl Recovered {
    /// What is told of a recovery.
    #[must_use]
    pub fn of(recovered: &rebirth::recovery::Recovered) -> Self {
        use rebirth::recovery::Recovered::{Inscription, Nothing, Rebirth};
        let (recovered, generation) = match recovered {
            Nothing => (Way::Nothing, None),
            Inscription(Settled::Finished(number)) => (Way::Finished, Some(*number)),
            Inscription(Settled::Undone(number)) => (Way::Undone, Some(*number)),
            Inscription(Settled::Released(number)) => (Way::Released, Some(*number)),
            Inscription(Settled::Kept(number)) => (Way::Kept, Some(*number)),
            Rebirth(Outcome::Lives(lives)) => (Way::Lives, Some(lives.generation)),
            Rebirth(Outcome::Stayed(old)) => (Way::Stayed, Some(*old)),
            Rebirth(Outcome::Returned(fallen)) => (Way::Returned, Some(fallen.old)),
            Rebirth(Outcome::Down(fallen)) => (Way::Down, Some(fallen.old)),
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
            (Way::Lives, Some(number)) => format!("generation {number} lives"),
            (Way::Stayed, Some(number)) => format!("generation {number} goes on"),
            (Way::Returned, Some(number)) => format!("returned to generation {number}"),
            (Way::Down, Some(number)) => format!("generation {number} is inscribed, and does not live"),
            _ => "nothing was cut short".to_owned(),
        };
        page.field("recovered", told);
    }
}
