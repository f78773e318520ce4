//! Diff IDs that were computed before. A store path does not change while it exists, so neither does
//! the layer made of it.
//!
//! One small text file per layer, named by what the layer is made of. It also holds which inodes the
//! paths were, and when these last changed, so that a path that was deleted and built again is hashed
//! again. An entry that is not exactly as we wrote it counts as none.

use std::{fmt::Write as _, path::PathBuf};

use super::{
    StoreRoot,
    layer::{Attributes, Content, customisation_tar},
};
use crate::{digest::Sha256, host::file};

const SCHEMA: &str = "lychd-forge/layer/1";
const MOST_BYTES: u64 = 1 << 20;

/// A directory of entries.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    directory: PathBuf,
}

/// Where a layer's digest is kept, and what must still be true for it to count.
#[derive(Debug)]
pub(super) struct Slot {
    path: PathBuf,
    stamp: String,
}

impl Cache {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The layer's slot; `None` for what is not kept: layers of a base image, and paths that cannot be read.
    pub(super) fn slot(&self, content: &Content, attributes: &Attributes, store: &StoreRoot) -> Option<Slot> {
        let (kind, paths) = match content {
            Content::Base(_) => return None,
            Content::Store(paths) => ("store", paths.as_slice()),
            Content::Customisation(path) => ("customisation", std::slice::from_ref(path)),
        };
        let Attributes { mtime, owner } = attributes;
        let mut stamp = format!(
            "{SCHEMA}\n{kind} {mtime} {} {} {:?} {:?}\n",
            owner.uid, owner.gid, owner.user, owner.group
        );
        for path in paths {
            writeln!(stamp, "{path}").ok()?;
        }
        let key = Sha256::of(format!("{}\n{stamp}", store.physical().display()));
        for path in paths {
            let mut inspected = vec![store.locate(path)];
            if matches!(content, Content::Customisation(_)) {
                inspected.push(customisation_tar(store, path));
            }
            for place in inspected {
                let status = file::status(&place).ok()?;
                let ((device, inode), (seconds, nanoseconds)) = (status.identity, status.changed);
                writeln!(stamp, "{device} {inode} {seconds}.{nanoseconds:09} {}", status.size).ok()?;
            }
        }
        Some(Slot { path: self.directory.join(key.to_string()), stamp })
    }
}

impl Slot {
    /// Diff ID and size, when they are known.
    pub(super) fn get(&self) -> Option<(Sha256, u64)> {
        let text = String::from_utf8(file::read(&self.path, MOST_BYTES).ok()?).ok()?;
        let known = text.strip_prefix(&self.stamp)?;
        let (line, check) = known.strip_suffix('\n')?.split_once('\n')?;
        let (diff_id, size) = line.split_once(' ')?;
        let found = (diff_id.parse().ok()?, size.parse().ok()?);
        (self.text(found) == text && check.parse() == Ok(self.check(line))).then_some(found)
    }

    /// Keeps them. A cache that cannot be written only costs time.
    pub(super) fn put(&self, diff_id: Sha256, size: u64) {
        let text = self.text((diff_id, size));
        if let Err(error) = file::write_cached(&self.path, text.as_bytes()) {
            tracing::warn!(path = %self.path.display(), %error, "cannot keep a layer's digest");
        }
    }

    /// Forgets them.
    pub(super) fn remove(&self) {
        if let Err(error) = file::remove(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove a layer's digest");
        }
    }

    fn text(&self, (diff_id, size): (Sha256, u64)) -> String {
        let line = format!("{diff_id} {size}");
        format!("{}{line}\n{}\n", self.stamp, self.check(&line))
    }

    fn check(&self, line: &str) -> Sha256 {
        Sha256::of(format!("{}{line}", self.stamp))
    }
}
