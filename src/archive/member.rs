//! One entry of an archive, whatever the format.

use std::io::Read;

/// An entry as the archive has it, judged by nobody.
pub(super) struct Member<'a> {
    /// Its path.
    pub(super) path: Vec<u8>,
    /// What it is.
    pub(super) kind: Kind<'a>,
}

/// What an entry is.
pub(super) enum Kind<'a> {
    Directory,
    /// A file that says it has `size` bytes.
    File {
        mode: u32,
        size: u64,
        content: &'a mut dyn Read,
    },
    Link {
        target: Vec<u8>,
    },
    HardLink {
        target: Vec<u8>,
    },
    /// Devices, pipes and what has no name here.
    Other,
}
