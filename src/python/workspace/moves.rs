//! What differs between two locks: which versions came, went and moved.

use crate::{
    lock::{Change, Kind, Versions, Why},
    python::lock::outline::Outline,
};

fn versions<'a>(locks: impl IntoIterator<Item = &'a Outline>) -> Versions {
    let mut all = Versions::new();
    for package in locks.into_iter().flat_map(|lock| &lock.packages) {
        let version = package.version.clone().unwrap_or_else(|| "?".to_owned());
        all.entry(package.name.clone()).or_default().insert(version);
    }
    all
}

/// How many names have the same versions in both.
pub(super) fn in_both(old: &Outline, new: &Outline) -> usize {
    let (old, new) = (versions([old]), versions([new]));
    new.iter().filter(|(name, versions)| old.get(*name) == Some(versions)).count()
}

/// What moved between two sets of locks, taken together: a package counts once, whichever of them has it.
pub(super) fn between<'a>(
    kind: Kind,
    old: impl IntoIterator<Item = &'a Outline>,
    new: impl IntoIterator<Item = &'a Outline>,
    why: Why,
) -> Vec<Change> {
    Change::between(kind, &versions(old), &versions(new), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_came_went_and_moved_are_told() {
        let package = |name: &str, version: &str| {
            format!(
                "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = {{ registry = \"x\" }}\n"
            )
        };
        let own = "[[package]]\nname = \"core\"\nversion = \"0\"\nsource = { virtual = \"members/core\" }\n";
        let outline = |texts: &[String]| Outline::read(&texts.concat()).unwrap();
        let old = outline(&[package("a", "1"), package("b", "1"), package("c", "1")]);
        let new = outline(&[package("a", "1"), package("b", "2"), package("d", "1"), own.to_owned()]);
        let told: Vec<String> =
            between(Kind::Python, [&old], [&new], Why::Required).iter().map(ToString::to_string).collect();
        assert_eq!(told, ["b 1 -> 2", "c 1 removed", "d 1 added"]);
        let (a, b) = (outline(&[package("a", "1")]), outline(&[package("b", "1")]));
        let all = between(Kind::Build, [&a, &b], [&a, &a], Why::Required);
        assert_eq!(all.iter().map(ToString::to_string).collect::<Vec<_>>(), ["b 1 removed (to build with)"]);
    }
}
