//! The root's say in how packages become layers.
//!
//! Format: the JSON that `nix/root/image.py` writes; its comment says what each key means. Places are paths in the
//! image without a slash in front. What is for people alone (`shared`, `replaced`) is passed over.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::store_root::StoreRoot;
use crate::{
    diagnostic::{Diagnostic, Failure},
    digest::{Sha256, store_path::StorePath},
    host::file,
};

/// Far above any: a root of 100,000 hard links.
const MOST_BYTES: u64 = 64 << 20;

/// Mode and owner of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owned {
    /// Twelve permission bits.
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// A valid plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Place of a directory link -> place that it leads to.
    pub(super) links: BTreeMap<String, String>,
    sealed: String,
    special: BTreeMap<Vec<u8>, Owned>,
    hard_links: BTreeMap<Vec<u8>, String>,
    /// The values of `hard_links`.
    firsts: BTreeSet<Vec<u8>>,
    /// Store path -> paths in it.
    pub(super) left_out: BTreeMap<String, BTreeSet<String>>,
    /// What the operator said of files and libraries that nothing needed.
    pub(super) notes: Vec<String>,
    /// Of its text: two images with one plan have one of these.
    pub(super) sha256: Sha256,
}

#[derive(Deserialize)]
struct Wire {
    links: BTreeMap<String, String>,
    sealed: String,
    modes: BTreeMap<String, (String, u32, u32)>,
    hard_links: BTreeMap<String, String>,
    left_out: BTreeMap<String, BTreeSet<String>>,
    notes: Vec<String>,
}

impl Plan {
    /// That of an image without packages at their places.
    pub(super) fn none() -> Self {
        Self {
            links: BTreeMap::new(),
            sealed: String::new(),
            special: BTreeMap::new(),
            hard_links: BTreeMap::new(),
            firsts: BTreeSet::new(),
            left_out: BTreeMap::new(),
            notes: Vec::new(),
            sha256: Sha256::of(""),
        }
    }

    /// Reads the plan at a store path.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it cannot be read; [`Failure::Refused`] when it is none.
    pub(super) fn read(path: &StorePath, store: &StoreRoot) -> Result<Self, Failure> {
        let place = store.locate(path);
        let bytes = file::read(&place, MOST_BYTES).map_err(|error| file::unable("read", &place, &error))?;
        Self::parse(&bytes)
            .map_err(|why| Diagnostic::new(format!("`{path}` is not the plan of a root: {why}")).into())
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let wire: Wire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let within = wire.left_out.values().flatten();
        // An image without an application seals nothing.
        let sealed = Some(&wire.sealed).filter(|place| !place.is_empty());
        let places = wire.links.iter().chain(&wire.hard_links).flat_map(|(a, b)| [a, b]).chain(sealed);
        if let Some(place) = places.chain(wire.modes.keys()).chain(within).find(|place| !is_place(place)) {
            return Err(format!("`{}` is no place", place.escape_debug()));
        }
        let special = wire.modes.into_iter().map(|(place, (mode, uid, gid))| {
            let mode = u32::from_str_radix(&mode, 8).ok().filter(|mode| *mode <= 0o1777);
            let mode = mode.ok_or_else(|| format!("`{}` has a mode that is none", place.escape_debug()))?;
            Ok((place.into_bytes(), Owned { mode, uid, gid }))
        });
        Ok(Self {
            links: wire.links,
            sealed: wire.sealed,
            special: special.collect::<Result<_, String>>()?,
            firsts: wire.hard_links.values().map(|first| first.clone().into_bytes()).collect(),
            hard_links: wire.hard_links.into_iter().map(|(name, first)| (name.into_bytes(), first)).collect(),
            left_out: wire.left_out,
            notes: wire.notes,
            sha256: Sha256::of(bytes),
        })
    }

    /// Mode and owner of a file (or, as if it were executable, a directory) at a place: root's, 0644 or 0755, unless
    /// the plan knows better; what is sealed nobody may write to.
    pub(super) fn owned(&self, place: &[u8], executable: bool) -> Owned {
        let root = |mode| Owned { mode, uid: 0, gid: 0 };
        let below = place.strip_prefix(self.sealed.as_bytes());
        if !self.sealed.is_empty() && below.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/")) {
            return root(if executable { 0o555 } else { 0o444 });
        }
        let usual = root(if executable { 0o755 } else { 0o644 });
        self.special.get(place).copied().unwrap_or(usual)
    }

    /// Whether the file at a place has further names.
    pub(super) fn is_first(&self, place: &[u8]) -> bool {
        self.firsts.contains(place)
    }

    /// The file that this one is another name of.
    pub(super) fn twin(&self, place: &[u8]) -> Option<&str> {
        self.hard_links.get(place).map(String::as_str)
    }
}

/// Whether a text is a relative path that stays where it is put.
fn is_place(text: &str) -> bool {
    text.split('/').all(|name| !matches!(name, "" | "." | "..") && !name.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"links": {"lib": "usr/lib"}, "sealed": "app", "modes": {"tmp": ["1777", 0, 0],
        "usr/bin/wall": ["755", 0, 5]}, "hard_links": {"usr/bin/b": "usr/bin/a"},
        "left_out": {"/nix/store/x": ["LICENSE"]}, "shared": {}, "replaced": {}, "notes": []}"#;

    #[test]
    fn modes_and_owners() {
        let plan = Plan::parse(GOOD.as_bytes()).unwrap();
        let told = |place: &str, executable| {
            let Owned { mode, uid, gid } = plan.owned(place.as_bytes(), executable);
            format!("{mode:o} {uid} {gid}")
        };
        for (place, executable, want) in [
            ("tmp", true, "1777 0 0"),
            ("tmp/x", true, "755 0 0"),
            ("usr/bin/wall", true, "755 0 5"),
            ("usr/share/x", false, "644 0 0"),
            ("app", true, "555 0 0"),
            ("app/.venv/x.py", false, "444 0 0"),
            ("apple", false, "644 0 0"),
        ] {
            assert_eq!(told(place, executable), want, "{place}");
        }
        assert_eq!((plan.twin(b"usr/bin/b"), plan.twin(b"usr/bin/a")), (Some("usr/bin/a"), None));
    }

    #[test]
    fn what_leaves_the_root_is_refused() {
        for (from, to) in [
            ("\"usr/lib\"", "\"../lib\""),
            ("\"usr/lib\"", "\"/usr/lib\""),
            ("\"tmp\"", "\"a//b\""),
            ("\"usr/bin/a\"", "\"usr/./a\""),
            ("\"LICENSE\"", "\"\""),
            ("\"1777\"", "\"4755\""),
            ("\"1777\"", "\"rwx\""),
            ("\"sealed\": \"app\"", "\"sealed\": 1"),
        ] {
            assert!(GOOD.contains(from));
            assert!(Plan::parse(GOOD.replace(from, to).as_bytes()).is_err(), "{to}");
        }
    }
}
