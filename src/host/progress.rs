//! What long work says while it runs. The stages speak, the command line draws.

/// Receives progress; called from several threads.
pub trait Progress: Sync {
    /// A stage begins, e.g. `fetch`, `12 artifacts`.
    fn stage(&self, name: &str, detail: &str);
    /// `done` of `total` units (bytes or items) of the running stage; `total` 0 means unknown.
    fn advance(&self, done: u64, total: u64, unit: Unit);
    /// A line worth keeping, e.g. what moved in a lock.
    fn note(&self, line: &str);
    /// Why nothing goes on.
    fn waiting(&self, line: &str) {
        self.note(line);
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of downloads.
    Bytes,
    /// Packages, derivations or layers.
    Items,
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn stage(&self, _: &str, _: &str) {}
    fn advance(&self, _: u64, _: u64, _: Unit) {}
    fn note(&self, _: &str) {}
}
