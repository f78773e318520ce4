//! Files: opened without following links, read once, written whole or not at all.
#![expect(clippy::disallowed_methods, reason = "this is the module that touches files")]

mod look;
mod temporary;
mod trees;

use std::{
    ffi::OsString,
    fs,
    io::{self, Read, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

pub use look::{Kind, Status, exists, if_there, kind, kind_behind, resolved, status};
pub use temporary::{TemporaryDirectory, sweep, temporary_directory};
pub use trees::{read_entry, read_tree, write_sealed_tree, write_tree};

use crate::{
    diagnostic::{Diagnostic, Failure, Fault},
    digest::{HashWriter, Integrity, IntegrityHasher, Sha256},
};

/// The most a manifest, lock or source file may hold, in bytes.
pub const LIMIT: u64 = 64 << 20;

/// A failed file operation as an exit-2 failure that names the path, and what keeps it from being read.
#[must_use]
pub fn unable(doing: &str, path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot {doing} `{}`: {error}", path.display());
    let mut told = Diagnostic::new(message).of_kind(Fault::File);
    if doing == "read" && error.kind() == io::ErrorKind::PermissionDenied {
        told.help.extend(look::closed(path));
    }
    Failure::unable(told)
}

/// A failed reading of what others wrote: refused when the thing itself is wrong (no file, no text, too large),
/// unable when the system says no. `shown` names it.
#[must_use]
pub fn unreadable(shown: &str, error: &io::Error) -> Failure {
    let message = format!("`{}` cannot be read: {error}", shown.escape_debug());
    let diagnostic = Diagnostic::new(message).of_kind(Fault::File);
    if is_wrong(error) { diagnostic.into() } else { Failure::unable(diagnostic) }
}

/// Whether an error is the fault of what lies at the path, not of the system.
#[must_use]
pub fn is_wrong(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, InvalidData, InvalidInput, IsADirectory, NotADirectory};
    matches!(error.kind(), FileTooLarge | InvalidData | InvalidInput | IsADirectory | NotADirectory)
}

/// Opens a regular file for reading; the last component must not be a link.
///
/// # Errors
/// The system's, or `InvalidInput` when it is no regular file.
pub fn open(path: &Path) -> io::Result<fs::File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let opened = fs::OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|error| match rustix::io::Errno::from_io_error(&error) {
        Some(rustix::io::Errno::LOOP) => {
            io::Error::new(io::ErrorKind::InvalidInput, "a symbolic link, not a regular file")
        }
        // A socket, or a device that nothing serves.
        Some(rustix::io::Errno::NXIO) => io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"),
        _ => error,
    })?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
    }
}

/// Reads a whole regular file of at most `limit` bytes, without following a link.
///
/// # Errors
/// As [`open`], or `FileTooLarge`.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {limit} bytes")));
    }
    Ok(bytes)
}

/// Reads a UTF-8 text without byte order mark, of at most [`LIMIT`] bytes.
///
/// # Errors
/// As [`read`], or `InvalidData`.
pub fn read_text(path: &Path) -> io::Result<String> {
    let text = String::from_utf8(read(path, LIMIT)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8"))?;
    if text.starts_with('\u{feff}') {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "starts with a byte order mark"));
    }
    Ok(text)
}

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

/// Moves a file to a place on the same file system, over what is there.
///
/// # Errors
/// The system's.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// The sha256 of a regular file of any size.
///
/// # Errors
/// As [`open`].
pub fn sha256(path: &Path) -> io::Result<Sha256> {
    let mut hash = HashWriter::default();
    io::copy(&mut open(path)?, &mut hash)?;
    Ok(hash.finish().0)
}

/// The hash of a regular file of any size, of the same kind as `like`.
///
/// # Errors
/// As [`open`].
pub fn integrity(path: &Path, like: &Integrity) -> io::Result<Integrity> {
    let mut hasher = IntegrityHasher::new(like);
    let mut input = open(path)?;
    let mut buffer = vec![0_u8; 1 << 16];
    loop {
        let count = input.read(&mut buffer)?;
        if count == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
    }
}

