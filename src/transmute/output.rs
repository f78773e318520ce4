//! A tree held against a directory, and written to one that is ours to write.

use std::path::Path;

use super::MARKER;
use crate::{
    diagnostic::{Diagnostic, Failure},
    host::file,
    tree::{
        Entry, FileTree,
        compare::{FileChange, compare},
    },
};

/// The file whose marker says that the directory is ours.
const FLAKE: &str = "flake.nix";

/// What [`write()`] would change in `directory`; a directory that is not there counts as empty.
///
/// # Errors
/// [`Failure::Unable`] when it cannot be read.
pub fn diff(directory: &Path, tree: &FileTree) -> Result<Vec<FileChange>, Failure> {
    Ok(compare(&read(directory, tree)?, tree))
}

/// What is in `directory`, without what Nix left there and `tree` has not.
fn read(directory: &Path, tree: &FileTree) -> Result<FileTree, Failure> {
    if !file::exists(directory)? {
        return Ok(FileTree::new());
    }
    let all = file::read_tree(directory).map_err(|error| file::unable("read", directory, &error))?;
    let mut ours = FileTree::new();
    for (path, entry) in
        all.iter().filter(|(path, entry)| tree.get(path).is_some() || !is_left_by_nix(path.as_str(), entry))
    {
        ours.insert(path.clone(), entry.clone());
    }
    Ok(ours)
}

/// What `nix build` puts beside a flake: a lock (without content where the flake has no inputs) and links to results.
fn is_left_by_nix(name: &str, entry: &Entry) -> bool {
    match entry {
        Entry::File { .. } => name == "flake.lock",
        Entry::Link { target } => {
            (name == "result" || (name.starts_with("result-") && !name.contains('/')))
                && target.starts_with("/nix/store/")
        }
    }
}

/// Makes `directory` hold `tree` and nothing else, in one exchange. Says whether anything had to change.
///
/// # Errors
/// [`Failure::Refused`] when something is there that this program did not write: the directory is not empty and
/// its `flake.nix` does not begin with [`MARKER`], or it holds a top-level name that no flake of ours has.
/// [`Failure::Unable`] when it cannot be read or written; what was there is then still whole.
pub fn write(directory: &Path, tree: &FileTree) -> Result<bool, Failure> {
    refuse_foreign(directory)?;
    if file::exists(directory)? && read(directory, tree)? == *tree {
        return Ok(false);
    }
    file::write_tree(directory, tree).map_err(|error| file::unable("write", directory, &error))?;
    Ok(true)
}

