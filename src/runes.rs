//! The Infrastructure Layer: Codex, Federation and Body to a set of unit files. Pure: what the host has to say comes in
//! as values.
//!
//! One pod holds all containers. `lychd-vessel` (the application), its gate `lychd-migrate`, `lychd-phylactery`
//! (`PostgreSQL`) and Phoenix are always on; Soulstones and members' runes stand beside them. Who excludes whom is in
//! [`coven`], who listens where in [`ports`], what a container may do in the hardened default of [`mod@unit`] and the
//! grants of the Codex.

mod capabilities;
mod consent;
mod core;
pub mod coven;
mod environment;
mod health;
mod images;
mod lychd_differences;
mod mounts;
pub mod names;
pub mod podman;
pub mod ports;
mod question;
pub mod record;
mod render;
mod secrets;
mod stone;
mod support;
pub mod systemd;
pub mod unit;
mod variables;

pub use capabilities::SCHEMA as CAPABILITIES_SCHEMA;
pub use images::ImageUse;
pub use mounts::{Layout, MountUse};
pub use question::Question;
pub use record::{MemberRune, RuneRecord, WebPort};
pub use render::{Granted, RenderInput, Rendered, Service, render};
pub use support::is_capabilities;

/// What a unit's name begins with.
pub const PREFIX: &str = "lychd-";
/// The pod.
pub const POD: &str = "lychd";
/// The pod's Quadlet file.
pub const POD_FILE: &str = "lychd.pod";
/// The pod's service.
pub const POD_SERVICE: &str = "lychd-pod.service";

/// The application's container and service, without suffix.
pub const VESSEL: &str = "lychd-vessel";
/// The application's service.
pub const VESSEL_SERVICE: &str = "lychd-vessel.service";
/// The migration's, without suffix.
pub const MIGRATE: &str = "lychd-migrate";
/// The migration's service.
pub const MIGRATE_SERVICE: &str = "lychd-migrate.service";
/// The database's, without suffix.
pub const DATABASE: &str = "lychd-phylactery";
/// The database's service.
pub const DATABASE_SERVICE: &str = "lychd-phylactery.service";

/// Where the database's server has its files, below the Crypt.
pub const DATA: &str = "postgres/data";

/// A rune's container and service, without suffix.
#[must_use]
pub fn stem(name: &crate::name::RuneName) -> String {
    format!("{PREFIX}{name}")
}

/// A rune's gate: the target that bears its conflicts.
#[must_use]
pub fn gate(name: &crate::name::RuneName) -> String {
    format!("{PREFIX}animator-{name}.target")
}

/// A Coven's target.
#[must_use]
pub fn coven_target(name: &crate::name::RuneName) -> String {
    format!("{PREFIX}coven-{name}.target")
}
