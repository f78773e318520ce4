//! The Nix archive hash of a [`FileTree`], computed by the `nix-nar` crate over the tree in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Cursor, Read as _},
    sync::Arc,
};

use camino::Utf8Path;
use nix_nar::{Content, Decoder, Encoder, FileSystem, FileSystemMetadata};

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

/// The tree's Nix archive: the bytes that [`nar_sha256`] is the hash of.
///
/// # Errors
/// As [`nar_sha256`].
pub fn nar_bytes(tree: &FileTree) -> io::Result<Vec<u8>> {
    let mut encoder =
        Encoder::builder("/").filesystem(Memory::new(tree)).build().map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    io::copy(&mut encoder, &mut bytes)?;
    Ok(bytes)
}

/// The tree in a Nix archive.
///
/// # Errors
/// When it is no Nix archive of a directory, or holds a name that no [`FileTree`] has.
pub fn read_nar(bytes: &[u8]) -> io::Result<FileTree> {
    let decoder = Decoder::new(bytes).map_err(io::Error::other)?;
    let mut tree = FileTree::new();
    for entry in decoder.entries().map_err(io::Error::other)? {
        let entry = entry.map_err(io::Error::other)?;
        let content = match entry.content {
            Content::Directory => continue,
            Content::Symlink { target } => Entry::Link { target: target.into_string() },
            Content::File { executable, mut data, .. } => {
                let mut bytes = Vec::new();
                data.read_to_end(&mut bytes)?;
                Entry::File { bytes: bytes.into(), executable }
            }
        };
        let path = entry.path.ok_or_else(|| io::Error::other("an archive of one file"))?;
        tree.insert(path.as_str().parse().map_err(io::Error::other)?, content);
    }
    Ok(tree)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_reads_back_as_its_tree() {
        let mut tree = FileTree::new();
        tree.insert_text("a/b.txt".parse().unwrap(), "text");
        tree.insert(
            "a/run".parse().unwrap(),
            Entry::File { bytes: b"#!".as_slice().into(), executable: true },
        );
        tree.insert("link".parse().unwrap(), Entry::Link { target: "a/run".to_owned() });
        let bytes = nar_bytes(&tree).unwrap();
        assert_eq!(Sha256::of(&bytes), nar_sha256(&tree).unwrap());
        assert_eq!(read_nar(&bytes).unwrap(), tree);
        for end in [0, 8, bytes.len() / 2, bytes.len() - 1] {
            assert!(read_nar(&bytes[..end]).is_err(), "{end}");
        }
    }
}
