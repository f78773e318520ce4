//! Locks of every kind: how they are called, what becomes of what they pin, what moved in them.

mod change;
mod mode;
pub mod names;
mod refusal;
mod summary;

pub use change::{Change, Kind, Versions, Why};
pub use mode::{Mode, Modes};
pub use refusal::{lock_changed, lock_missing, lock_unfit, with_repair_hint};
pub use summary::summary;
