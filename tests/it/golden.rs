//! Texts and trees held against committed files. `UPDATE_GOLDEN=1` writes the files instead; a mismatch prints a diff.

use std::{fs, path::Path};

use lychd_forge::{
    host::file,
    tree::{FileTree, compare::compare},
};
use similar::TextDiff;

/// What renews a golden file.
const RENEW: &str = "UPDATE_GOLDEN=1 rewrites it";

/// Whether golden files are to be written.
pub(crate) fn renews() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

/// Holds a text against the file at `path` below the repository.
pub(crate) fn holds(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if renews() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
    }
    same(path, &fs::read_to_string(&file).unwrap_or_default(), text);
}

/// Holds a whole tree against the directory at `path` below the repository.
pub(crate) fn holds_tree(path: &str, tree: &FileTree) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if renews() {
        file::remove(&directory).unwrap();
        file::write_tree(&directory, tree).unwrap();
    }
    let changes = compare(&file::read_tree(&directory).unwrap(), tree);
    let shown: String = changes.iter().map(|change| change.text.as_str()).collect();
    assert!(changes.is_empty(), "`{path}` differs; {RENEW}\n{shown}");
}

/// Holds a text against what `what` has.
pub(crate) fn same(what: &str, expected: &str, text: &str) {
    let diff = TextDiff::from_lines(expected, text);
    let shown = diff.unified_diff().header(what, "what came out").to_string();
    assert!(text == expected, "`{what}` differs; {RENEW}\n{shown}");
}
