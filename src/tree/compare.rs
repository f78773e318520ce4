//! Two trees held against each other, for people: a unified diff of each file.

use similar::{Algorithm, TextDiff};

use super::{Entry, FileTree, RelativePath};

/// A text above this size, in bytes, is only said to differ.
const DIFF_LIMIT: usize = 1 << 20;
/// One file that is not as it would be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Where it is, relative to the directory.
    pub path: RelativePath,
    /// What writing would do to it.
    pub kind: FileChangeKind,
    /// A unified diff from the directory to the tree, or a line that says what differs. Characters that would
    /// act on a terminal are escaped.
    pub text: String,
}

/// What writing would do to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileChangeKind {
    /// It is only in the tree.
    Added,
    /// It is only in the directory.
    Removed,
    /// It is in both, and differs.
    Changed,
}

/// What would change in `old` to make it `new`, by path. Empty when they are equal.
#[must_use]
pub fn compare(old: &FileTree, new: &FileTree) -> Vec<FileChange> {
    let gone = old.iter().filter(|(path, _)| new.get(path).is_none()).map(|(path, entry)| FileChange {
        path: path.clone(),
        kind: FileChangeKind::Removed,
        text: text(path, Some(entry), None),
    });
    let other = new.iter().filter_map(|(path, entry)| match old.get(path) {
        Some(before) if before == entry => None,
        before => Some(FileChange {
            path: path.clone(),
            kind: if before.is_some() { FileChangeKind::Changed } else { FileChangeKind::Added },
            text: text(path, before, Some(entry)),
        }),
    });
    let mut changes: Vec<_> = gone.chain(other).collect();
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

fn text(path: &RelativePath, old: Option<&Entry>, new: Option<&Entry>) -> String {
    let side = |entry: Option<&Entry>, prefix: &str| {
        if entry.is_some() { visible(&format!("{prefix}/{path}")) } else { "/dev/null".to_owned() }
    };
    let (from, to) = (side(old, "a"), side(new, "b"));
    let mut said = String::new();
    if let (Some(old), Some(new)) = (old.map(kind), new.map(kind))
        && old != new
    {
        said = format!("{from} is {old}, {to} is {new}\n");
    }
    match (old.map_or(Some(""), diffable), new.map_or(Some(""), diffable)) {
        (Some(before), Some(after)) => {
            let diff = TextDiff::configure().algorithm(Algorithm::Patience).diff_lines(before, after);
            said + &visible(&diff.unified_diff().header(&from, &to).to_string())
        }
        _ => said + &format!("binary or large: {from} and {to} differ\n"),
    }
}

fn kind(entry: &Entry) -> &'static str {
    match entry {
        Entry::File { executable: false, .. } => "a file",
        Entry::File { executable: true, .. } => "an executable file",
        Entry::Link { .. } => "a link",
    }
}

/// What a person can compare: short text without NUL, or a link's target.
fn diffable(entry: &Entry) -> Option<&str> {
    match entry {
        Entry::Link { target } => Some(target),
        Entry::File { bytes, .. } if bytes.len() > DIFF_LIMIT || bytes.contains(&0) => None,
        Entry::File { bytes, .. } => std::str::from_utf8(bytes).ok(),
    }
}

fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\r' || hides(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Whether a character would not be seen, or would reorder what is seen. Newline, CR and tab have an escape.
#[must_use]
pub fn hides(c: char) -> bool {
    let reorders =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    reorders || (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> FileTree {
        let mut tree = FileTree::new();
        for (path, text) in files {
            tree.insert_text(path.parse().unwrap(), text);
        }
        tree
    }

    #[test]
    fn a_diff_shows_lines_and_names_what_has_none() {
        let mut old = tree(&[("same", "x"), ("text", "a\nb\nc\n"), ("gone", "old\n"), ("mode", "x\n")]);
        let mut new = tree(&[("same", "x"), ("text", "a\nB\u{1b}[2J\nc\n"), ("new", "n\n"), ("mode", "x\n")]);
        for (tree, byte) in [(&mut old, 1_u8), (&mut new, 2)] {
            let bytes: std::sync::Arc<[u8]> = [0, byte].into();
            tree.insert("blob".parse().unwrap(), Entry::File { bytes, executable: false });
        }
        new.insert("mode".parse().unwrap(), Entry::File { bytes: (*b"x\n").into(), executable: true });
        let changes = compare(&old, &new);
        let said: Vec<_> =
            changes.iter().map(|change| (change.path.as_str(), change.text.as_str())).collect();
        assert_eq!(
            said,
            [
                ("blob", "binary or large: a/blob and b/blob differ\n"),
                ("gone", "--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-old\n"),
                ("mode", "a/mode is a file, b/mode is an executable file\n"),
                ("new", "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+n\n"),
                ("text", "--- a/text\n+++ b/text\n@@ -1,3 +1,3 @@\n a\n-b\n+B\\u{1b}[2J\n c\n"),
            ]
        );
        assert_eq!(compare(&old, &old), []);
    }
}
