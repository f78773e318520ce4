//! A source archive (`.tar.gz` or `.zip`) as a tree, read in memory under the rules for hostile archives.

use std::{
    collections::BTreeSet,
    io::{Cursor, Read},
};

use crate::{
    crypt,
    tree::{Entry, FileTree, RelativePath},
};

/// The most bytes an archive may hold packed.
pub const PACKED_LIMIT: u64 = 512 << 20;
/// The most bytes it may hold unpacked.
const UNPACKED_LIMIT: u64 = 1 << 30;
/// The most entries.
const ENTRY_LIMIT: usize = 200_000;

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Its name says another format.
    #[error("it is neither a `.tar.gz` nor a `.zip`")]
    Format,
    /// It cannot be read.
    #[error("it cannot be unpacked: {0}")]
    Malformed(String),
    /// An entry that no source archive has.
    #[error("`{}` in it {reason}", .path.escape_debug())]
    Entry {
        /// The entry's path.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// It would fill the memory.
    #[error("it holds more than {0}")]
    TooLarge(&'static str),
    /// Not one directory at its top, as PEP 625 wants.
    #[error("it does not hold one directory at its top")]
    Top,
}

/// The tree of an archive called `name`, without the directory at its top.
///
/// # Errors
/// [`ArchiveError`] with the entry that is wrong: an absolute path or one with `..`, a link that leaves the
/// archive, a device, a name that occurs twice.
pub fn read(name: &str, bytes: &[u8]) -> Result<FileTree, ArchiveError> {
    let mut files = Files::default();
    let name = name.to_ascii_lowercase();
    let ends = |ending: &str| name.ends_with(ending);
    if ends(".tar.gz") || ends(".tgz") {
        files.tar(flate2::read::MultiGzDecoder::new(bytes))?;
    } else if ends(".zip") {
        files.zip(bytes)?;
    } else {
        return Err(ArchiveError::Format);
    }
    files.finish()
}

fn malformed(error: impl std::fmt::Display) -> ArchiveError {
    ArchiveError::Malformed(error.to_string())
}

fn wrong(path: &str, reason: &'static str) -> ArchiveError {
    ArchiveError::Entry { path: path.to_owned(), reason }
}

#[derive(Default)]
struct Files {
    tree: FileTree,
    seen: BTreeSet<RelativePath>,
    bytes: u64,
}

impl Files {
    fn tar(&mut self, reader: impl Read) -> Result<(), ArchiveError> {
        let mut archive = tar::Archive::new(reader.take(UNPACKED_LIMIT));
        for (count, entry) in archive.entries().map_err(malformed)?.enumerate() {
            if count >= ENTRY_LIMIT {
                return Err(ArchiveError::TooLarge("200,000 entries"));
            }
            let mut entry = entry.map_err(malformed)?;
            let path = String::from_utf8(entry.path_bytes().into_owned())
                .map_err(|_| wrong("?", "has a name that is not UTF-8"))?;
            let kind = entry.header().entry_type();
            if kind.is_dir() || kind.is_pax_global_extensions() {
                continue;
            }
            let entry = if kind.is_file() {
                let executable = entry.header().mode().map_err(malformed)? & 0o100 != 0;
                let size = entry.size();
                Entry::File { bytes: self.content(&mut entry, size)?.into(), executable }
            } else if kind.is_symlink() {
                let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                let target =
                    String::from_utf8(target).map_err(|_| wrong(&path, "points to no UTF-8 name"))?;
                Entry::Link { target }
            } else {
                return Err(wrong(&path, "is neither a file, a directory nor a symbolic link"));
            };
            self.add(&path, entry)?;
        }
        Ok(())
    }

    fn zip(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(malformed)?;
        if archive.len() > ENTRY_LIMIT {
            return Err(ArchiveError::TooLarge("200,000 entries"));
        }
        for index in 0..archive.len() {
            let mut file = archive.by_index(index).map_err(malformed)?;
            let path = file.name().map_err(malformed)?.into_owned();
            let mode = file.unix_mode().unwrap_or(0o644);
            if file.is_dir() {
                continue;
            }
            // The kinds of stat(2); zip tools of other systems leave them out.
            if ![0, 0o100_000].contains(&(mode & 0o170_000)) {
                return Err(wrong(&path, "is neither a file nor a directory"));
            }
            let size = file.size();
            let bytes = self.content(&mut file, size)?.into();
            self.add(&path, Entry::File { bytes, executable: mode & 0o100 != 0 })?;
        }
        Ok(())
    }

    fn content(&mut self, reader: &mut impl Read, size: u64) -> Result<Vec<u8>, ArchiveError> {
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > UNPACKED_LIMIT {
            return Err(ArchiveError::TooLarge("1 GiB"));
        }
        let mut bytes = Vec::new();
        reader.take(size + 1).read_to_end(&mut bytes).map_err(malformed)?;
        if bytes.len() as u64 == size { Ok(bytes) } else { Err(malformed("an entry has another size")) }
    }

    fn add(&mut self, path: &str, entry: Entry) -> Result<(), ArchiveError> {
        let plain = path.strip_prefix("./").unwrap_or(path);
        let parsed: RelativePath = plain.parse().map_err(|_| wrong(path, "has no plain relative path"))?;
        if let Entry::Link { target } = &entry
            && crypt::link_escapes(plain.split_once('/').map_or("", |(_, below)| below), target).is_some()
        {
            return Err(wrong(path, "is a link that leaves the archive"));
        }
        if !self.seen.insert(parsed.clone()) {
            return Err(wrong(path, "occurs twice"));
        }
        self.tree.insert(parsed, entry);
        Ok(())
    }

    fn finish(self) -> Result<FileTree, ArchiveError> {
        let tops: BTreeSet<&str> =
            self.tree.iter().filter_map(|(path, _)| path.components().next()).collect();
        let mut tops = tops.into_iter();
        let (Some(top), None) = (tops.next(), tops.next()) else { return Err(ArchiveError::Top) };
        let top = top.parse().map_err(malformed)?;
        let below = self.tree.subtree(&top);
        if below.len() == self.tree.len() { Ok(below) } else { Err(ArchiveError::Top) }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn tar_gz(build: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        build(&mut builder);
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&builder.into_inner().unwrap()).unwrap();
        packed.finish().unwrap()
    }

    fn add(builder: &mut tar::Builder<Vec<u8>>, path: &str, kind: tar::EntryType, target: &str) {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o755);
        header.set_size(0);
        // As hostile writers do it: no library would put these names in.
        let name = &mut header.as_old_mut().name;
        name[..path.len()].copy_from_slice(path.as_bytes());
        let link = &mut header.as_old_mut().linkname;
        link[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        builder.append(&header, std::io::empty()).unwrap();
    }

    #[test]
    fn an_archive_is_a_tree_without_its_top() {
        let bytes = tar_gz(|builder| {
            add(builder, "a-1.0/", tar::EntryType::Directory, "");
            add(builder, "a-1.0/setup.py", tar::EntryType::Regular, "");
            add(builder, "./a-1.0/doc/link", tar::EntryType::Symlink, "../setup.py");
        });
        let tree = read("A-1.0.tar.gz", &bytes).unwrap();
        let paths: Vec<&str> = tree.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["doc/link", "setup.py"]);
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("a-1.0/setup.py", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(b"x").unwrap();
        let tree = read("a-1.0.zip", &zip.finish().unwrap().into_inner()).unwrap();
        assert_eq!(tree.file(&"setup.py".parse().unwrap()), Some(b"x".as_slice()));
    }

    #[test]
    fn hostile_archives_are_refused_by_entry() {
        use tar::EntryType::{Block, Link, Regular, Symlink};
        for (path, kind, target, want) in [
            ("/etc/passwd", Regular, "", "no plain relative path"),
            ("a/../../x", Regular, "", "no plain relative path"),
            ("a/x", Symlink, "/etc/passwd", "leaves the archive"),
            ("a/x", Symlink, "../a/y", "leaves the archive"),
            ("a/x", Link, "a/y", "is neither a file"),
            ("a/x", Block, "", "is neither a file"),
            ("a/y", Regular, "", "occurs twice"),
            ("b/y", Regular, "", "one directory at its top"),
            ("y", Regular, "", "one directory at its top"),
        ] {
            let bytes = tar_gz(|builder| {
                add(builder, "a/y", Regular, "");
                add(builder, path, kind, target);
            });
            let error = read("a.tar.gz", &bytes).unwrap_err().to_string();
            assert!(error.contains(want), "{path}: {error}");
        }
        assert!(matches!(read("a.tar.bz2", b""), Err(ArchiveError::Format)));
        assert!(matches!(read("a.tar.gz", b"x"), Err(ArchiveError::Malformed(_))));
    }
}
