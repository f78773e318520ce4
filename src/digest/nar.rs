//! The Nix archive hash of a [`FileTree`], computed by the `nix-nar` crate over the tree in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Cursor},
    sync::Arc,
};

use camino::Utf8Path;
use nix_nar::{Encoder, FileSystem, FileSystemMetadata};

use super::{HashWriter, Sha256};
use crate::tree::{Entry, FileTree};

/// The sha256 of the tree's Nix archive: what `nix hash path` prints and `builtins.path` checks.
///
/// # Errors
/// Only when the encoder refuses the tree, which a [`FileTree`] does not allow to happen.
pub fn nar_sha256(tree: &FileTree) -> io::Result<Sha256> {
    let mut encoder =
        Encoder::builder("/").filesystem(Memory::new(tree)).build().map_err(io::Error::other)?;
    let mut hash = HashWriter::default();
    io::copy(&mut encoder, &mut hash)?;
    Ok(hash.finish().0)
}

/// The tree as the encoder wants to see it: absolute paths, directories with sorted names.
struct Memory {
    entries: BTreeMap<String, Entry>,
    directories: BTreeMap<String, BTreeSet<String>>,
}

impl Memory {
    fn new(tree: &FileTree) -> Self {
        let mut directories = BTreeMap::from([("/".to_owned(), BTreeSet::new())]);
        let mut entries = BTreeMap::new();
        for (path, entry) in tree.iter() {
            let mut parent = String::from("/");
            for part in path.components() {
                directories.entry(parent.clone()).or_insert_with(BTreeSet::new).insert(part.to_owned());
                if !parent.ends_with('/') {
                    parent.push('/');
                }
                parent.push_str(part);
            }
            entries.insert(parent, entry.clone());
        }
        Self { entries, directories }
    }
}

impl FileSystem for Memory {
    type File = Cursor<Arc<[u8]>>;

    fn metadata(&self, path: &Utf8Path) -> io::Result<FileSystemMetadata> {
        match self.entries.get(path.as_str()) {
            Some(Entry::File { bytes, executable }) => {
                Ok(FileSystemMetadata::File { executable: *executable, length: bytes.len() as u64 })
            }
            Some(Entry::Link { target }) => Ok(FileSystemMetadata::Symlink { target_path: target.into() }),
            None if self.directories.contains_key(path.as_str()) => Ok(FileSystemMetadata::Directory),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn read_dir(&self, path: &Utf8Path) -> io::Result<Vec<String>> {
        let names = self.directories.get(path.as_str()).ok_or(io::ErrorKind::NotADirectory)?;
        Ok(names.iter().cloned().collect())
    }

    fn open(&self, path: &Utf8Path) -> io::Result<Self::File> {
        match self.entries.get(path.as_str()) {
            Some(Entry::File { bytes, .. }) => Ok(Cursor::new(bytes.clone())),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
}
