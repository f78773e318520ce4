//! Directories: what is in them, and what comes and goes there.
#![expect(clippy::disallowed_methods, reason = "part of the module that touches files")]

use std::{
    ffi::OsString,
    fs, io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, RenameFlags, renameat_with};

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

/// Removes a file or link; a directory is none.
///
/// # Errors
/// The system's.
pub fn remove_file(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

/// Moves a file to a place on the same file system, over what is there.
///
/// # Errors
/// The system's.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Moves a file or directory to a place on the same file system where nothing is.
///
/// # Errors
/// The system's, `AlreadyExists` among them.
pub fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}

/// Puts each of two files or directories of one file system into the other's place, at once.
///
/// # Errors
/// The system's; then both are where they were.
pub fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

/// Creates a directory and those above it, each for its owner alone; returns those that were not there, the upper ones
/// first.
///
/// # Errors
/// The system's.
pub fn create_private_directory(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut missing = Vec::new();
    for at in path.ancestors() {
        match fs::metadata(at) {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(at.to_owned()),
            Err(error) => return Err(error),
        }
    }
    missing.reverse();
    for directory in &missing {
        match fs::DirBuilder::new().mode(0o700).create(directory) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            done => done?,
        }
    }
    Ok(missing)
}

/// Has a directory for its owner alone.
///
/// # Errors
/// The system's.
pub fn make_private(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

/// Removes a directory that holds nothing; says whether it is gone.
///
/// # Errors
/// The system's.
pub fn remove_empty(path: &Path) -> io::Result<bool> {
    use io::ErrorKind::{DirectoryNotEmpty, NotFound};
    match fs::remove_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == NotFound => Ok(true),
        Err(error) if error.kind() == DirectoryNotEmpty => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes a symbolic link where nothing is.
///
/// # Errors
/// The system's, `AlreadyExists` among them.
pub fn link(target: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

/// Waits until what came and went in a directory is on the disk.
///
/// # Errors
/// The system's.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

/// The time of the file system that `directory`, which is made when it is not there, lies on: what changes from now on
/// is [`super::Status::changed`] at this time or later.
///
/// # Errors
/// The system's.
pub fn clock(directory: &Path) -> io::Result<(i64, i64)> {
    fs::create_dir_all(directory)?;
    let meta = tempfile::tempfile_in(directory)?.metadata()?;
    Ok((meta.ctime(), meta.ctime_nsec()))
}
