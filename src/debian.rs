//! System packages: Debian's signed index, resolved as apt does into a closed, pinned set.
//!
//! [`resolve`] is pure: it takes the lock, the index when it is at hand, and the roots, and says when it
//! cannot answer without the index. [`read_index`] is the one part that talks to a mirror.

mod closure;
pub mod essential;
pub mod index;
pub mod keys;
pub mod lock;
mod pinned;
mod record;
pub mod relation;
pub mod release;
mod request;
mod resolution;
pub mod resolver;
pub mod roots;
pub mod soname;
mod source;
mod system;
pub mod universe;
pub mod unneeded;
mod wanted;

pub use self::{
    record::{Part, SystemPackage, left_out},
    request::{Base, Request, Root},
    resolution::{Outcome, Resolution},
    source::{Mirrors, SystemSources, configured, read_index, read_packages},
    system::{System, SystemResolver},
};

use self::{index::Index, resolution::resolved, wanted::Wanted};
use crate::diagnostic::{Diagnostic, Failure};

/// Resolves the roots: from the lock alone when it answers for all of them, else over the index with
/// the pins kept as far as they fit.
///
/// # Errors
/// [`Failure::Refused`] when a root is unknown or ambiguous, or the set cannot be closed; it says by
/// which chain of needs and who asked.
pub fn resolve(request: &Request<'_>, index: Option<&Index>) -> Result<Outcome, Failure> {
    let wanted = Wanted::of(request)?;
    let steps = wanted.steps();
    let before = request.lock.and_then(|lock| lock.platform(request.platform));
    if !request.update
        && let Some(lock) = before
        && lock.suites() == request.suites
        && let Some(kept) = pinned::from_lock(request.platform, lock, &steps)?
    {
        return Ok(resolved(request, wanted, kept));
    }
    let Some(index) = index else { return Ok(Outcome::NeedsIndex) };
    if index.platform() != request.platform || index.suites() != request.suites {
        return Err(Failure::unable(Diagnostic::new(
            "the package index is that of another platform or suite",
        )));
    }
    // Pins of other suites cannot be mixed in; pins of fewer suites can.
    let pinned = before
        .filter(|lock| !request.update && lock.suites().iter().all(|suite| request.suites.contains(suite)));
    let lock = pinned::over_index(request, index, pinned, &steps)?;
    Ok(resolved(request, wanted, lock))
}

#[cfg(test)]
mod tests;
