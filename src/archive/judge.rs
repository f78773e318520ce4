//! Members under rules: the one place that takes or refuses.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
};

use super::{
    error::ArchiveError,
    member::{Kind, Member},
    rules::{HardLinks, Links, Rules, SetId},
};
use crate::tree::{Entry, FileTree, RelativePath, link};

/// The mode's set-user-id and set-group-id bits.
pub(super) const SET_ID: u32 = 0o6000;

/// Takes members, of one archive or of several that lie over each other.
pub(super) struct Judge<'a> {
    rules: &'a Rules,
    wanted: &'a dyn Fn(&RelativePath) -> bool,
    /// What was taken, with the directory at the top.
    taken: BTreeMap<RelativePath, Entry>,
    /// Unpacked bytes of all files, taken or not.
    bytes: u64,
    /// The directories at the top in which something lies.
    tops: BTreeSet<String>,
    /// Paths of the archive that is being read, and whether each is a directory.
    seen: BTreeMap<RelativePath, bool>,
    count: usize,
}

impl<'a> Judge<'a> {
    pub(super) fn new(rules: &'a Rules, wanted: &'a dyn Fn(&RelativePath) -> bool) -> Self {
        Self {
            rules,
            wanted,
            taken: BTreeMap::new(),
            bytes: 0,
            tops: BTreeSet::new(),
            seen: BTreeMap::new(),
            count: 0,
        }
    }

    /// Before the first member of each archive.
    pub(super) fn begin(&mut self, packed: &[u8]) -> Result<(), ArchiveError> {
        self.seen.clear();
        self.count = 0;
        let limit = self.rules.limits.packed;
        if packed.len() as u64 > limit { Err(ArchiveError::Packed(limit)) } else { Ok(()) }
    }

    pub(super) fn rules(&self) -> &'a Rules {
        self.rules
    }

    /// Takes a member, leaves it out where it is not wanted, or refuses it.
    pub(super) fn add(&mut self, member: Member<'_>) -> Result<(), ArchiveError> {
        self.count += 1;
        if self.count > self.rules.limits.entries {
            return Err(ArchiveError::Entries(self.rules.limits.entries));
        }
        let raw = String::from_utf8_lossy(&member.path);
        let wrong = |reason| ArchiveError::entry(&raw, reason);
        let text = std::str::from_utf8(&member.path).map_err(|_| wrong("has a name that is not UTF-8"))?;
        let plain = text.strip_prefix("./").unwrap_or(text);
        let is_directory = matches!(member.kind, Kind::Directory);
        let plain = if is_directory { plain.trim_end_matches('/') } else { plain };
        if is_directory && (plain.is_empty() || plain == ".") {
            return Ok(());
        }
        let path: RelativePath = plain.parse().map_err(|_| wrong("has no plain relative path"))?;
        // A directory may be named again; tar writers do it.
        if self.seen.insert(path.clone(), is_directory).is_some_and(|before| !(before && is_directory)) {
            return Err(wrong("is there twice"));
        }
        if is_directory {
            return if self.taken.contains_key(&path) {
                Err(wrong("is a directory here and something else in another package"))
            } else {
                Ok(())
            };
        }
        let is_wanted = (self.wanted)(&self.stripped(&path)?);
        let entry = match member.kind {
            Kind::Directory | Kind::Other => {
                return Err(wrong("is neither a file, a directory nor a link"));
            }
            Kind::File { mode, .. } if mode & SET_ID != 0 && self.rules.set_id == SetId::Refused => {
                return Err(wrong("is set-user-id or set-group-id"));
            }
            Kind::File { mode, size, content } => {
                self.bytes = self.bytes.saturating_add(size);
                if self.bytes > self.rules.limits.unpacked {
                    return Err(ArchiveError::Unpacked(self.rules.limits.unpacked));
                }
                if !is_wanted {
                    return Ok(());
                }
                Entry::File { bytes: read(content, size)?.into(), executable: mode & 0o111 != 0 }
            }
            Kind::Link { .. } if self.rules.links == Links::Refused => {
                return Err(wrong("is a symbolic link"));
            }
            Kind::HardLink { .. } if self.rules.hard_links == HardLinks::Refused => {
                return Err(wrong("is a hard link"));
            }
            Kind::Link { .. } | Kind::HardLink { .. } if !is_wanted => return Ok(()),
            Kind::Link { target } => {
                let target = target_text(target).ok_or_else(|| wrong("has no sound target"))?;
                Entry::Link { target: self.relative(&path, target) }
            }
            Kind::HardLink { target } => {
                let first = target_text(target)
                    .and_then(|text| text.strip_prefix("./").unwrap_or(&text).parse().ok());
                let file = first.and_then(|first: RelativePath| self.taken.get(&first).cloned());
                file.filter(|file| matches!(file, Entry::File { .. }))
                    .ok_or_else(|| wrong("is a hard link to no file before it"))?
            }
        };
        self.taken.insert(path, entry);
        Ok(())
    }

    /// The tree, once no path runs through a link or a file and no link leaves.
    pub(super) fn finish(self) -> Result<FileTree, ArchiveError> {
        let mut tree = FileTree::new();
        for (path, entry) in self.taken {
            tree.insert(path, entry);
        }
        if self.rules.strip_top {
            let mut tops = self.tops.iter();
            let (Some(top), None) = (tops.next(), tops.next()) else { return Err(ArchiveError::Top) };
            tree = tree.subtree(&top.parse().map_err(ArchiveError::malformed)?);
        }
        for (path, entry) in tree.iter() {
            let wrong = |reason| ArchiveError::entry(path.as_str(), reason);
            if path.above().any(|directory| tree.get(&directory).is_some()) {
                return Err(wrong("lies below a file or a link"));
            }
            let Entry::Link { target } = entry else { continue };
            match self.rules.links {
                Links::Inside if link::escape(path.as_str(), target).is_some() => {
                    return Err(wrong("is a link that leaves the archive"));
                }
                Links::Rooted if !link::stays(&tree, path, target) => {
                    return Err(wrong("is a link that leaves the root or goes round"));
                }
                Links::Refused | Links::Inside | Links::Rooted => {}
            }
        }
        Ok(tree)
    }

    /// A path as it is in the tree that is made.
    fn stripped(&mut self, path: &RelativePath) -> Result<RelativePath, ArchiveError> {
        if !self.rules.strip_top {
            return Ok(path.clone());
        }
        let (top, below) = path.as_str().split_once('/').ok_or(ArchiveError::Top)?;
        if !self.tops.contains(top) {
            self.tops.insert(top.to_owned());
        }
        below.parse().map_err(ArchiveError::malformed)
    }

    /// A link's target; where the tree is a root, an absolute one is made relative.
    fn relative(&self, path: &RelativePath, target: String) -> String {
        match target.strip_prefix('/') {
            Some(inside) if self.rules.links == Links::Rooted => {
                format!("{}{inside}", "../".repeat(path.components().count() - 1))
            }
            _ => target,
        }
    }
}

fn target_text(target: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(target).ok()?;
    let is_sound =
        !text.is_empty() && text.len() <= 4096 && !text.contains(|c: char| c.is_control() || c == '\\');
    is_sound.then_some(text)
}

/// The bytes of a file, as many as it said.
fn read(content: &mut dyn Read, size: u64) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = Vec::new();
    content.take(size.saturating_add(1)).read_to_end(&mut bytes).map_err(ArchiveError::malformed)?;
    if bytes.len() as u64 == size {
        Ok(bytes)
    } else {
        Err(ArchiveError::malformed("an entry has another size"))
    }
}
