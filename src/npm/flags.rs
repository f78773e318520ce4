//! Whether a package is for a platform and its engines, as npm judges it (npm-install-checks).

use nodejs_semver::{Range, Version};

/// Whether `value` fits a list such as `["linux", "!arm"]`: none of the negated, one of the others if there are any.
pub(super) fn fits(value: &str, list: &[String]) -> bool {
    if let [only] = list
        && only == "any"
    {
        return true;
    }
    let (mut negated, mut found) = (0, false);
    for entry in list {
        match entry.strip_prefix('!') {
            Some(not) if not == value => return false,
            Some(_) => negated += 1,
            None => found = found || entry == value,
        }
    }
    found || negated == list.len()
}

/// Whether a version is in a range of `engines`; a range that cannot be read is never met.
pub(super) fn meets(version: &Version, range: Option<&String>) -> bool {
    range.is_none_or(|range| {
        Range::parse(range).is_ok_and(|range| version.satisfies_with_prerelease(&range, true))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_judged_as_npm_does() {
        let fits = |value: &str, list: &[&str]| {
            super::fits(value, &list.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
        };
        assert!(fits("linux", &[]) && fits("linux", &["any"]) && fits("linux", &["darwin", "linux"]));
        assert!(fits("linux", &["!win32"]) && fits("linux", &["!win32", "linux"]));
        assert!(
            !fits("linux", &["!linux"])
                && !fits("linux", &["darwin"])
                && !fits("linux", &["!win32", "darwin"])
        );
        let node = Version::parse("24.21.0").unwrap();
        assert!(meets(&node, Some(&"^20.19.0 || >=22.12.0".to_owned())) && meets(&node, None));
        assert!(!meets(&node, Some(&">=26".to_owned())) && !meets(&node, Some(&"new".to_owned())));
    }
}
