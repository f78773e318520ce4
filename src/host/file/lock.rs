//! Lock files between processes.
#![expect(clippy::disallowed_methods, reason = "part of the module that touches files")]

use std::{fs, io, os::unix::fs::OpenOptionsExt as _, path::Path, time::Duration};

use crate::host::clock::{Stopwatch, pause};

/// Takes the lock file at `path`, waiting for another process that holds it; `waiting` is called before a wait.
/// It is released when the value is dropped, and by the system when the process ends however it ends.
///
/// # Errors
/// The system's.
pub fn lock(path: &Path, waiting: impl FnOnce()) -> io::Result<LockGuard> {
    let file = open(path)?;
    if !held(&file)? {
        waiting();
        file.lock()?;
    }
    Ok(LockGuard { _file: file })
}

/// Like [`lock`], but waits no longer than `patience`; `None` when the other has it still.
///
/// # Errors
/// The system's.
pub fn lock_within(path: &Path, patience: Duration, waiting: impl FnOnce()) -> io::Result<Option<LockGuard>> {
    let file = open(path)?;
    if !held(&file)? {
        waiting();
        let watch = Stopwatch::start();
        while !held(&file)? {
            if watch.elapsed() >= patience {
                return Ok(None);
            }
            pause(Duration::from_millis(50));
        }
    }
    Ok(Some(LockGuard { _file: file }))
}

fn open(path: &Path) -> io::Result<fs::File> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let file =
        fs::OpenOptions::new().write(true).create(true).truncate(false).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    Ok(file)
}

/// Whether it is ours now.
fn held(file: &fs::File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(fs::TryLockError::WouldBlock) => Ok(false),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// A lock file that is held.
#[derive(Debug)]
pub struct LockGuard {
    _file: fs::File,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_waits_for_its_holder() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/lock");
        let held = lock(&path, || unreachable!("nobody holds it")).unwrap();
        let (sender, waits) = std::sync::mpsc::channel();
        let second = std::thread::spawn(move || lock(&path, || sender.send(()).unwrap()).map(drop));
        waits.recv().unwrap();
        drop(held);
        second.join().unwrap().unwrap();
    }

    #[test]
    fn a_pipe_in_the_place_of_a_lock_is_told_and_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("lock");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
            .unwrap();
        assert!(lock(&pipe, || unreachable!("nobody holds it")).is_err());
    }
}
