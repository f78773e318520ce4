//! What is to be locked, and what came of it.

use super::record::NodeEnvironment;
#[cfg(doc)]
use crate::lock::names;
use crate::{
    artifact::Effects,
    codex::{Codex, MirrorUrl, Origin},
    crypt::Member,
    lock::{Change, Mode},
    name::Platform,
};

/// The texts of existing locks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locks {
    /// [`names::NPM`].
    pub lock: Option<String>,
    /// [`names::NPM_COMPLETED`]; missing when the lock lacks nothing.
    pub completed: Option<String>,
}

/// What is to be locked, and with what.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The members, core first.
    pub members: &'a [Member],
    /// Policy.
    pub codex: &'a Codex,
    /// What is locked already.
    pub locks: &'a Locks,
    /// What becomes of it.
    pub mode: Mode,
    /// What is installed for.
    pub platform: Platform,
    /// The cache, the network, and what brings Node and npm.
    pub effects: &'a Effects<'a>,
}

impl Request<'_> {
    /// The operator's mirrors of the registry.
    pub(super) fn mirrors(&self) -> &[MirrorUrl] {
        self.codex.substrate.debian().mirrors.get(&Origin::Npm).map_or(&[], Vec::as_slice)
    }
}

/// The locked workspace.
#[derive(Clone, Debug, PartialEq)]
pub struct Locked {
    /// For the Synthesis.
    pub environment: NodeEnvironment,
    /// The locks it stands on.
    pub locks: Locks,
    /// What moved in them.
    pub moved: Vec<Change>,
    /// What a person should know.
    pub notes: Vec<String>,
}
