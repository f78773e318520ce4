//! The layer rule: a module uses only floors below its own, and only `host` may produce effects.

use std::{collections::BTreeMap, fs, path::Path};

/// The floors of `src/lib.rs`, lowest first. Modules on one floor may use each other only on the ground floor.
const FLOORS: &[&[&str]] = &[
    &["diagnostic", "digest", "name", "tree", "host"],
    &["lock", "codex", "crypt", "image"],
    &["runes"],
    &["synthesis"],
    &["body"],
    &["transmute", "binding"],
    &["forge"],
    &["report"],
    &["cli"],
];
/// `codex` selects what `crypt` discovers.
const WITHIN_A_FLOOR: &[(&str, &str)] = &[("crypt", "codex")];

fn rust_files(directory: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix("src").unwrap().to_str().unwrap().to_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

fn used_rooms(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (start, _) in text.match_indices("crate::") {
        let rest = &text[start + "crate::".len()..];
        // `crate::{a, b::c}` names several rooms; `crate::a` one.
        if let Some(group) = rest.strip_prefix('{') {
            let (mut depth, mut word) = (0, String::new());
            for c in group.chars() {
                match c {
                    '}' if depth == 0 => break,
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => rooms.push(std::mem::take(&mut word)),
                    c if depth == 0 => word.push(c),
                    _ => {}
                }
            }
            rooms.push(word);
        } else {
            rooms.push(rest.to_owned());
        }
    }
    rooms
        .iter()
        .map(|room| room.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .filter(|room: &String| !room.is_empty())
        .collect()
}

#[test]
fn rooms_use_only_the_floors_below() {
    let floor: BTreeMap<&str, usize> = FLOORS
        .iter()
        .enumerate()
        .flat_map(|(floor, rooms)| rooms.iter().map(move |room| (*room, floor)))
        .collect();
    let mut files = Vec::new();
    rust_files(Path::new("src"), &mut files);
    assert!(files.len() > 20, "the sources were not found");
    let mut breaks = Vec::new();
    for (name, text) in &files {
        let room = name.split(['/', '.']).next().unwrap();
        if room == "lib" || room == "main" {
            continue;
        }
        let own = *floor
            .get(room)
            .unwrap_or_else(|| panic!("`{room}` has no floor: add it to the picture in src/lib.rs"));
        for used in used_rooms(text) {
            let Some(&other) = floor.get(used.as_str()) else {
                breaks.push(format!("{name} uses crate::{used}, which has no floor"));
                continue;
            };
            let fine = used == room
                || other < own
                || own == 0 && other == 0
                || WITHIN_A_FLOOR.contains(&(room, &used));
            if !fine {
                breaks.push(format!("{name} uses crate::{used}"));
            }
        }
    }
    assert!(breaks.is_empty(), "{}", breaks.join("\n"));
}

#[test]
fn only_host_lifts_the_fence_around_effects() {
    let mut files = Vec::new();
    rust_files(Path::new("src"), &mut files);
    for (name, text) in files {
        let product = text.split("#[cfg(test)]").next().unwrap();
        assert!(
            name.starts_with("host/") || !product.contains("disallowed_methods"),
            "{name} lifts the fence around effects"
        );
    }
}
