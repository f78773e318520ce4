//! What differs between two bodies.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::contents::{BuiltImage, Contents, Part, Parts, Version};
use crate::name::Role;

/// Digits of hashes that tell versions apart.
const DIGITS: usize = 12;

/// What differs between two bodies, each list sorted by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Whether they have one synthesis id.
    pub equal_synthesis: bool,
    /// Whether the same of the members shapes their units.
    pub equal_federation: bool,
    /// Members.
    pub members: Vec<Changed>,
    /// Python packages.
    pub python: Vec<Changed>,
    /// npm packages.
    pub node: Vec<Changed>,
    /// System packages.
    pub system: Vec<Changed>,
    /// Images.
    pub images: Vec<ChangedImage>,
    /// Bytes of all images before.
    pub size_before: u64,
    /// Bytes of all images after.
    pub size_after: u64,
}

/// A part that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Changed {
    /// The member's id, or the package's name.
    pub name: String,
    /// Its version, or all of them with commas between; `null` when it was not there. A hash stands for a version that
    /// is not known, and behind versions that are called alike.
    pub before: Option<String>,
    /// The same afterwards; `null` when it is gone.
    pub after: Option<String>,
    /// The members that reach it; those that did when it is gone.
    pub requested_by: Vec<String>,
}

/// An image that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedImage {
    /// What it is for.
    pub role: Role,
    /// What it was; `None` when it was not there.
    pub before: Option<BuiltImage>,
    /// What it is; `None` when it is gone.
    pub after: Option<BuiltImage>,
}

/// What differs between two bodies.
#[must_use]
pub fn compare(before: &Contents, after: &Contents) -> Comparison {
    let size = |contents: &Contents| contents.images.values().map(|image| image.size).sum();
    Comparison {
        equal_synthesis: before.synthesis == after.synthesis,
        equal_federation: before.federation == after.federation,
        members: changed(&before.members, &after.members),
        python: changed(&before.python, &after.python),
        node: changed(&before.node, &after.node),
        system: changed(&before.system, &after.system),
        images: changed_images(before, after),
        size_before: size(before),
        size_after: size(after),
    }
}

fn changed(before: &Parts, after: &Parts) -> Vec<Changed> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names.into_iter().filter_map(|name| Changed::of(name, before.get(name), after.get(name))).collect()
}

fn changed_images(before: &Contents, after: &Contents) -> Vec<ChangedImage> {
    let roles: BTreeSet<&Role> = before.images.keys().chain(after.images.keys()).collect();
    let changed = |role: &Role| ChangedImage {
        role: role.clone(),
        before: before.images.get(role).copied(),
        after: after.images.get(role).copied(),
    };
    roles.into_iter().map(changed).filter(|image| image.before != image.after).collect()
}

impl Comparison {
    /// Whether nothing differs at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let lists = [&self.members, &self.python, &self.node, &self.system];
        self.equal_synthesis
            && self.equal_federation
            && self.images.is_empty()
            && lists.iter().all(|list| list.is_empty())
    }
}

impl Changed {
    /// `None` when its versions are the same, whoever asks for them.
    fn of(name: &str, before: Option<&Part>, after: Option<&Part>) -> Option<Self> {
        if before.map(|part| &part.versions) == after.map(|part| &part.versions) {
            return None;
        }
        let alike = before.map(Part::texts) == after.map(Part::texts);
        let requested_by = &after.or(before)?.requested_by;
        Some(Self {
            name: name.to_owned(),
            before: before.map(|part| part.told(alike)),
            after: after.map(|part| part.told(alike)),
            requested_by: requested_by.iter().cloned().collect(),
        })
    }
}

impl Part {
    fn texts(&self) -> BTreeSet<Option<&str>> {
        self.versions.iter().map(|version| version.text.as_deref()).collect()
    }

    fn told(&self, with_hash: bool) -> String {
        let told: BTreeSet<String> = self.versions.iter().map(|version| version.told(with_hash)).collect();
        Vec::from_iter(told).join(", ")
    }
}

