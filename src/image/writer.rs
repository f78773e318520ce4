//! What layers are written with: the entries of an uncompressed tar, to a stream.
//!
//! Files pass through one small buffer, so memory does not grow with the layer.

use std::{
    io::{self, Read, Write},
    path::Path,
};

use super::{
    plan::{Owned, Plan},
    tar::{self, Entry, Owner, Type},
};
use crate::{
    diagnostic::{Diagnostic, Failure},
    host::file,
};

const BUFFER: usize = 128 << 10;

/// What the entries of all layers made by us have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attributes {
    /// Seconds since 1970.
    pub(super) mtime: u64,
    /// Of store paths; packages at their places have their own.
    pub(super) owner: Owner,
    pub(super) plan: Plan,
}

/// Why a layer was not written to its end.
#[derive(Debug)]
pub(super) enum Broken {
    /// A file could not be read, or is not what it should be.
    Source(Failure),
    /// The reader of our output went away or failed.
    Sink(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Sink(error)
    }
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self::Source(failure)
    }
}

impl Broken {
    /// The failure, for a sink that is no pipe to someone else.
    pub(super) fn into_failure(self) -> Failure {
        match self {
            Self::Source(failure) => failure,
            Self::Sink(error) => Failure::unable(Diagnostic::new(format!("cannot write the image: {error}"))),
        }
    }
}

/// Entries on their way out.
pub(super) struct Writer<'a> {
    pub(super) attributes: &'a Attributes,
    out: &'a mut dyn Write,
    offset: u64,
    header: Vec<u8>,
    buffer: Vec<u8>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(attributes: &'a Attributes, out: &'a mut dyn Write) -> Self {
        Self { attributes, out, offset: 0, header: Vec::with_capacity(2048), buffer: vec![0; BUFFER] }
    }

    /// Ends the archive; its length in bytes.
    pub(super) fn end(self) -> Result<u64, Broken> {
        Ok(tar::write_end(self.out, self.offset)?)
    }

    pub(super) fn header(
        &mut self,
        name: &[u8],
        kind: Type,
        mode: u32,
        size: u64,
        target: &[u8],
    ) -> Result<(), Broken> {
        let Attributes { mtime, owner, .. } = self.attributes;
        self.entry(&Entry { name, kind, mode, size, mtime: *mtime, target, owner })
    }

    fn entry(&mut self, entry: &Entry<'_>) -> Result<(), Broken> {
        self.header.clear();
        entry.append_to(&mut self.header);
        self.out.write_all(&self.header)?;
        self.offset += self.header.len() as u64;
        Ok(())
    }

    /// An entry at a place of the root.
    pub(super) fn placed(
        &mut self,
        name: &[u8],
        kind: Type,
        owned: Owned,
        size: u64,
        target: &[u8],
    ) -> Result<(), Broken> {
        let Owned { mode, uid, gid } = owned;
        // Numbers alone count; the names of others are the host's.
        let called = |number| if number == 0 { "root".to_owned() } else { String::new() };
        let whose = Owner { uid, gid, user: called(uid), group: called(gid) };
        let mtime = self.attributes.mtime;
        self.entry(&Entry { name, kind, mode, size, mtime, target, owner: &whose })
    }

    /// The first `size` bytes of a file.
    pub(super) fn copy(&mut self, path: &Path, size: u64) -> Result<(), Broken> {
        let unable = |error: io::Error| file::unable("read", path, &error);
        let mut file = file::open(path).map_err(unable)?;
        let mut left = size;
        while left > 0 {
            let most = usize::try_from(left).map_or(BUFFER, |left| left.min(BUFFER));
            let room = self.buffer.get_mut(..most).unwrap_or_default();
            let read = file.read(room).map_err(unable)?;
            if read == 0 {
                return Err(unable(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends too early")).into());
            }
            self.out.write_all(room.get(..read).unwrap_or_default())?;
            left -= read as u64;
        }
        self.offset += size;
        Ok(())
    }

    fn zeros(&mut self, count: u64) -> Result<(), Broken> {
        tar::write_zeros(self.out, count)?;
        self.offset += count;
        Ok(())
    }

    /// A regular file and its bytes.
    pub(super) fn content(&mut self, path: &Path, size: u64) -> Result<(), Broken> {
        self.copy(path, size)?;
        self.zeros(tar::padding(size))
    }
}
