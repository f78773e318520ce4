//! Where a symbolic link of a tree leads.

use super::{Entry, FileTree, RelativePath};

/// Links followed before a path counts as a circle, as Linux does.
const MOST_LINKS: usize = 40;

/// Why a link at `path` may not point at `target`, by text alone: what is there now does not matter.
///
/// `..` may only lead: the directories above a link are real ones, but a name after them may be a link
/// itself, and what `..` means behind it cannot be read off the text.
#[must_use]
pub fn escape(path: &str, target: &str) -> Option<&'static str> {
    if target.is_empty() || target.contains(char::is_control) || target.contains('\u{fffd}') {
        return Some("has no plain target");
    }
    if target.starts_with('/') {
        return Some("is absolute");
    }
    let depth = path.matches('/').count();
    let parts = || target.split('/').filter(|part| !part.is_empty() && *part != ".");
    let leading = parts().take_while(|part| *part == "..").count();
    if leading > depth {
        return Some("leaves the member's tree");
    }
    parts().skip(leading).any(|part| part == "..").then_some("has `..` behind a name")
}

/// Whether a link stays in the tree that is its root, walked part by part through all links on the way.
#[must_use]
pub fn stays(tree: &FileTree, path: &RelativePath, target: &str) -> bool {
    let mut at: Vec<&str> = path.components().collect();
    at.pop();
    let mut left: Vec<&str> = target.rsplit('/').collect();
    let mut links = 0;
    while let Some(part) = left.pop() {
        match part {
            "" | "." => {}
            ".." => {
                if at.pop().is_none() {
                    return false;
                }
            }
            _ => {
                at.push(part);
                let here = at.join("/").parse().ok();
                if let Some(Entry::Link { target }) = here.and_then(|here: RelativePath| tree.get(&here)) {
                    links += 1;
                    if links > MOST_LINKS {
                        return false;
                    }
                    at.pop();
                    left.extend(target.rsplit('/'));
                }
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn links_stay_in_the_tree() {
        for (path, target) in [
            ("a", "/etc/passwd"),
            ("a", "../b"),
            ("a", "./../b"),
            ("d/a", "../../b"),
            ("d/a", "x/../../../b"),
            ("a", "loop/../../b"),
            ("a", ""),
            ("a", "b\nc"),
        ] {
            assert!(escape(path, target).is_some(), "{path} -> {target}");
        }
        for (path, target) in
            [("a", "b"), ("d/a", "../b"), ("d/e/a", "../../f/g"), ("a", "./b//c"), ("a", "..b")]
        {
            assert_eq!(escape(path, target), None, "{path} -> {target}");
        }
    }
}
