//! What becomes of pins that are there.

/// What becomes of the versions that one lock pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They stay; what the manifests newly want is added (`synthesize`). The first lock of a federation prefers
    /// the versions of the core's own lock.
    Keep,
    /// They stay, and any change is refused (`--locked`).
    Locked,
    /// They move to the newest that fit (`--update`).
    Update,
}

/// The mode of each kind of lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modes {
    /// Python packages, and the git sources among them.
    pub python: Mode,
    /// npm packages.
    pub npm: Mode,
    /// Debian packages.
    pub system: Mode,
}

impl Modes {
    /// One mode for all.
    #[must_use]
    pub const fn all(mode: Mode) -> Self {
        Self { python: mode, npm: mode, system: mode }
    }
}
