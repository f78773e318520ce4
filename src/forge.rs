//! The forge: a Crypt becomes a Synthesis, and that a body in podman.
//!
//! [`prepare()`] is the half that every flow begins with, [`forge()`] the whole way. Neither knows a command line or a
//! terminal.

pub mod archive;
mod built;
pub mod executor;
mod flow;
pub mod missing_libraries;
pub mod nix;
pub mod preflight;
mod prepare;
mod prepared;
mod programs;
pub mod requesters;

pub use flow::{Forged, Forging, forge};
pub use prepare::{Pins, Preparation, prepare};
pub use prepared::Prepared;

use self::{
    executor::{Executor, Wanted},
    nix::Nix,
};
use crate::diagnostic::Failure;

/// The executor to build with: Nix is the only one.
///
/// # Errors
/// Why none is usable on this host.
pub fn executor(wanted: &Wanted) -> Result<Box<dyn Executor>, Failure> {
    Ok(Box::new(Nix::usable(wanted)?))
}
