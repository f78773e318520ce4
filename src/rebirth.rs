//! The Rebirth Gate: from one body to another by a human's word, and back. Units, database and Codex go together.
//!
//! The order and what each crash leaves are in `docs/rebirth.md`.

pub mod ascension;
pub mod codex;
pub mod fate;
pub mod gate;
mod keeper;
mod password;
pub mod past;
pub mod properties;
pub mod recovery;
pub mod rite;
mod services;
pub mod snapshots;
pub mod soul;
mod sql;
pub mod standing;
pub mod steps;
pub mod watch;
