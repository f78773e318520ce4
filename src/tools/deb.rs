//! Unpacks Debian packages into a tree without dpkg, under the rules for hostile archives.
//!
//! A `.deb` is an `ar` archive (deb(5)): `debian-binary`, `control.tar.*`, `data.tar.*`. Only the last is read.

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};

use tar::EntryType;

use crate::{
    diagnostic::{Diagnostic, Failure},
    digest::Sha256,
    host::file,
    tree::{Entry, FileTree, RelativePath},
};

/// The most a `.deb` may hold packed, and all together unpacked, in bytes.
const PACKED_LIMIT: u64 = 256 << 20;
const UNPACKED_LIMIT: u64 = 1 << 30;
/// The most entries of one package.
const ENTRY_LIMIT: usize = 100_000;
/// Links followed before a path counts as a circle.
const LINK_LIMIT: usize = 40;

/// A downloaded package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deb {
    /// Where it is.
    pub path: PathBuf,
    /// What it must hash to.
    pub sha256: Sha256,
}

/// Why a package is refused.
#[derive(Debug, thiserror::Error)]
pub enum DebError {
    /// Not the pinned bytes.
    #[error("its sha256 is {actual}, not {expected}")]
    Hash {
        /// What was pinned.
        expected: Sha256,
        /// What it is.
        actual: Sha256,
    },
    /// Not an `ar` archive with a `data.tar`.
    #[error("it is no Debian package: {0}")]
    Malformed(String),
    /// An entry that no package for an image has.
    #[error("`{}` {reason}", .path.escape_debug())]
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

/// Unpacks packages over each other into one tree.
///
/// # Errors
/// Refused with the package and entry that is wrong; unable when a file cannot be read.
pub fn unpack(debs: &[Deb]) -> Result<FileTree, Failure> {
    unpack_some(debs, |_| true)
}

/// Like [`unpack`], but keeps only what `wanted` takes; entries are judged all the same.
///
/// # Errors
/// As [`unpack`].
pub fn unpack_some(debs: &[Deb], wanted: impl Fn(&RelativePath) -> bool) -> Result<FileTree, Failure> {
    let mut root = Root::default();
    for deb in debs {
        let refuse =
            |error: DebError| Failure::from(Diagnostic::new(format!("`{}`: {error}", name(&deb.path))));
        let bytes =
            file::read(&deb.path, PACKED_LIMIT).map_err(|error| file::unable("read", &deb.path, &error))?;
        let actual = Sha256::of(&bytes);
        if actual != deb.sha256 {
            return Err(refuse(DebError::Hash { expected: deb.sha256, actual }));
        }
        root.add(&bytes, &wanted).map_err(refuse)?;
    }
    root.finish().map_err(|error| Diagnostic::new(format!("the packages together: {error}")).into())
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().escape_debug().to_string()
}

/// The files of all packages so far.
#[derive(Default)]
struct Root {
    entries: BTreeMap<RelativePath, Entry>,
    bytes: u64,
}

impl Root {
    fn add(&mut self, deb: &[u8], wanted: &dyn Fn(&RelativePath) -> bool) -> Result<(), DebError> {
        let (compression, packed) = data(deb)?;
        let reader: Box<dyn Read + '_> = match compression {
            "" => Box::new(packed),
            ".gz" => Box::new(flate2::read::GzDecoder::new(packed)),
            ".xz" => Box::new(lzma_rust2::XzReader::new(packed, true)),
            other => return Err(DebError::Malformed(format!("its data is compressed as `{other}`"))),
        };
        let mut archive = tar::Archive::new(reader);
        let entries = archive.entries().map_err(malformed)?;
        let mut seen = BTreeMap::new();
        for (count, entry) in entries.enumerate() {
            if count >= ENTRY_LIMIT {
                return Err(DebError::TooLarge("100,000 entries"));
            }
            self.entry(entry.map_err(malformed)?, &mut seen, wanted)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        mut entry: tar::Entry<'_, impl Read>,
        seen: &mut BTreeMap<RelativePath, bool>,
        wanted: &dyn Fn(&RelativePath) -> bool,
    ) -> Result<(), DebError> {
        let raw = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let wrong = |reason| DebError::Entry { path: raw.clone(), reason };
        let kind = entry.header().entry_type();
        let inner = raw.strip_prefix("./").unwrap_or(&raw);
        let is_directory = kind == EntryType::Directory;
        let inner = if is_directory { inner.trim_end_matches('/') } else { inner };
        if is_directory && (inner.is_empty() || inner == ".") {
            return Ok(());
        }
        let path: RelativePath = inner.parse().map_err(|_| wrong("is not a path inside the root"))?;
        if seen.insert(path.clone(), is_directory).is_some_and(|before| !(before && is_directory)) {
            return Err(wrong("is there twice"));
        }
        let mode = entry.header().mode().map_err(malformed)?;
        let content = match kind {
            EntryType::Directory => {
                return if self.entries.contains_key(&path) {
                    Err(wrong("is a directory here and something else in another package"))
                } else {
                    Ok(())
                };
            }
            EntryType::Regular | EntryType::Continuous if mode & 0o6000 != 0 => {
                return Err(wrong("is set-user-id or set-group-id"));
            }
            EntryType::Regular | EntryType::Continuous => {
                self.bytes = self.bytes.saturating_add(entry.size());
                if self.bytes > UNPACKED_LIMIT {
                    return Err(DebError::TooLarge("1 GiB"));
                }
                if !wanted(&path) {
                    return Ok(());
                }
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).map_err(malformed)?;
                Entry::File { bytes: bytes.into(), executable: mode & 0o111 != 0 }
            }
            EntryType::Symlink | EntryType::Link if !wanted(&path) => return Ok(()),
            EntryType::Symlink => {
                Entry::Link { target: target(&entry, &path).ok_or_else(|| wrong("has no sound target"))? }
            }
            EntryType::Link => {
                let first = target(&entry, &path)
                    .and_then(|text| text.strip_prefix("./").unwrap_or(&text).parse().ok());
                let file = first.and_then(|first: RelativePath| self.entries.get(&first).cloned());
                file.filter(|file| matches!(file, Entry::File { .. }))
                    .ok_or_else(|| wrong("is a hard link to no file before it"))?
            }
            _ => return Err(wrong("is neither file, directory nor link")),
        };
        self.entries.insert(path, content);
        Ok(())
    }

