//! What differs between two texts of a `uv.lock`: which versions came, went and moved.

use crate::lock::{Change, Kind, Versions, Why};

/// Names and versions of third-party packages in a lock; `None` when it is no lock.
fn versions(lock: &str) -> Option<Versions> {
    let lock: toml::Table = lock.parse().ok()?;
    let mut all = Versions::new();
    for package in lock.get("package").and_then(toml::Value::as_array).into_iter().flatten() {
        if package.get("source").is_some_and(|source| source.get("virtual").is_some()) {
            continue;
        }
        let text = |key: &str| package.get(key).and_then(toml::Value::as_str);
        all.entry(text("name")?.to_owned()).or_default().insert(text("version").unwrap_or("?").to_owned());
    }
    Some(all)
}

/// Whether a text is a lock that can be compared.
pub(super) fn is_lock(text: &str) -> bool {
    versions(text).is_some()
}

/// How many names have the same versions in both.
pub(super) fn in_both(old: &str, new: &str) -> usize {
    let (old, new) = (versions(old).unwrap_or_default(), versions(new).unwrap_or_default());
    new.iter().filter(|(name, versions)| old.get(*name) == Some(versions)).count()
}

/// What moved, by name.
pub(super) fn between(kind: Kind, old: &str, new: &str, moved: Why) -> Vec<Change> {
    let (old, new) = (versions(old).unwrap_or_default(), versions(new).unwrap_or_default());
    Change::between(kind, &old, &new, moved)
}

/// What moved between two sets of locks, taken together: a package counts once, whichever of them has it.
pub(super) fn between_all<'a>(
    kind: Kind,
    old: impl Iterator<Item = &'a str>,
    new: impl Iterator<Item = &'a str>,
    moved: Why,
) -> Vec<Change> {
    let mut all = [Versions::new(), Versions::new()];
    let [before, after] = &mut all;
    for (name, some) in old.filter_map(versions).flatten() {
        before.entry(name).or_default().extend(some);
    }
    for (name, some) in new.filter_map(versions).flatten() {
        after.entry(name).or_default().extend(some);
    }
    Change::between(kind, before, after, moved)
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
        let old = [package("a", "1"), package("b", "1"), package("c", "1")].concat();
        let new = [package("a", "1"), package("b", "2"), package("d", "1"), own.to_owned()].concat();
        let told: Vec<String> =
            between(Kind::Python, &old, &new, Why::Required).iter().map(ToString::to_string).collect();
        assert_eq!(told, ["b 1 -> 2", "c 1 removed", "d 1 added"]);
        let (a, b) = (package("a", "1"), package("b", "1"));
        let all = between_all(Kind::Build, [&*a, &*b].into_iter(), [&*a, &*a].into_iter(), Why::Required);
        assert_eq!(all.iter().map(ToString::to_string).collect::<Vec<_>>(), ["b 1 removed (to build with)"]);
    }
}
