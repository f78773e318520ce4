//! The frozen lock of the organism: text files in `<crypt>/synthesis/`, under version control.

use std::{collections::BTreeMap, io, path::Path};

use crate::{
    diagnostic::{Diagnostic, Failure, Source},
    host::file,
    lock::names::{self, BUILDS, DEBIAN, GIT, NPM, NPM_COMPLETED, SHOWN_BUILDS, SHOWN_DEBIAN, SHOWN_GIT, UV},
    npm,
    python::workspace,
    tree::{FileTree, RelativePath},
};

/// The texts of all locks; what is missing was never locked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locks {
    /// `uv.lock` and `build/<id>.uv.lock`.
    pub uv: workspace::Locks,
    /// `package-lock.json` and what the registry added to it.
    pub npm: npm::Locks,
    /// `debian.lock.json`.
    pub debian: Option<Source>,
    /// `git.lock.json`.
    pub git: Option<Source>,
}

impl Locks {
    /// Reads the locks of a Crypt's `synthesis` directory.
    ///
    /// # Errors
    /// Refused when something else lies in a lock's place; unable when one is there and cannot be read.
    pub fn read(directory: &Path) -> Result<Self, Failure> {
        let builds = directory.join(BUILDS);
        let mut locks = Self {
            uv: workspace::Locks { federation: text(directory, UV)?, builds: BTreeMap::new() },
            npm: npm::Locks { lock: text(directory, NPM)?, completed: text(directory, NPM_COMPLETED)? },
            debian: text(directory, DEBIAN)?.map(|text| Source::new(SHOWN_DEBIAN, text)),
            git: text(directory, GIT)?.map(|text| Source::new(SHOWN_GIT, text)),
        };
        if file::exists(&builds)? {
            for (name, _) in file::list(&builds).map_err(|error| file::unreadable(SHOWN_BUILDS, &error))? {
                // What is no lock of ours by its name is neither read nor removed.
                let Some(id) = names::build_of(&name) else { continue };
                if let Some(text) = text(directory, &format!("{BUILDS}/{name}"))? {
                    locks.uv.builds.insert(id.to_owned(), text);
                }
            }
        }
        Ok(locks)
    }

    /// The locks as files.
    ///
    /// # Errors
    /// Never for locks that were read or made here.
    pub fn to_tree(&self) -> Result<FileTree, Failure> {
        let mut tree = FileTree::new();
        let builds = self.uv.builds.iter().map(|(id, text)| (names::build(id), text.as_str()));
        let federation = self.uv.federation.iter().map(|text| (UV.to_owned(), text.as_str()));
        let debian = self.debian.iter().map(|source| (DEBIAN.to_owned(), source.text()));
        let npm = self.npm.lock.iter().map(|text| (NPM.to_owned(), text.as_str()));
        let completed = self.npm.completed.iter().map(|text| (NPM_COMPLETED.to_owned(), text.as_str()));
        let git = self.git.iter().map(|source| (GIT.to_owned(), source.text()));
        for (name, text) in builds.chain(federation).chain(debian).chain(npm).chain(completed).chain(git) {
            let path: RelativePath = name.parse().map_err(|error| {
                Failure::unable(Diagnostic::new(format!("a lock has no file name: {error}")))
            })?;
            tree.insert_text(path, text);
        }
        Ok(tree)
    }

    /// Writes what differs from `before` into the Crypt, and says whether it could: a Crypt that is read-only is
    /// left as it is.
    ///
    /// # Errors
    /// [`Failure::Unable`] when a file cannot be written for another reason.
    pub fn write(&self, before: &Self, directory: &Path) -> Result<bool, Failure> {
        let (old, new) = (before.to_tree()?, self.to_tree()?);
        let changed = new.iter().filter_map(|(path, _)| Some((path, new.file(path)?)));
        for (path, bytes) in changed.filter(|(path, bytes)| old.file(path) != Some(bytes)) {
            let target = directory.join(path.as_str());
            if !file::write_if_allowed(&target, bytes)? {
                return Ok(false);
            }
        }
        for (path, _) in old.iter().filter(|(path, _)| new.get(path).is_none()) {
            let target = directory.join(path.as_str());
            file::remove(&target).map_err(|error| file::unable("remove", &target, &error))?;
        }
        Ok(true)
    }
}

fn text(directory: &Path, name: &str) -> Result<Option<String>, Failure> {
    match file::read_text(&directory.join(name)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file::unreadable(&format!("synthesis/{name}"), &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_written_read_and_pruned() {
        let directory = tempfile::tempdir().unwrap();
        let locks = Locks {
            uv: workspace::Locks {
                federation: Some("version = 1\n".to_owned()),
                builds: BTreeMap::from([("0123456789abcdef".to_owned(), "version = 1\n".to_owned())]),
            },
            npm: npm::Locks { lock: Some("{}\n".to_owned()), completed: Some("{}\n".to_owned()) },
            debian: Some(Source::new(SHOWN_DEBIAN, "{}\n")),
            git: Some(Source::new(SHOWN_GIT, "{}\n")),
        };
        assert_eq!(locks.write(&Locks::default(), directory.path()), Ok(true));
        assert_eq!(Locks::read(directory.path()), Ok(locks.clone()));
        let fewer =
            Locks { uv: workspace::Locks { builds: BTreeMap::new(), ..locks.uv.clone() }, ..locks.clone() };
        assert_eq!(fewer.write(&locks, directory.path()), Ok(true));
        assert_eq!(Locks::read(directory.path()), Ok(fewer));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test makes a link")]
    fn what_is_no_lock_is_refused_and_strangers_are_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let lock = directory.path().join("uv.lock");
        let refused = |want: &str| {
            let failure = Locks::read(directory.path()).unwrap_err();
            assert_eq!(failure.exit_code(), 1, "{failure}");
            assert!(failure.to_string().contains(want), "{failure}");
        };
        file::write(&lock, b"\xff").unwrap();
        refused("`synthesis/uv.lock` cannot be read: not UTF-8");
        file::write(&lock, "\u{feff}version = 1".as_bytes()).unwrap();
        refused("byte order mark");
        file::remove(&lock).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", &lock).unwrap();
        refused("a symbolic link");
        file::remove(&lock).unwrap();
        file::create_directory(&lock).unwrap();
        refused("not a regular file");
        file::remove(&lock).unwrap();
        file::write(&directory.path().join("build"), b"").unwrap();
        refused("`synthesis/build` cannot be read");
        file::remove(&directory.path().join("build")).unwrap();
        file::write(&directory.path().join("build/x\u{1b}[2J.uv.lock"), b"evil").unwrap();
        assert_eq!(Locks::read(directory.path()), Ok(Locks::default()));
    }
}