    /// The tree, once no path runs through a link or a file and no link leaves.
    fn finish(self) -> Result<FileTree, DebError> {
        let mut tree = FileTree::new();
        for (path, entry) in &self.entries {
            let wrong = |reason| DebError::Entry { path: path.to_string(), reason };
            if above(path.as_str()).any(|directory| self.get(directory).is_some()) {
                return Err(wrong("lies below a file or a link"));
            }
            if let Entry::Link { target } = entry {
                self.follow(path, target)
                    .ok_or_else(|| wrong("is a link that leaves the root or goes round"))?;
            }
        }
        for (path, entry) in self.entries {
            tree.insert(path, entry);
        }
        Ok(tree)
    }

    fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(&path.parse().ok()?)
    }

    /// Walks a link's target part by part through all links on the way; `None` when it leaves the root.
    fn follow(&self, link: &RelativePath, target: &str) -> Option<()> {
        let mut at: Vec<String> = link.components().map(str::to_owned).collect();
        at.pop();
        let mut left: Vec<String> = target.rsplit('/').map(str::to_owned).collect();
        let mut links = 0;
        while let Some(part) = left.pop() {
            match part.as_str() {
                "" | "." => {}
                ".." => drop(at.pop()?),
                _ => {
                    at.push(part);
                    if let Some(Entry::Link { target }) = self.get(&at.join("/")) {
                        links += 1;
                        if links > LINK_LIMIT {
                            return None;
                        }
                        at.pop();
                        left.extend(target.rsplit('/').map(str::to_owned));
                    }
                }
            }
        }
        Some(())
    }
}