fn refuse_foreign(directory: &Path) -> Result<(), Failure> {
    // What a flake of ours has at its top.
    const OURS: [&str; 8] =
        [FLAKE, "body.nix", "debian.nix", "nixpkgs.nix", "images", "nix", "packages", "sources"];
    let Some(kind) = file::kind(directory)? else { return Ok(()) };
    let shown = directory.display();
    if kind != file::Kind::Directory {
        let message = format!("`{shown}` is no directory");
        return Err(Diagnostic::new(message).help("name another place").into());
    }
    let names = file::list(directory).map_err(|error| file::unable("read", directory, &error))?;
    if names.is_empty() {
        return Ok(());
    }
    let entry = |name: &str| {
        let path = directory.join(name);
        match file::read_entry(&path) {
            // No file or link, or none that is written here.
            Err(error) if file::is_wrong(&error) => Ok(None),
            read => file::if_there(&path, read),
        }
    };
    let marked = entry(FLAKE)?.is_some_and(
        |entry| matches!(entry, Entry::File { bytes, .. } if bytes.starts_with(MARKER.as_bytes())),
    );
    let mut foreign = Vec::new();
    for (name, _) in &names {
        let ours = marked
            && (OURS.contains(&name.as_str())
                || entry(name)?.is_some_and(|entry| is_left_by_nix(name, &entry)));
        if !ours {
            foreign.push(name);
        }
    }
    if foreign.is_empty() {
        return Ok(());
    }
    let listed: Vec<_> = foreign.iter().take(10).map(|name| format!("`{}`", name.escape_debug())).collect();
    let more = if foreign.len() > 10 { format!(" and {} more", foreign.len() - 10) } else { String::new() };
    let message = format!("`{shown}` holds what the forge did not write: {}{more}", listed.join(", "));
    Err(Diagnostic::new(message).help("move it away, or name an empty or new directory").into())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests look at real directories")]
mod tests {
    use std::fs;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> FileTree {
        let mut tree = FileTree::new();
        for (path, text) in files {
            tree.insert_text(path.parse().unwrap(), text);
        }
        tree
    }

    fn flake(body: &str) -> FileTree {
        tree(&[("flake.nix", &format!("{MARKER} Synthesis sha256:0\n{{ }}\n")), ("body.nix", body)])
    }

    #[test]
    fn a_written_tree_is_equal_and_is_not_written_again() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = scratch.path().join("deep/flake");
        assert_eq!(diff(&directory, &flake("a")).unwrap().len(), 2);
        assert_eq!(write(&directory, &flake("a")), Ok(true));
        assert_eq!(diff(&directory, &flake("a")), Ok(vec![]));
        assert_eq!(write(&directory, &flake("a")), Ok(false));
        fs::write(directory.join("flake.lock"), "{}").unwrap();
        std::os::unix::fs::symlink("/nix/store/x", directory.join("result")).unwrap();
        assert_eq!(diff(&directory, &flake("a")), Ok(vec![]), "what Nix leaves there is not ours to report");
        assert_eq!(write(&directory, &flake("b")), Ok(true));
        assert_eq!(file::read_tree(&directory).unwrap(), flake("b"));
        assert_eq!(fs::read_dir(scratch.path().join("deep")).unwrap().count(), 1, "nothing staged is left");
    }

    #[test]
    fn a_lock_that_belongs_to_the_flake_is_looked_at() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = scratch.path().join("flake");
        let mut locked = flake("a");
        locked.insert_text("flake.lock".parse().unwrap(), "{ }\n");
        assert_eq!(write(&directory, &locked), Ok(true));
        assert_eq!(diff(&directory, &locked), Ok(vec![]));
        fs::write(directory.join("flake.lock"), "{}").unwrap();
        assert_eq!(diff(&directory, &locked).unwrap().len(), 1, "Nix has moved it");
        assert_eq!(write(&directory, &locked), Ok(true));
    }

    #[test]
    fn foreign_files_are_never_overwritten() {
        let scratch = tempfile::tempdir().unwrap();
        let refused = |directory: &Path, named: &str| {
            let before = fs::read_dir(directory).map(Iterator::count).unwrap_or_default();
            let failure = write(directory, &flake("a")).unwrap_err();
            assert!(matches!(failure, Failure::Refused(_)), "{failure}");
            assert!(failure.to_string().contains(named), "{failure}");
            assert_eq!(fs::read_dir(directory).map(Iterator::count).unwrap_or_default(), before);
        };
        let other = scratch.path().join("other");
        fs::create_dir(&other).unwrap();
        assert_eq!(write(&other, &flake("a")), Ok(true), "an empty directory may be used");
        fs::write(other.join("notes.txt"), "mine").unwrap();
        refused(&other, "`notes.txt`");
        fs::remove_file(other.join("notes.txt")).unwrap();
        fs::write(other.join("flake.nix"), format!("{{ }}\n{MARKER}\n")).unwrap();
        refused(&other, "`flake.nix`");
        fs::remove_file(other.join("flake.nix")).unwrap();
        refused(&other, "`body.nix`");
        std::os::unix::fs::symlink(&other, scratch.path().join("link")).unwrap();
        refused(&scratch.path().join("link"), "no directory");
        fs::write(scratch.path().join("file"), "x").unwrap();
        refused(&scratch.path().join("file"), "no directory");
    }
}
