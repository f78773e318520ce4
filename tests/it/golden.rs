//! Texts held against committed files.

use std::{fs, path::Path};

use similar::TextDiff;

/// Holds a text against the file at `path` below the repository; `UPDATE_GOLDEN=1` writes it instead.
pub(crate) fn holds(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    let diff = TextDiff::from_lines(expected.as_str(), text);
    let shown = diff.unified_diff().header(path, "what came out").to_string();
    assert!(text == expected, "`{path}` differs; UPDATE_GOLDEN=1 rewrites it\n{shown}");
}
