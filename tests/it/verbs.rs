//! The documents name the verbs that there are: each is in the README, and none is named that is no verb.

use std::{collections::BTreeSet, fs, path::Path};

const PROGRAM: &str = "lychd-forge ";

/// What stands in a document as code: blocks between fences, and what is between backticks elsewhere.
fn code(text: &str) -> Vec<&str> {
    let mut is_block = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            is_block = !is_block;
        } else if is_block {
            found.push(line);
        } else {
            found.extend(line.split('`').skip(1).step_by(2));
        }
    }
    found
}

/// The words behind the program's name.
fn named(code: &str) -> impl Iterator<Item = &str> {
    let starts = code.match_indices(PROGRAM).filter_map(|(at, name)| code.get(at + name.len()..));
    let words = starts.filter_map(|rest| rest.split([' ', '|', ')', ',']).next());
    words.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))
}

#[test]
fn the_documents_name_the_verbs_that_there_are() {
    let mut program = lychd_forge::cli::command();
    program.build();
    let verbs: BTreeSet<&str> = program.get_subcommands().map(clap::Command::get_name).collect();
    let aliases = program.get_subcommands().flat_map(clap::Command::get_all_aliases);
    let known: BTreeSet<&str> = verbs.iter().copied().chain(aliases).collect();
    assert!(verbs.len() > 8, "{verbs:?}");

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let in_readme: BTreeSet<&str> =
        code(&readme).into_iter().flat_map(|code| named(code).chain(code.split(' ').next())).collect();
    let missing: Vec<&&str> = verbs.difference(&in_readme).collect();
    assert!(missing.is_empty(), "README.md does not name {missing:?}");

    let mut documents = vec![("README.md".to_owned(), readme.clone())];
    for entry in fs::read_dir(root.join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            documents.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
    for (name, text) in &documents {
        for word in code(text).into_iter().flat_map(named) {
            assert!(known.contains(word), "{name} names `{PROGRAM}{word}`, which is no verb");
        }
    }
}
