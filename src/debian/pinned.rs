//! From roots to a closed set of pins: over the lock's own edges, or over the index with the pins kept as far as
//! they fit.

use std::collections::BTreeSet;

use super::{
    Request, Root,
    closure::close,
    index::Index,
    lock::{Pin, PlatformLock},
    universe::Universe,
};
use crate::{
    diagnostic::Failure,
    name::{DebianName, Platform},
};

/// What the roots reach over the lock's own edges; `None` when it does not answer for one of them, or not whole.
pub(super) fn from_lock(
    platform: Platform,
    lock: &PlatformLock,
    steps: &[Vec<Root>],
) -> Result<Option<PlatformLock>, Failure> {
    let names = steps.iter().flatten().map(|root| &root.name);
    if !lock.is_whole() || names.clone().any(|name| lock.answer(name).is_none()) {
        return Ok(None);
    }
    let reached = lock.reach(names.clone(), |_, _| true);
    let pins = lock.packages().values().filter(|pin| reached.contains(&pin.name)).cloned().collect();
    let asked: BTreeSet<&DebianName> = names.collect();
    let aliases = lock.aliases().iter().filter(|(alias, _)| asked.contains(alias));
    let aliases = aliases.map(|(alias, target)| (alias.clone(), target.clone())).collect();
    PlatformLock::new(platform, lock.suites().to_vec(), aliases, pins).map(Some).map_err(Failure::from)
}

/// Resolves over the index. A pin that stands in the way is released, and with it every pin that the
/// index no longer knows and that was made together with it.
pub(super) fn over_index(
    request: &Request<'_>,
    index: &Index,
    lock: Option<&PlatformLock>,
    steps: &[Vec<Root>],
) -> Result<PlatformLock, Failure> {
    let pinned: BTreeSet<DebianName> =
        lock.map(|lock| lock.packages().keys().cloned().collect()).unwrap_or_default();
    let mut released = BTreeSet::new();
    loop {
        let universe = Universe::new(index, lock, &released);
        let mut more: BTreeSet<DebianName> = match close(&universe, lock, steps) {
            Ok(closure) => {
                let stale =
                    |pin: &&Pin| !released.contains(&pin.name) && universe.is_stale(pin.name.as_str());
                let loose = |pin: &&Pin| pin.depends.iter().any(|name| released.contains(name));
                let torn: BTreeSet<DebianName> =
                    closure.pins.iter().filter(stale).filter(loose).map(|pin| pin.name.clone()).collect();
                if torn.is_empty() {
                    tracing::debug!(packages = closure.pins.len(), "system packages");
                    return PlatformLock::new(
                        request.platform,
                        request.suites.to_vec(),
                        closure.aliases,
                        closure.pins,
                    )
                    .map_err(Failure::from);
                }
                torn
            }
            Err(unsatisfied) => {
                let blamed = unsatisfied.blamed.iter().filter_map(|name| name.parse().ok());
                let more: BTreeSet<DebianName> =
                    blamed.filter(|name| pinned.contains(name) && !released.contains(name)).collect();
                if !more.is_empty() {
                    more
                } else if released.len() < pinned.len() {
                    pinned.clone()
                } else {
                    return Err(unsatisfied.failure);
                }
            }
        };
        released.append(&mut more);
    }
}
