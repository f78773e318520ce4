//! LychD's law on who may write what an inscription is made of, before anything of it is used.

use std::path::{Path, PathBuf};

use crate::{
    codex::ownership,
    diagnostic::{Diagnostic, Failure, refuse_any},
    host::{environment, file},
};

/// Judges every file of a Codex.
///
/// # Errors
/// Refused when one is not the user's own, or others may write it; unable when it cannot be looked at.
pub(super) fn of_codex(directory: &Path) -> Result<(), Failure> {
    let mut files = Vec::new();
    for name in ["lychd.toml", "forge.toml"] {
        let path = directory.join(name);
        if file::exists(&path)? {
            files.push(path);
        }
    }
    let runes = directory.join("runes");
    let mut pending: Vec<PathBuf> = file::exists(&runes)?.then_some(runes).into_iter().collect();
    while let Some(directory) = pending.pop() {
        for (name, is_directory) in
            file::list(&directory).map_err(|error| file::unable("read", &directory, &error))?
        {
            let path = directory.join(name);
            if is_directory {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path);
            }
        }
    }
    of_files(&files)
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
