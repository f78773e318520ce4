//! A layer's bytes: an uncompressed tar of store paths, as upstream's streamer writes it.
//!
//! Files pass through one small buffer, so memory does not grow with the layer.

use std::{
    cmp::Ordering,
    ffi::OsStr,
    io::{self, Read, Write},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use super::{
    store_root::StoreRoot,
    tar::{self, Entry, Owner, Type},
};
use crate::{
    diagnostic::{Diagnostic, Failure},
    digest::store_path::StorePath,
    host::file::{self, Kind},
};

const BUFFER: usize = 128 << 10;

/// Where a layer's bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Store paths, made into a tar.
    Store(Vec<StorePath>),
    /// A store path that holds `layer.tar` and its `checksum`.
    Customisation(StorePath),
}

/// What every entry of a layer made by us has in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attributes {
    /// Seconds since 1970.
    pub(super) mtime: u64,
    pub(super) owner: Owner,
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

/// The customisation layer's tar.
pub(super) fn customisation_tar(store: &StoreRoot, path: &StorePath) -> PathBuf {
    store.locate(path).join("layer.tar")
}

/// The file that says the tar's sha256.
pub(super) fn customisation_checksum(store: &StoreRoot, path: &StorePath) -> PathBuf {
    store.locate(path).join("checksum")
}

/// Writes the layer's tar to `out`; the number of bytes.
pub(super) fn write(
    content: &Content,
    attributes: &Attributes,
    store: &StoreRoot,
    out: &mut dyn Write,
) -> Result<u64, Broken> {
    let mut writer =
        Writer { attributes, out, offset: 0, header: Vec::with_capacity(2048), buffer: vec![0; BUFFER] };
    match content {
        Content::Customisation(path) => {
            let tar = customisation_tar(store, path);
            let size = file::size(&tar).map_err(|error| file::unable("read", &tar, &error))?;
            writer.copy(&tar, size)?;
        }
        Content::Store(paths) => {
            for directory in ["/nix/", "/nix/store/"] {
                writer.header(directory.as_bytes(), Type::Directory, 0o755, 0, b"")?;
            }
            for path in paths {
                writer.tree(&mut store.locate(path), &mut path.to_string().into_bytes())?;
            }
            writer.offset = tar::write_end(writer.out, writer.offset)?;
        }
    }
    Ok(writer.offset)
}

struct Writer<'a> {
    attributes: &'a Attributes,
    out: &'a mut dyn Write,
    offset: u64,
    header: Vec<u8>,
    buffer: Vec<u8>,
}

impl Writer<'_> {
    /// What is at `physical`, called `logical`, and all below it: sorted by path component.
    fn tree(&mut self, physical: &mut PathBuf, logical: &mut Vec<u8>) -> Result<(), Broken> {
        let unable = |error: io::Error| file::unable("read", physical, &error);
        let status = file::status(physical).map_err(unable)?;
        match status.kind {
            // A second name of one inode is a file like the first.
            Kind::File => {
                self.header(logical, Type::File, status.mode, status.size, b"")?;
                self.copy(physical, status.size)?;
                self.zeros(tar::padding(status.size))?;
            }
            Kind::Link => {
                let target = file::link_target(physical).map_err(unable)?;
                self.header(logical, Type::Link, status.mode, 0, target.as_bytes())?;
            }
            Kind::Directory => {
                let mut names = file::names(physical).map_err(unable)?;
                names.sort_by(|a, b| python_order(a, b));
                let length = logical.len();
                logical.push(b'/');
                self.header(logical, Type::Directory, status.mode, 0, b"")?;
                for name in names {
                    logical.extend_from_slice(name.as_bytes());
                    physical.push(&name);
                    self.tree(physical, logical)?;
                    physical.pop();
                    logical.truncate(length + 1);
                }
                logical.truncate(length);
            }
            Kind::Other => {
                let message = format!("`{}` is no file, link or directory", physical.display());
                return Err(Failure::from(Diagnostic::new(message)).into());
            }
        }
        Ok(())
    }

    fn header(&mut self, name: &[u8], kind: Type, mode: u32, size: u64, target: &[u8]) -> Result<(), Broken> {
        let Attributes { mtime, owner } = self.attributes;
        self.header.clear();
        Entry { name, kind, mode, size, mtime: *mtime, target, owner }.append_to(&mut self.header);
        self.out.write_all(&self.header)?;
        self.offset += self.header.len() as u64;
        Ok(())
    }

    /// The first `size` bytes of a file.
    fn copy(&mut self, path: &Path, size: u64) -> Result<(), Broken> {
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
}

/// Names in the order of Python's decoded strings, which is that of the bytes while they are UTF-8.
fn python_order(a: &OsStr, b: &OsStr) -> Ordering {
    match (a.to_str(), b.to_str()) {
        (Some(a), Some(b)) => a.cmp(b),
        _ => tar::characters(a.as_bytes()).cmp(tar::characters(b.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_text_sort_as_surrogates() {
        // sorted(os.fsdecode(n) for n in names) in Python.
        let sorted: [&[u8]; 4] = [b"a", "\u{100}".as_bytes(), b"\x80", "\u{ffff}".as_bytes()];
        let mut names: Vec<_> = sorted.iter().rev().map(|name| OsStr::from_bytes(name)).collect();
        names.sort_by(|a, b| python_order(a, b));
        assert_eq!(names, sorted.map(OsStr::from_bytes));
    }
}
