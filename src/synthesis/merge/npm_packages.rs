//! npm packages of a federation.

use crate::{
    artifact::Effects,
    codex::{Codex, Origin},
    crypt::Federation,
    diagnostic::Failure,
    lock::Mode,
    name::Platform,
    npm::{self, Locked, Locks, Request},
};

/// Locks them; `None` when no member has a `package.json`.
pub(super) fn resolve(
    codex: &Codex,
    federation: &Federation,
    locks: &Locks,
    mode: Mode,
    platform: Platform,
    effects: &Effects<'_>,
) -> Result<Option<Locked>, Failure> {
    npm::lock(&Request {
        members: federation.members(),
        codex,
        locks,
        mode,
        platform,
        cache: effects.cache,
        client: effects.client,
        mirrors: codex.substrate.debian().mirrors.get(&Origin::Npm).map_or(&[], Vec::as_slice),
        bring: effects.bring,
        progress: effects.progress,
    })
}
