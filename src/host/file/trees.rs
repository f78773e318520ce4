//! Whole trees of files: read into a value, written whole or not at all.
#![expect(clippy::disallowed_methods, reason = "part of the module that touches files")]

use std::{
    fs,
    io::{self, Read, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use super::{
    directory::list,
    read::{LIMIT, open},
    temporary::temporary_directory,
};
use crate::tree::{Entry, FileTree, RelativePath};

/// Writes a tree into a new directory beside `directory` and exchanges the two.
///
/// # Errors
/// The system's; the old tree is then still whole.
pub fn write_tree(directory: &Path, tree: &FileTree) -> io::Result<()> {
    place_tree(directory, tree, 0o644, 0o755)
}

/// Like [`write_tree`], but the files cannot be written any more.
///
/// # Errors
/// As [`write_tree`].
pub fn write_sealed_tree(directory: &Path, tree: &FileTree) -> io::Result<()> {
    place_tree(directory, tree, 0o444, 0o555)
}

fn place_tree(directory: &Path, tree: &FileTree, plain: u32, program: u32) -> io::Result<()> {
    let parent = directory.parent().unwrap_or(Path::new("."));
    let staged = temporary_directory(parent)?;
    fs::set_permissions(staged.path(), fs::Permissions::from_mode(0o755))?;
    fill(staged.path(), tree, plain, program)?;
    match fs::symlink_metadata(directory) {
        Ok(_) => {
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            renameat_with(CWD, staged.path(), CWD, directory, RenameFlags::EXCHANGE)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::rename(staged.path(), directory)?,
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Writes a tree into a new directory and waits until all of it is on the disk, with whatever else was written to that file
/// system: once, where each of hundreds of files would be waited for milliseconds.
///
/// # Errors
/// The system's, `AlreadyExists` among them; what was written is left.
pub fn create_tree(directory: &Path, tree: &FileTree) -> io::Result<()> {
    fs::create_dir(directory)?;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755))?;
    fill(directory, tree, 0o644, 0o755)?;
    rustix::fs::syncfs(fs::File::open(directory)?)?;
    Ok(())
}

/// Writes the files of a tree into a directory.
fn fill(directory: &Path, tree: &FileTree, plain: u32, program: u32) -> io::Result<()> {
    for (path, entry) in tree.iter() {
        let target = directory.join(path.as_str());
        if let Some(above) = target.parent() {
            fs::create_dir_all(above)?;
        }
        match entry {
            Entry::File { bytes, executable } => {
                let mode = if *executable { program } else { plain };
                let mut file =
                    fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&target)?;
                file.write_all(bytes)?;
                // The umask may have taken bits away.
                file.set_permissions(fs::Permissions::from_mode(mode))?;
            }
            Entry::Link { target: to } => std::os::unix::fs::symlink(to, &target)?,
        }
    }
    Ok(())
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
/// As [`super::read()`].
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
