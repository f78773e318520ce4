//! Directories that one process works in for a while, and what is left of those whose process was killed.
//!
//! Each is locked by its process for as long as it is worked in. The lock is the system's, so it ends with the process
//! however that ends, and a sweep takes what nobody holds.
#![expect(clippy::disallowed_methods, reason = "part of the module that touches files")]

use std::{
    fs, io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;

use super::directory::{names, remove};

/// How the names of temporary directories begin.
const PREFIX: &str = ".scratch-";

/// A new directory that is this process's alone and disappears with the value.
#[derive(Debug)]
pub struct TemporaryDirectory {
    // Removed before its lock is released.
    directory: tempfile::TempDir,
    _held: fs::File,
}

impl TemporaryDirectory {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// A new directory below `parent`, which is made when it is not there.
///
/// # Errors
/// The system's.
pub fn temporary_directory(parent: &Path) -> io::Result<TemporaryDirectory> {
    fs::create_dir_all(parent)?;
    loop {
        let directory = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        // A sweep may have come before the lock: then there is another name.
        if let Some(held) = held(directory.path())? {
            return Ok(TemporaryDirectory { directory, _held: held });
        }
    }
}

/// Removes the temporary directories in `directory` that processes left which were killed; returns those that may not
/// be removed, which are in nobody's way.
///
/// # Errors
/// The system's.
pub fn sweep(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut left = Vec::new();
    for name in names(directory)? {
        let path = directory.join(&name);
        if !name.to_str().is_some_and(|name| name.starts_with(PREFIX)) {
            continue;
        }
        let removed = held(&path).and_then(|held| held.map_or(Ok(()), |_held| remove(&path)));
        match removed {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => left.push(path),
            done => done?,
        }
    }
    Ok(left)
}

/// The lock of the directory at `path`; `None` when another has it, or when the directory is gone.
fn held(path: &Path) -> io::Result<Option<fs::File>> {
    let flags = i32::try_from((OFlags::DIRECTORY | OFlags::NOFOLLOW).bits()).map_err(io::Error::other)?;
    let opened = fs::OpenOptions::new().read(true).custom_flags(flags).open(path);
    let Some(file) = there(opened)? else { return Ok(None) };
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Ok(None),
        Err(fs::TryLockError::Error(error)) => return Err(error),
    }
    // Whoever had the lock before may have removed it.
    let (locked, now) = (file.metadata()?, there(fs::symlink_metadata(path))?);
    let same = now.is_some_and(|now| (now.dev(), now.ino()) == (locked.dev(), locked.ino()));
    Ok(same.then_some(file))
}

/// What is there; `None` when it is not, or is something else.
fn there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        found => found.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    use super::*;
    use crate::{
        host::file::{create, exists, list, write_tree},
        tree::FileTree,
    };

    #[test]
    fn what_a_killed_process_left_is_swept() {
        let directory = tempfile::tempdir().unwrap();
        for name in [".scratch-x/a", ".scratch-y/b/c", ".scratch-file", "kept/d"] {
            create(&directory.path().join(name), b"x").unwrap();
        }
        sweep(directory.path()).unwrap();
        let left = [(".scratch-file".to_owned(), false), ("kept".to_owned(), true)];
        assert_eq!(list(directory.path()).unwrap(), left);
    }

    #[test]
    fn what_a_living_process_works_in_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let scratch = temporary_directory(directory.path()).unwrap();
        create(&scratch.path().join("a"), b"x").unwrap();
        sweep(directory.path()).unwrap();
        assert!(exists(&scratch.path().join("a")).unwrap());
        drop(scratch);
        assert_eq!(list(directory.path()).unwrap(), []);
    }

    #[test]
    fn sweeps_at_any_time_disturb_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let (place, stop) = (directory.path(), AtomicBool::new(false));
        let mut tree = FileTree::new();
        tree.insert_text("below/file".parse().unwrap(), "text");
        thread::scope(|scope| {
            let sweeping: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        while !stop.load(Ordering::Relaxed) {
                            sweep(place).unwrap();
                        }
                    })
                })
                .collect();
            let working = scope.spawn(|| {
                for _ in 0..500 {
                    let scratch = temporary_directory(place).unwrap();
                    create(&scratch.path().join("below/file"), b"x").unwrap();
                    write_tree(&place.join("tree"), &tree).unwrap();
                }
            });
            let worked = working.join();
            stop.store(true, Ordering::Relaxed);
            assert!(worked.is_ok() && sweeping.into_iter().all(|swept| swept.join().is_ok()));
        });
        assert_eq!(list(place).unwrap(), [("tree".to_owned(), true)]);
    }
}