/// Takes the lock file at `path`, waiting for another process that holds it; `waiting` is called before a wait.
/// It is released when the value is dropped, and by the system when the process ends however it ends.
///
/// # Errors
/// The system's.
pub fn lock(path: &Path, waiting: impl FnOnce()) -> io::Result<Held> {
    use rustix::fs::{FlockOperation, flock};
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
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(rustix::io::Errno::WOULDBLOCK) => {
            waiting();
            flock(&file, FlockOperation::LockExclusive)?;
        }
        done => done?,
    }
    Ok(Held { _file: file })
}

/// A lock file that is held.
#[derive(Debug)]
pub struct Held {
    _file: fs::File,
}

/// Writes a file beside its final place, syncs it and renames it over.
///
/// # Errors
/// The system's; the old file is then still whole.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut temporary = tempfile::NamedTempFile::new_in(directory)?;
    temporary.write_all(bytes)?;
    temporary.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(())
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
    let mut temporary = tempfile::NamedTempFile::new_in(directory)?;
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

/// Where a symbolic link points, as it is written.
///
/// # Errors
/// The system's.
pub fn link_target(path: &Path) -> io::Result<OsString> {
    fs::read_link(path).map(PathBuf::into_os_string)
}

/// The names in a directory, whatever bytes they are made of, sorted as bytes.
///
/// # Errors
/// The system's.
pub fn names(directory: &Path) -> io::Result<Vec<OsString>> {
    let mut names = fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names)
}

/// What a directory holds: names and whether each is a directory (links are not), sorted.
///
/// # Errors
/// The system's.
pub fn list(directory: &Path) -> io::Result<Vec<(String, bool)>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|name| {
            let shown = name.to_string_lossy().escape_debug().to_string();
            io::Error::new(io::ErrorKind::InvalidData, format!("the file name `{shown}` is not UTF-8"))
        })?;
        names.push((name, entry.file_type()?.is_dir()));
    }
    names.sort();
    Ok(names)
}

/// Size in bytes of what is at `path`.
///
/// # Errors
/// The system's.
pub fn size(path: &Path) -> io::Result<u64> {
    Ok(fs::symlink_metadata(path)?.len())
}

/// The time of the file system that `directory`, which is made when it is not there, lies on: what changes from now on
/// is [`Status::changed`] at this time or later.
///
/// # Errors
/// The system's.
pub fn clock(directory: &Path) -> io::Result<(i64, i64)> {
    fs::create_dir_all(directory)?;
    let meta = tempfile::tempfile_in(directory)?.metadata()?;
    Ok((meta.ctime(), meta.ctime_nsec()))
}

/// When a file was last written.
///
/// # Errors
/// The system's.
pub fn modified(path: &Path) -> io::Result<std::time::SystemTime> {
    fs::symlink_metadata(path)?.modified()
}

/// Creates a directory and those above it.
///
/// # Errors
/// The system's.
pub fn create_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Removes a file, link or whole directory; nothing there is success.
///
/// # Errors
/// The system's.
pub fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The absolute path with all links resolved.
///
/// # Errors
/// The system's.
pub fn canonical(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path)
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

    #[test]
    fn only_regular_files_are_opened_and_the_fault_is_known() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        let pipe = directory.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
            .unwrap();
        let socket = directory.path().join("socket");
        std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let strange = [link.as_path(), &pipe, &socket, directory.path(), Path::new("/proc/self/task")];
        for path in strange {
            let error = open(path).unwrap_err();
            assert!(is_wrong(&error), "{}: {error}", path.display());
        }
        let error = open(&directory.path().join("missing")).unwrap_err();
        assert_eq!((is_wrong(&error), unreadable("x", &error).exit_code()), (false, 2));
    }
}