impl Version {
    fn told(&self, with_hash: bool) -> String {
        let hash = || self.hash.chars().take(DIGITS).collect::<String>();
        match &self.text {
            None => hash(),
            Some(text) if with_hash => format!("{text} ({})", hash()),
            Some(text) => text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{digest::Sha256, image::ConfigDigest};

    /// Parts by name and version, each for the core, with a hash of their own.
    fn parts(all: &[(&str, &str)]) -> Parts {
        let mut parts = Parts::new();
        for &(name, version) in all {
            let part = parts.entry(name.to_owned()).or_default();
            let hash = Sha256::of(format!("{name} {version}")).to_string();
            part.versions.insert(Version { text: Some(version.to_owned()), hash });
            part.requested_by.insert("core".to_owned());
        }
        parts
    }

    fn body(python: Parts) -> Contents {
        let image = BuiltImage { config_digest: ConfigDigest::of("image"), size: 10 };
        Contents {
            synthesis: Sha256::of("synthesis"),
            federation: Sha256::of("federation"),
            members: Parts::new(),
            python,
            node: Parts::new(),
            system: Parts::new(),
            images: BTreeMap::from([(Role::vessel(), image)]),
        }
    }

    /// Lines of name, before and after.
    fn told(before: Parts, after: Parts) -> Vec<String> {
        let Comparison { python, .. } = compare(&body(before), &body(after));
        let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "none".to_owned());
        let line = |one: &Changed| format!("{}: {} > {}", one.name, side(&one.before), side(&one.after));
        python.iter().map(line).collect()
    }

    #[test]
    fn what_came_went_and_moved_is_told_by_name() {
        let before = parts(&[("went", "1.0"), ("stays", "1.0"), ("moved", "1.0")]);
        let after = parts(&[("moved", "1.1"), ("came", "2.0"), ("stays", "1.0")]);
        assert_eq!(told(before, after), ["came: none > 2.0", "moved: 1.0 > 1.1", "went: 1.0 > none"]);
    }

    #[test]
    fn several_versions_are_one_line() {
        let before = [("ms", "2.0.0"), ("ms", "2.1.3"), ("a", "1.0"), ("a", "2.0")];
        let after = parts(&[("ms", "2.1.3"), ("a", "2.0"), ("a", "1.0")]);
        assert_eq!(told(parts(&before), after), ["ms: 2.0.0, 2.1.3 > 2.1.3"]);
        let turned: Vec<_> = before.iter().rev().copied().collect();
        assert!(told(parts(&before), parts(&turned)).is_empty());
    }

    #[test]
    fn versions_that_are_called_alike_are_told_by_their_hashes() {
        let part = |text: Option<&str>, hash: &str| {
            let version = Version { text: text.map(str::to_owned), hash: hash.repeat(64) };
            Parts::from([("core".to_owned(), Part { versions: [version].into(), ..Part::default() })])
        };
        let (old, new) = ("a".repeat(12), "b".repeat(12));
        let alike = told(part(Some("0.1.0"), "a"), part(Some("0.1.0"), "b"));
        assert_eq!(alike, [format!("core: 0.1.0 ({old}) > 0.1.0 ({new})")]);
        assert_eq!(told(part(None, "a"), part(None, "b")), [format!("core: {old} > {new}")]);
        assert_eq!(told(part(None, "a"), part(Some("0.2.0"), "b")), [format!("core: {old} > 0.2.0")]);
    }

    #[test]
    fn who_asks_is_told_and_is_no_difference() {
        let by = |version: &str, member: &str| {
            let mut parts = parts(&[("idna", version)]);
            parts.get_mut("idna").unwrap().requested_by = [member.to_owned()].into();
            body(parts)
        };
        let requested_by = |before: &Contents, after: &Contents| {
            compare(before, after).python.into_iter().flat_map(|one| one.requested_by).collect::<Vec<_>>()
        };
        assert_eq!(requested_by(&by("1", "core"), &by("2", "scribe")), ["scribe"]);
        assert_eq!(requested_by(&by("1", "core"), &body(Parts::new())), ["core"]);
        assert!(compare(&by("1", "core"), &by("1", "scribe")).is_empty());
    }

    #[test]
    fn images_and_ids_differ_by_themselves() {
        let before = body(parts(&[("idna", "3.10")]));
        assert!(compare(&before, &before.clone()).is_empty());

        let mut after = before.clone();
        let database = BuiltImage { config_digest: ConfigDigest::of("database"), size: 5 };
        after.images.insert(Role::database(), database);
        let compared = compare(&before, &after);
        assert!(!compared.is_empty());
        assert_eq!((compared.size_before, compared.size_after), (10, 15));
        let role = Role::database();
        assert_eq!(compared.images, [ChangedImage { role, before: None, after: Some(database) }]);

        let other = Sha256::of("other");
        assert!(!compare(&before, &Contents { synthesis: other, ..before.clone() }).is_empty());
        assert!(!compare(&before, &Contents { federation: other, ..before.clone() }).is_empty());
    }
}
