//! LychD's law on who may write what an inscription is made of, before anything of it is used.

use std::path::{Path, PathBuf};

use crate::{
    codex::ownership,
    diagnostic::{Diagnostic, Failure, refuse_any},
    host::{environment, file},
    tree::FileTree,
};

/// Judges every file of a Codex, and gives them as a tree.
///
/// # Errors
/// Refused when one is not the user's own, or others may write it; unable when it cannot be looked at.
pub(super) fn of_codex(directory: &Path) -> Result<FileTree, Failure> {
    let mut names = Vec::new();
    for name in ["lychd.toml", "forge.toml"] {
        if file::exists(&directory.join(name))? {
            names.push(name.to_owned());
        }
    }
    let mut pending = Vec::new();
    if file::exists(&directory.join("runes"))? {
        pending.push("runes".to_owned());
    }
    while let Some(below) = pending.pop() {
        let path = directory.join(&below);
        for (name, is_directory) in file::list(&path).map_err(|error| file::unable("read", &path, &error))? {
            let name = format!("{below}/{name}");
            if is_directory {
                pending.push(name);
            } else if Path::new(&name).extension().is_some_and(|extension| extension == "toml") {
                names.push(name);
            }
        }
    }
    let files: Vec<PathBuf> = names.iter().map(|name| directory.join(name)).collect();
    of_files(&files)?;
    let mut tree = FileTree::new();
    for (name, path) in names.iter().zip(&files) {
        let entry = file::read_entry(path).map_err(|error| file::unable("read", path, &error))?;
        // What has no plain name was not read as part of the Codex either.
        if let Ok(name) = name.parse() {
            tree.insert(name, entry);
        }
    }
    Ok(tree)
}

/// Judges these files.
///
/// # Errors
/// As [`of_codex`].
pub(super) fn of_files(files: &[PathBuf]) -> Result<(), Failure> {
    let mut wrong: Vec<Diagnostic> = Vec::new();
    for path in files {
        let status = file::status(path).map_err(|error| file::unable("read", path, &error))?;
        wrong.extend(ownership::judge(&path.display().to_string(), &status, environment::uid()));
    }
    refuse_any(wrong)
}
