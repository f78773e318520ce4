//! The forge: a Synthesis becomes a body in podman.

pub mod executor;
pub mod nix;
pub mod requesters;

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