/// The directories above a path, outermost first.
fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at))
}

/// A link's target; an absolute one means the root, so it is made relative.
fn target(entry: &tar::Entry<'_, impl Read>, path: &RelativePath) -> Option<String> {
    let bytes = entry.link_name_bytes()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    if text.is_empty() || text.len() > 4096 || text.contains(|c: char| c.is_control() || c == '\\') {
        return None;
    }
    match text.strip_prefix('/') {
        Some(inside) => Some(format!("{}{inside}", "../".repeat(path.components().count() - 1))),
        None => Some(text.to_owned()),
    }
}

fn malformed(error: impl std::fmt::Display) -> DebError {
    DebError::Malformed(error.to_string())
}

/// The `data.tar` member of a package: how it is compressed, and its bytes.
fn data(deb: &[u8]) -> Result<(&str, &[u8]), DebError> {
    let cut = || DebError::Malformed("it ends too early".to_owned());
    let mut rest = deb.strip_prefix(b"!<arch>\n").ok_or_else(|| malformed("no `ar` archive"))?;
    while !rest.is_empty() {
        let (header, after) = rest.split_at_checked(60).ok_or_else(cut)?;
        let field =
            |range| header.get(range).and_then(|bytes| std::str::from_utf8(bytes).ok()).map(str::trim_end);
        if header.get(58..) != Some(b"`\n") {
            return Err(malformed("an `ar` header without its mark"));
        }
        let name = field(0..16).map(|name| name.trim_end_matches('/')).ok_or_else(cut)?;
        let size: usize = field(48..58)
            .filter(|text| text.bytes().all(|c| c.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| malformed("an `ar` header without a size"))?;
        let (content, after) = after.split_at_checked(size).ok_or_else(cut)?;
        if let Some(compression) = name.strip_prefix("data.tar") {
            return Ok((compression, content));
        }
        rest = if size % 2 == 1 { after.get(1..).unwrap_or_default() } else { after };
    }
    Err(malformed("no `data.tar`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kind, path, content or target, mode.
    type Packed<'a> = (EntryType, &'a str, &'a str, u32);

    fn deb(entries: &[Packed<'_>]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (kind, path, content, mode) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(*mode);
            // Written raw: the crate's own setters refuse hostile names.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            let is_link = matches!(kind, EntryType::Symlink | EntryType::Link);
            if is_link {
                header.as_old_mut().linkname[..content.len()].copy_from_slice(content.as_bytes());
            }
            let data = if is_link { "" } else { content };
            header.set_size(data.len() as u64);
            header.set_cksum();
            builder.append(&header, data.as_bytes()).unwrap();
        }
        deb_of(&builder.into_inner().unwrap())
    }

    fn deb_of(tar: &[u8]) -> Vec<u8> {
        let mut deb = b"!<arch>\n".to_vec();
        for (name, content) in [("debian-binary", b"2.0\n".as_slice()), ("data.tar", tar)] {
            deb.extend(format!("{name:<16}{:<32}{:<10}`\n", "0", content.len()).into_bytes());
            deb.extend(content);
        }
        deb
    }

    fn unpacked(entries: &[Packed<'_>]) -> Result<FileTree, String> {
        let mut root = Root::default();
        root.add(&deb(entries), &|_| true).map_err(|error| error.to_string())?;
        root.finish().map_err(|error| error.to_string())
    }

    const FILE: EntryType = EntryType::Regular;
    const LINK: EntryType = EntryType::Symlink;

    #[test]
    fn files_and_links_inside_are_taken() {
        let tree = unpacked(&[
            (EntryType::Directory, "./", "", 0o755),
            (EntryType::Directory, "./usr/lib/", "", 0o755),
            (FILE, "./usr/lib/x", "data", 0o755),
            (LINK, "./usr/lib/y", "/etc/y", 0o777),
            (LINK, "./usr/lib/z", "x", 0o777),
            (EntryType::Link, "./usr/lib/hard", "./usr/lib/x", 0o755),
        ])
        .unwrap();
        assert_eq!(tree.file(&"usr/lib/hard".parse().unwrap()), Some(b"data".as_slice()));
        let link = Entry::Link { target: "../../etc/y".to_owned() };
        assert_eq!(tree.get(&"usr/lib/y".parse().unwrap()), Some(&link));
    }

    #[test]
    fn what_is_not_wanted_is_judged_and_left_out() {
        let some = |entries: &[Packed<'_>]| {
            let mut root = Root::default();
            let wanted = |path: &RelativePath| path.as_str() == "usr/bin/x";
            root.add(&deb(entries), &wanted).map_err(|error| error.to_string())?;
            root.finish().map_err(|error| error.to_string())
        };
        let two = [(FILE, "./usr/bin/x", "data", 0o755), (FILE, "./usr/bin/y", "data", 0o755)];
        assert_eq!(some(&two).unwrap().len(), 1);
        let error = some(&[(FILE, "./usr/bin/y", "", 0o4755)]).unwrap_err();
        assert!(error.contains("set-user-id"), "{error}");
    }

    #[test]
    fn hostile_entries_are_refused() {
        let cases: [(&[Packed<'_>], &str); 14] = [
            (&[(FILE, "../evil", "", 0o644)], "inside the root"),
            (&[(FILE, "/etc/passwd", "", 0o644)], "inside the root"),
            (&[(FILE, "./a/../../b", "", 0o644)], "inside the root"),
            (&[(FILE, "C:\\x", "", 0o644)], "inside the root"),
            (&[(LINK, "./a", "../outside", 0o777)], "leaves the root"),
            (&[(LINK, "./d/a", "..", 0o777), (LINK, "./b", "d/a/../../x", 0o777)], "leaves the root"),
            (&[(LINK, "./a", "a", 0o777)], "goes round"),
            (&[(LINK, "./a", "b", 0o777), (FILE, "./a/x", "", 0o644)], "below a file or a link"),
            (&[(FILE, "./a", "1", 0o644), (FILE, "./a", "2", 0o644)], "twice"),
            (&[(EntryType::Link, "./hard", "../../etc/passwd", 0o644)], "no file before it"),
            (&[(FILE, "C:../x\\y", "", 0o644)], "inside the root"),
            (&[(EntryType::Fifo, "./fifo", "", 0o644)], "neither file"),
            (&[(EntryType::Char, "./dev/null", "", 0o666)], "neither file"),
            (&[(FILE, "./su", "", 0o4755)], "set-user-id"),
        ];
        for (entries, want) in cases {
            let error = unpacked(entries).unwrap_err();
            assert!(error.contains(want), "{entries:?}: {error}");
        }
        for bad in [b"".as_slice(), b"!<arch>\n", b"!<arch>\nshort", b"PK"] {
            assert!(data(bad).is_err());
        }
    }

    #[test]
    fn hostile_sizes_and_extended_names_are_refused() {
        let header = |size: &[u8; 12]| {
            let mut header = tar::Header::new_gnu();
            header.set_path("usr/big").unwrap();
            header.set_mode(0o644);
            header.as_old_mut().size = *size;
            header.set_cksum();
            header.as_bytes().to_vec()
        };
        let mut pax = tar::Builder::new(Vec::new());
        pax.append_pax_extensions([("path", b"usr/a\0b".as_slice())]).unwrap();
        pax.append(&tar::Header::from_byte_slice(&header(b"00000000000\0")).clone(), b"".as_slice()).unwrap();
        let cases = [
            (pax.into_inner().unwrap(), "inside the root"),
            (header(b"77777777777\0"), "more than 1 GiB"),
            (header(&[0xff; 12]), "size overflow"),
            (header(b"-0000000001\0"), "numeric field"),
        ];
        for (tar, want) in cases {
            let error = Root::default().add(&deb_of(&tar), &|_| true).unwrap_err().to_string();
            assert!(error.contains(want), "{want}: {error}");
        }
    }
}
