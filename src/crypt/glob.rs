//! The patterns of uv's and npm's workspaces: names, `*` and `?` within a part, `**` for any parts.

/// Whether a pattern uses only what [`matches()`] knows and stays inside; few stars, for each may try every split.
#[must_use]
pub fn is_supported(pattern: &str) -> bool {
    pattern.len() <= 255
        && pattern.matches('*').count() <= 6
        && !pattern.starts_with('/')
        && !pattern.contains(['[', ']', '{', '}', '!', '\\'])
        && pattern.split('/').all(|part| part != "..")
}

/// Whether `path` (parts joined by `/`) fits `pattern`.
#[must_use]
pub fn matches(pattern: &str, path: &str) -> bool {
    let patterns: Vec<&str> = pattern.split('/').filter(|part| *part != ".").collect();
    let parts: Vec<&str> = path.split('/').collect();
    all(&patterns, &parts)
}

fn all(patterns: &[&str], parts: &[&str]) -> bool {
    match patterns.split_first() {
        None => parts.is_empty(),
        Some((&"**", rest)) => (0..=parts.len()).any(|skip| all(rest, parts.get(skip..).unwrap_or_default())),
        Some((first, rest)) => parts
            .split_first()
            .is_some_and(|(part, others)| one(first.as_bytes(), part.as_bytes()) && all(rest, others)),
    }
}

fn one(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skip| one(rest, text.get(skip..).unwrap_or_default())),
        Some((b'?', rest)) => text.split_first().is_some_and(|(_, others)| one(rest, others)),
        Some((byte, rest)) => {
            text.split_first().is_some_and(|(first, others)| first == byte && one(rest, others))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_globs_do() {
        for (pattern, path, fits) in [
            ("packages/*", "packages/a", true),
            ("packages/*", "packages/a/b", false),
            ("packages/**", "packages/a/b", true),
            ("./libs/x-?", "libs/x-1", true),
            ("libs/x-?", "libs/x-12", false),
            ("*", "a", true),
            ("**/plugin-*", "a/b/plugin-c", true),
        ] {
            assert_eq!(matches(pattern, path), fits, "{pattern} {path}");
        }
        assert!(!is_supported("../x"));
        assert!(!is_supported("[ab]"));
    }
}
