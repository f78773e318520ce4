//! The documentation for developers speaks of files and names that are there.

use std::{collections::BTreeSet, fs, path::Path};

const DOCUMENTS: [&str; 2] = ["CONTRIBUTING.md", "docs/architecture.md"];
/// What a path of this repository begins with.
const ROOTS: [&str; 8] = ["src/", "tests/", "docs/", "nix/", "benches/", "examples/", "templates/", ".ci/"];

/// The texts between single backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with("    ")).flat_map(|line| line.split('`').skip(1).step_by(2))
}

#[test]
fn every_path_in_them_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for document in DOCUMENTS {
        let text = fs::read_to_string(root.join(document)).unwrap();
        for path in quoted(&text).filter(|word| ROOTS.iter().any(|start| word.starts_with(start))) {
            // `<name>` stands for a file that a reader is to make.
            if path.contains(['<', '*', ' ']) {
                continue;
            }
            count += 1;
            assert!(root.join(path).exists(), "{document} names `{path}`, which is not there");
        }
    }
    assert!(count > 60, "{count}");
}

#[test]
fn where_to_look_names_what_the_file_defines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let rows: Vec<&str> =
        text.lines().filter(|line| line.starts_with("| ") && line.contains(".rs` | `")).collect();
    assert!(rows.len() >= 20, "{}", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let file = fs::read_to_string(root.join(cells[2].trim_matches('`'))).unwrap();
        for name in quoted(cells[3]) {
            let name = name.rsplit("::").next().unwrap();
            let defined =
                ["fn ", "struct ", "enum ", "const ", "trait ", "type ", "static ", "macro_rules! "]
                    .iter()
                    .any(|kind| file.contains(&format!("{kind}{name}")));
            assert!(defined, "{} does not define `{name}`:\n{row}", cells[2]);
        }
    }
}

#[test]
fn every_room_is_in_the_picture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let rooms: BTreeSet<String> = fs::read_dir(root.join("src"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().trim_end_matches(".rs").to_owned())
        .filter(|room| !matches!(room.as_str(), "lib" | "main"))
        .collect();
    for room in rooms {
        assert!(text.contains(&format!("| `{room}` |")), "docs/architecture.md has no row for `{room}`");
    }
}
