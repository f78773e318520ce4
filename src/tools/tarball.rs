//! Unpacks an npm tarball into a tree, under the rules for hostile archives.
//!
//! npm's format: a gzipped tar archive whose entries lie in one top directory. Only plain files are taken, as npm
//! itself does.

use std::io::Read as _;

use tar::EntryType;

use crate::tree::{Entry, FileTree, RelativePath};

/// The most files, and bytes when unpacked.
const ENTRIES: usize = 100_000;
const BYTES: u64 = 1 << 30;

/// Why a tarball is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum TarballError {
    /// No gzipped tar archive.
    #[error("it is no npm tarball: {0}")]
    Malformed(#[from] std::io::Error),
    /// An entry that no package has.
    #[error("`{}` in it {reason}", .path.escape_debug())]
    Entry {
        /// The entry's path.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// It would fill the disk.
    #[error("it unpacks to more than {0}")]
    TooLarge(&'static str),
}

/// The files of a tarball that `wanted` takes, without their top directory.
///
/// # Errors
/// [`TarballError`] names the entry that is wrong.
pub(super) fn unpack(
    packed: &[u8],
    wanted: impl Fn(&RelativePath) -> bool,
) -> Result<FileTree, TarballError> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed).take(BYTES));
    let mut tree = FileTree::new();
    let mut total = 0;
    for (count, entry) in archive.entries()?.enumerate() {
        if count >= ENTRIES {
            return Err(TarballError::TooLarge("100,000 entries"));
        }
        let mut entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let wrong = |reason| TarballError::Entry { path: path.clone(), reason };
        match entry.header().entry_type() {
            EntryType::Regular => {}
            EntryType::Directory | EntryType::XGlobalHeader => continue,
            _ => return Err(wrong("is no plain file")),
        }
        let inner = path.split_once('/').map_or("", |(_, inner)| inner);
        let inner: RelativePath = inner.parse().map_err(|_| wrong("has no plain path"))?;
        total += entry.size();
        if total > BYTES {
            return Err(TarballError::TooLarge("1 GiB"));
        }
        if !wanted(&inner) {
            continue;
        }
        let executable = entry.header().mode()? & 0o111 != 0;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        if tree.get(&inner).is_some() {
            return Err(wrong("is there twice"));
        }
        tree.insert(inner, Entry::File { bytes: bytes.into(), executable });
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(entries: &[(&str, EntryType)]) -> Vec<u8> {
        let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut archive = tar::Builder::new(gzip);
        for (path, kind) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_size(0);
            header.set_mode(0o755);
            // Past the builder's own checks.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_cksum();
            archive.append(&header, std::io::empty()).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn plain_files_are_taken_and_hostile_entries_refused() {
        let plain = packed(&[("package/", EntryType::Directory), ("package/bin/x", EntryType::Regular)]);
        assert_eq!(unpack(&plain, |_| true).unwrap().len(), 1);
        assert!(unpack(&plain, |path| path.as_str() != "bin/x").unwrap().is_empty());
        for (path, kind, want) in [
            ("package/../../x", EntryType::Regular, "has no plain path"),
            ("/etc/passwd/../x", EntryType::Regular, "has no plain path"),
            ("x", EntryType::Regular, "has no plain path"),
            ("package/x", EntryType::Symlink, "is no plain file"),
            ("package/x", EntryType::Link, "is no plain file"),
            ("package/x", EntryType::Fifo, "is no plain file"),
        ] {
            let error = unpack(&packed(&[(path, kind)]), |_| true).unwrap_err().to_string();
            assert!(error.contains(want), "{path}: {error}");
        }
        let twice = packed(&[("package/x", EntryType::Regular), ("other/x", EntryType::Regular)]);
        assert!(unpack(&twice, |_| true).unwrap_err().to_string().contains("is there twice"));
        assert!(unpack(b"no gzip", |_| true).is_err());
    }
}
