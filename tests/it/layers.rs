//! The rules of the house: a room uses only floors below its own, files make no circle, no room is everybody's, and
//! only `host` may produce effects.

mod paths;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use paths::House;

/// Rooms that know nothing of each other.
const APART: &[&str] = &["debian", "python", "npm"];
/// The largest share of the lines that one room may have, in hundredths.
const SHARE: usize = 20;

/// Every source file by its path below `src`.
fn sources() -> BTreeMap<String, String> {
    fn read(directory: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix("src").unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    read(Path::new("src"), &mut found);
    assert!(found.len() > 200, "the sources were not found");
    found.retain(|name, _| !name.ends_with("tests.rs"));
    found
}

/// The rooms in the order of `docs/architecture.md`, lowest first.
fn floors() -> BTreeMap<String, usize> {
    let text = fs::read_to_string("docs/architecture.md").unwrap();
    let (_, table) = text.split_once("| room | holds |\n|---|---|\n").unwrap();
    let rows = table.lines().take_while(|line| line.starts_with("| `"));
    rows.enumerate().map(|(floor, row)| (row.split('`').nth(1).unwrap().to_owned(), floor)).collect()
}

fn room(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

#[test]
fn rooms_use_only_those_below() {
    let place = floors();
    let sources = sources();
    let house = House::new(&sources);
    let mut breaks = Vec::new();
    for file in sources.keys().filter(|file| !matches!(file.as_str(), "lib.rs" | "main.rs")) {
        let own = place.get(room(file)).unwrap_or_else(|| {
            panic!("`{}` has no floor: add it to the table in docs/architecture.md", room(file))
        });
        for (used, names) in house.uses(file) {
            let apart =
                room(&used) != room(file) && [room(&used), room(file)].iter().all(|one| APART.contains(one));
            if apart || place.get(room(&used)).is_none_or(|other| other > own) {
                breaks.push(format!("{file} uses {used}: {names:?}"));
            }
        }
    }
    assert!(breaks.is_empty(), "{}", breaks.join("\n"));
}

#[test]
fn files_make_no_circle() {
    let sources = sources();
    let house = House::new(&sources);
    let edges: BTreeMap<&str, BTreeMap<String, BTreeSet<String>>> =
        sources.keys().map(|file| (file.as_str(), house.uses(file))).collect();
    let reach = |from: &str| {
        let mut seen = BTreeSet::new();
        let mut open = vec![from.to_owned()];
        while let Some(file) = open.pop() {
            for used in edges[file.as_str()].keys() {
                if seen.insert(used.clone()) {
                    open.push(used.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&str, BTreeSet<String>> = edges.keys().map(|file| (*file, reach(file))).collect();
    let mut circles = String::new();
    for (file, used) in &edges {
        for (other, names) in used.iter().filter(|(other, _)| reached[other.as_str()].contains(*file)) {
            let names = names.iter().cloned().collect::<Vec<_>>().join(", ");
            writeln!(circles, "{file} -> {other}: {names}").unwrap();
        }
    }
    assert!(circles.is_empty(), "files that use each other in a circle:\n{circles}");
}

#[test]
fn no_room_is_everybodys() {
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    let sources = sources();
    for (file, text) in &sources {
        *lines.entry(room(file)).or_default() += text.lines().count();
    }
    let all: usize = lines.values().sum();
    lines.retain(|_, count| *count * 100 > all * SHARE);
    assert!(lines.is_empty(), "more than {SHARE} % of {all} lines: {lines:?}");
}

#[test]
fn a_verb_is_its_arguments_one_call_and_one_print() {
    let verbs = sources();
    let long: Vec<_> = verbs
        .iter()
        .filter(|(file, _)| file.starts_with("cli/") && file.as_str() != "cli/ui.rs")
        .map(|(file, text)| (file, text.lines().count()))
        .filter(|(_, count)| *count >= 80)
        .collect();
    assert!(long.is_empty(), "80 lines or more: {long:?}");
}

#[test]
fn only_host_lifts_the_fence_around_effects() {
    for (name, text) in sources() {
        let product = paths::product(&text);
        assert!(
            name.starts_with("host/") || !product.contains("disallowed_methods"),
            "{name} lifts the fence around effects"
        );
    }
}
