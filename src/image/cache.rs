//! Diff IDs that were computed before. A store path does not change while it exists, so neither does
//! the layer made of it.
//!
//! One small text file per layer, named by what the layer is made of. It also holds which inodes the
//! paths were, and when these last changed, so that a path that was deleted and built again is hashed
//! again. An entry that is not exactly as we wrote it counts as none.
//!
//! Changes within one tick of the file system's clock carry one time. So only paths are kept that had last changed
//! before we began: whatever changes them later has a later time.

use std::{fmt::Write as _, path::PathBuf};

use super::{
    content::{Content, Placed},
    layer::{customisation_checksum, customisation_tar},
    store_root::StoreRoot,
    writer::Attributes,
};
use crate::{digest::Sha256, host::file};

const SCHEMA: &str = "lychd-forge/layer/1";
const MOST_BYTES: u64 = 1 << 20;

/// A directory of entries.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    directory: PathBuf,
    /// The file system's time when we began; `None` when nothing can be written, and then nothing is kept.
    begun: Option<(i64, i64)>,
}

/// Where a layer's digest is kept, and what must still be true for it to count.
#[derive(Debug)]
pub(super) struct Slot {
    path: PathBuf,
    stamp: String,
    /// Whether a later change of the paths would change the stamp.
    is_settled: bool,
}

impl Cache {
    pub(super) fn new(directory: PathBuf) -> Self {
        let begun = file::clock(&directory);
        if let Err(error) = &begun {
            tracing::warn!(path = %directory.display(), %error, "cannot keep the digests of layers");
        }
        Self { directory, begun: begun.ok() }
    }

    /// The layer's slot; `None` where a path cannot be read.
    pub(super) fn slot(&self, content: &Content, attributes: &Attributes, store: &StoreRoot) -> Option<Slot> {
        let kind = match content {
            Content::Placed { .. } => "placed",
            Content::Store(_) => "store",
            Content::Customisation(_) => "customisation",
        };
        let paths = content.store_paths();
        let Attributes { mtime, owner, plan } = attributes;
        let mut stamp = format!(
            "{SCHEMA}\n{kind} {mtime} {} {} {:?} {:?}\n",
            owner.uid, owner.gid, owner.user, owner.group
        );
        match content {
            Content::Placed { contents, .. } => {
                writeln!(stamp, "{}", plan.sha256).ok()?;
                for Placed { path, at } in contents {
                    writeln!(stamp, "{path} {at:?}").ok()?;
                }
            }
            Content::Store(_) | Content::Customisation(_) => {
                for path in &paths {
                    writeln!(stamp, "{path}").ok()?;
                }
            }
        }
        let mut is_settled = true;
        let key = Sha256::of(format!("{}\n{stamp}", store.physical().display()));
        for path in paths {
            let mut inspected = vec![store.locate(path)];
            if matches!(content, Content::Customisation(_)) {
                inspected.push(customisation_tar(store, path));
                inspected.push(customisation_checksum(store, path));
            }
            for place in inspected {
                let status = file::status(&place).ok()?;
                is_settled &= self.begun.is_some_and(|begun| status.changed < begun);
                let ((device, inode), (seconds, nanoseconds)) = (status.identity, status.changed);
                writeln!(stamp, "{device} {inode} {seconds}.{nanoseconds:09} {}", status.size).ok()?;
            }
        }
        Some(Slot { path: self.directory.join(key.to_string()), stamp, is_settled })
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

    /// Keeps them, unless the paths have only just changed. A cache that cannot be written only costs time.
    pub(super) fn put(&self, diff_id: Sha256, size: u64) {
        if !self.is_settled {
            return;
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        digest::store_path::StorePath,
        image::{plan::Plan, tar::Owner},
    };

    #[test]
    fn what_changed_in_this_tick_is_not_kept_and_what_changed_before_is() {
        let directory = tempfile::tempdir().unwrap();
        let store = StoreRoot::below(directory.path());
        let path: StorePath = "/nix/store/00000000000000000000000000000000-x".parse().unwrap();
        let kept = directory.path().join("cache");
        let attributes = Attributes { mtime: 1, owner: Owner::default(), plan: Plan::none() };
        let content = Content::Store(vec![path.clone()]);
        let found = (Sha256::of("x"), 1);
        let kept_by = |cache: &Cache| {
            let slot = cache.slot(&content, &attributes, &store).unwrap();
            slot.put(found.0, found.1);
            slot.get()
        };

        let early = Cache::new(kept.clone());
        file::write(&store.locate(&path), b"x").unwrap();
        assert_eq!(kept_by(&early), None);
        let changed = file::status(&store.locate(&path)).unwrap().changed;
        while file::clock(&kept).unwrap() <= changed {}
        assert_eq!(kept_by(&early), None);
        assert_eq!(kept_by(&Cache::new(kept)), Some(found));
    }
}
