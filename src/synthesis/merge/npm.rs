//! npm packages of a federation.

use super::{Mode, Workshop};
use crate::{
    codex::{Codex, Origin},
    crypt::Federation,
    diagnostic::Failure,
    name::Platform,
    synthesis::{
        node::{self, Locked, Locks, Request},
        workspace,
    },
};

/// Locks them; `None` when no member has a `package.json`.
pub(super) fn resolve(
    codex: &Codex,
    federation: &Federation,
    locks: &Locks,
    mode: Mode,
    platform: Platform,
    workshop: &Workshop<'_>,
) -> Result<Option<Locked>, Failure> {
    node::lock(&Request {
        members: federation.members(),
        codex,
        locks,
        mode: match mode {
            Mode::Locked => workspace::Mode::Locked,
            Mode::Keep { update_npm: true, .. } => workspace::Mode::Upgrade,
            Mode::Keep { update_npm: false, .. } => workspace::Mode::Keep,
        },
        platform,
        cache: workshop.cache,
        client: workshop.client,
        mirrors: codex.substrate.debian().mirrors.get(&Origin::Npm).map_or(&[], Vec::as_slice),
        bring: workshop.bring,
        progress: workshop.progress,
    })
}
