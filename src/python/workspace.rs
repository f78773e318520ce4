//! One uv workspace of all members: staged, locked by our own uv, its conflicts told in the members' terms.
//!
//! Nothing of a member is run. uv sees static metadata alone (see `stage`), it must find wheels, and the
//! Python it asks for markers cannot be started by a build (see [`crate::tools`]).
//!
//! `uv.lock` does not lock what is built from source and with what, so there are two steps with a decision between:
//! [`lock_federation`] gives the versions; the plan over them says what is built; [`lock_builds`] locks the rest.

mod build;
mod builds;
mod check;
mod collect;
mod conflict;
mod extras;
mod federation;
mod locked;
mod moves;
mod node;
mod overruled;
mod part;
mod pins;
mod project;
mod relock;
mod root_settings;
mod seed;
mod stage;
#[cfg(test)]
pub(crate) mod tests;
mod uv;

pub use builds::lock_builds;
pub use federation::{LockedFederation, Request, lock_federation};
pub use locked::{BuildLock, Locked, LockedProject, Locks, SourcePackage};
pub(crate) use part::{Part, parts};
