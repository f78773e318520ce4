//! What the Synthesis records of a hook.

use serde::Serialize;

use crate::digest::Sha256;

/// A `register(context)` that was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hook {
    /// sha256 of `register.py`.
    pub sha256: Sha256,
    /// sha256 of all it registered, as JSON without white space and with sorted keys.
    pub registered_sha256: Sha256,
    /// What ran it.
    pub engine: HookEngine,
    /// What it was held to.
    pub limits: Limits,
}

/// What one run of a hook may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Seconds of processor time.
    pub cpu_seconds: u64,
    /// Seconds from start to end.
    pub wall_seconds: u64,
    /// Bytes of address space.
    pub memory: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Open files.
    pub files: u64,
    /// Bytes of one written file, were there a place to write one.
    pub file_size: u64,
    /// Bytes of the answer.
    pub output: u64,
    /// Bytes of what it prints.
    pub messages: u64,
}

/// The sandbox of hooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HookEngine {
    /// `bubblewrap`.
    pub name: String,
    /// Version of the rules it is started with; the program's own version is the host's.
    pub version: String,
    /// sha256 of what runs beside the hook in the sandbox.
    pub sha256: Sha256,
}
