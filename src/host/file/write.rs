//! Writing: whole or not at all.
#![expect(clippy::disallowed_methods, reason = "part of the module that touches files")]

use std::{
    fs,
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use super::{
    directory::{names, remove, remove_file},
    failure::unable,
    read::open,
};
use crate::{
    diagnostic::Failure,
    digest::{HashWriter, Sha256},
};

/// How the name of a file begins that is being written.
const UNFINISHED: &str = ".tmp";

/// Copies a regular file of at most `limit` bytes to a new file at `to`, which is replaced, and hashes what it
/// wrote. No link is followed, but for directories above.
///
/// # Errors
/// As [`open`], or `FileTooLarge`; nothing is left at `to` then.
pub fn copy(from: &Path, to: &Path, limit: u64) -> io::Result<Sha256> {
    let mut source = open(from)?.take(limit + 1);
    remove(to)?;
    if let Some(directory) = to.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut target = create_new(to)?;
    let mut hash = HashWriter::default();
    let mut buffer = vec![0; 1 << 16];
    let mut copied = 0;
    let done = loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => break Ok(()),
            Ok(count) => count,
            Err(error) => break Err(error),
        };
        copied += count as u64;
        if copied > limit {
            break Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {limit} bytes")));
        }
        let chunk = buffer.get(..count).unwrap_or_default();
        if let Err(error) = hash.write_all(chunk).and_then(|()| target.write_all(chunk)) {
            break Err(error);
        }
    };
    match done {
        Ok(()) => Ok(hash.finish().0),
        Err(error) => {
            remove(to)?;
            Err(error)
        }
    }
}

/// Writes a file beside its final place, syncs it and renames it over.
///
/// # Errors
/// The system's; the old file is then still whole.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_as(path, bytes, 0o644)
}

/// Like [`write()`], for whoever could read what is there; for nobody but the owner where nothing is.
///
/// # Errors
/// The system's; the old file is then still whole.
pub fn write_again(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mode = match fs::symlink_metadata(path) {
        Ok(there) if there.is_file() => there.permissions().mode() & 0o777,
        _ => 0o600,
    };
    write_as(path, bytes, mode)
}

fn write_as(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut temporary = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(directory)?;
    temporary.write_all(bytes)?;
    temporary.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Removes what killed writers left in a directory that nobody else writes to meanwhile. What cannot be removed stays.
pub fn remove_unfinished(directory: &Path) {
    for name in names(directory).unwrap_or_default() {
        if name.as_encoded_bytes().starts_with(UNFINISHED.as_bytes()) {
            let _left = remove_file(&directory.join(name));
        }
    }
}

/// Like [`write()`], and says whether the place can be written at all.
///
/// # Errors
/// [`Failure::Unable`] when it can, and the file could not.
pub fn write_if_allowed(path: &Path, bytes: &[u8]) -> Result<bool, Failure> {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    match write(path, bytes) {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem) => Ok(false),
        Err(error) => Err(unable("write", path, &error)),
    }
}

/// Like [`write()`], but without waiting for the disk: for what can be computed again and is checked when read.
///
/// # Errors
/// The system's.
pub fn write_cached(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut temporary = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(directory)?;
    temporary.write_all(bytes)?;
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Creates a new file for writing; something there is an error.
///
/// # Errors
/// The system's.
pub fn create_new(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(path)
}

/// Writes a new file, and the directories above it; whatever is at `path` already is left alone.
///
/// # Errors
/// The system's, `AlreadyExists` among them.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    create_new(path)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_killed_writers_left_goes_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for name in ["0-capabilities.json", ".tmp4kXq2f", ".tmpZz0000", ".of-the-user"] {
            write(&at(name), b"{}").unwrap();
        }
        fs::create_dir(at(".tmp-is-a-directory")).unwrap();
        remove_unfinished(directory.path());
        let left = names(directory.path()).unwrap();
        let want = [".of-the-user", ".tmp-is-a-directory", "0-capabilities.json"].map(Into::into);
        assert_eq!(left.into_iter().collect::<std::collections::BTreeSet<_>>(), want.into());
        // Nothing to sweep is nothing to tell.
        remove_unfinished(&at("nowhere"));
    }
}
