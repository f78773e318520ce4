//! Files: opened without following links, read once, written whole or not at all.
#![expect(clippy::disallowed_methods, reason = "this is the module that touches files")]

use std::{
    fs,
    io::{self, Read, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use crate::{
    diagnostic::{Diagnostic, Failure},
    tree::{Entry, FileTree, RelativePath},
};

/// The most a manifest, lock or source file may hold, in bytes.
pub const LIMIT: u64 = 64 << 20;

/// A failed file operation as an exit-2 failure that names the path.
pub fn unable(doing: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::unable(Diagnostic::new(format!("cannot {doing} `{}`: {error}", path.display())))
}

/// Opens a regular file for reading; the last component must not be a link.
///
/// # Errors
/// The system's, or `InvalidInput` when it is no regular file.
pub fn open(path: &Path) -> io::Result<fs::File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let file = fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
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

/// Writes a tree into a new directory beside `directory` and exchanges the two.
///
/// # Errors
/// The system's; the old tree is then still whole.
pub fn write_tree(directory: &Path, tree: &FileTree) -> io::Result<()> {
    let parent = directory.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    let staged = tempfile::Builder::new().prefix(".staged-").tempdir_in(parent)?;
    fs::set_permissions(staged.path(), fs::Permissions::from_mode(0o755))?;
    for (path, entry) in tree.iter() {
        let target = staged.path().join(path.as_str());
        if let Some(above) = target.parent() {
            fs::create_dir_all(above)?;
        }
        match entry {
            Entry::File { bytes, executable } => {
                let mode = if *executable { 0o755 } else { 0o644 };
                let mut file =
                    fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&target)?;
                file.write_all(bytes)?;
            }
            Entry::Link { target: to } => std::os::unix::fs::symlink(to, &target)?,
        }
    }
    if fs::symlink_metadata(directory).is_ok() {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        renameat_with(CWD, staged.path(), CWD, directory, RenameFlags::EXCHANGE)?;
    } else {
        fs::rename(staged.keep(), directory)?;
    }
    Ok(())
}

/// What a directory holds: names and whether each is a directory (links are not), sorted.
///
/// # Errors
/// The system's.
pub fn list(directory: &Path) -> io::Result<Vec<(String, bool)>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a file name is not UTF-8"))?;
        names.push((name, entry.file_type()?.is_dir()));
    }
    names.sort();
    Ok(names)
}

/// Reads a whole tree below `directory` as it stands; links are kept as links, not judged.
///
/// # Errors
/// The system's, or a name that is no [`RelativePath`] part.
pub fn read_tree(directory: &Path) -> io::Result<FileTree> {
    let mut tree = FileTree::new();
    let mut pending = vec![String::new()];
    while let Some(prefix) = pending.pop() {
        for (name, is_directory) in list(&directory.join(&prefix))? {
            let relative = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            if is_directory {
                pending.push(relative);
                continue;
            }
            let path = directory.join(&relative);
            let entry = read_entry(&path)?;
            tree.insert(relative.parse::<RelativePath>().map_err(io::Error::other)?, entry);
        }
    }
    Ok(tree)
}

/// Reads one file or link as a tree entry.
///
/// # Errors
/// As [`read`].
pub fn read_entry(path: &Path) -> io::Result<Entry> {
    if fs::symlink_metadata(path)?.is_symlink() {
        let target = fs::read_link(path)?
            .into_os_string()
            .into_string()
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a link's target is not UTF-8"))?;
        return Ok(Entry::Link { target });
    }
    let mut file = open(path)?;
    let executable = file.metadata()?.permissions().mode() & 0o100 != 0;
    let mut bytes = Vec::new();
    Read::by_ref(&mut file).take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {LIMIT} bytes")));
    }
    Ok(Entry::File { bytes: bytes.into(), executable })
}

/// Whether something is at `path` (a dangling link counts).
#[must_use]
pub fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Whether `path` is a directory and no link.
#[must_use]
pub fn is_directory(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}

/// Size in bytes of what is at `path`.
///
/// # Errors
/// The system's.
pub fn size(path: &Path) -> io::Result<u64> {
    Ok(fs::symlink_metadata(path)?.len())
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
