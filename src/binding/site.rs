//! The Binding Sites: where an inscription lies on the host, and what of ours lies there now.

use std::{collections::BTreeMap, path::PathBuf};

use super::places;
use crate::{
    diagnostic::{Diagnostic, Failure, refuse_any},
    host::file,
    runes::{PREFIX, unit::MARKER},
    tree::{Entry, FileTree, RelativePath},
};

/// The directories of an inscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sites {
    /// Quadlet files, all of them ours: `lychd/` below podman's directory.
    pub quadlets: PathBuf,
    /// Plain units, among the user's own. Ours begin with `lychd-`.
    pub units: PathBuf,
    /// Files that containers read, all of them ours.
    pub support: PathBuf,
}

/// What of ours lies in the sites.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// In [`Sites::quadlets`].
    pub quadlets: FileTree,
    /// In [`Sites::units`].
    pub units: FileTree,
    /// In [`Sites::support`].
    pub support: FileTree,
    /// What lies in [`Sites::quadlets`] and is not ours.
    foreign_quadlets: Vec<PathBuf>,
    /// What lies in [`Sites::units`], has a name that ours may have, and is not ours.
    foreign_units: BTreeMap<RelativePath, PathBuf>,
}

impl Sites {
    /// Below the user's configuration directory and the forge's state directory.
    #[must_use]
    pub fn below(configuration: &std::path::Path, state: &std::path::Path) -> Self {
        Self {
            quadlets: places::quadlets(configuration).join("lychd"),
            units: places::units(configuration),
            support: state.join("inscription"),
        }
    }

    /// Reads what lies there.
    ///
    /// # Errors
    /// Unable when something cannot be read.
    pub fn read(&self) -> Result<Found, Failure> {
        let mut found = Found::default();
        for (directory, tree) in [(&self.quadlets, &mut found.quadlets), (&self.support, &mut found.support)]
        {
            // The site may be a link to one of our own generations.
            if let Some(real) = file::if_there(directory, file::canonical(directory))? {
                *tree = file::read_tree(&real).map_err(|error| file::unable("read", directory, &error))?;
            }
        }
        let unmarked = found.quadlets.iter().filter(|(_, entry)| !is_marked(entry));
        found.foreign_quadlets.extend(unmarked.map(|(path, _)| self.quadlets.join(path.as_str())));
        if file::exists(&self.units)? {
            let names = file::list(&self.units).map_err(|error| file::unable("read", &self.units, &error))?;
            for (name, is_directory) in names {
                let path = self.units.join(&name);
                let Ok(relative) = name.parse() else { continue };
                if is_directory || !name.starts_with(PREFIX) {
                    continue;
                }
                let entry = file::read_entry(&path).map_err(|error| file::unable("read", &path, &error))?;
                if is_marked(&entry) {
                    found.units.insert(relative, entry);
                } else {
                    found.foreign_units.insert(relative, path);
                }
            }
        }
        Ok(found)
    }
}

impl Found {
    /// `wanted` are the plain units that are to lie there.
    ///
    /// # Errors
    /// Refused when something in our place is not ours.
    pub fn refuse_foreign(&self, wanted: &FileTree) -> Result<(), Failure> {
        let units = self.foreign_units.iter().filter(|(name, _)| wanted.get(name).is_some());
        let told = |path: &PathBuf| {
            let message = format!(
                "`{}` is in the place of a unit of ours, and the forge did not write it",
                path.display()
            );
            Diagnostic::new(message).help("move it away: the forge never overwrites what is not its own")
        };
        refuse_any(self.foreign_quadlets.iter().chain(units.map(|(_, path)| path)).map(told).collect())
    }
}

/// Whether the forge wrote a file.
fn is_marked(entry: &Entry) -> bool {
    match entry {
        Entry::File { bytes, .. } => bytes.starts_with(MARKER.as_bytes()),
        Entry::Link { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_forge_wrote_is_ours() {
        let directory = tempfile::tempdir().unwrap();
        let sites = Sites::below(&directory.path().join("config"), &directory.path().join("state"));
        let mut wanted = FileTree::new();
        wanted.insert_text("lychd-animator-a.target".parse().unwrap(), MARKER);
        assert_eq!(sites.read(), Ok(Found::default()));

        let ours = format!("{MARKER}\n[Unit]\n");
        file::write(&sites.units.join("lychd-animator-b.target"), ours.as_bytes()).unwrap();
        file::write(&sites.units.join("lychd-of-the-user.service"), b"[Service]\n").unwrap();
        file::write(&sites.units.join("other.service"), ours.as_bytes()).unwrap();
        file::write(&sites.quadlets.join("lychd.pod"), ours.as_bytes()).unwrap();
        file::write(&sites.support.join("capabilities.json"), b"{}").unwrap();
        let found = sites.read().unwrap();
        assert_eq!(found.refuse_foreign(&wanted), Ok(()));
        let names = |tree: &FileTree| tree.iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>();
        assert_eq!(names(&found.units), ["lychd-animator-b.target"]);
        assert_eq!((names(&found.quadlets).len(), names(&found.support).len()), (1, 1));

        file::write(&sites.units.join("lychd-animator-a.target"), b"[Unit]\n").unwrap();
        file::write(&sites.quadlets.join("mine.container"), b"[Container]\n").unwrap();
        let refused = sites.read().unwrap().refuse_foreign(&wanted).unwrap_err();
        assert_eq!((refused.exit_code(), refused.diagnostics().len()), (1, 2));
        assert!(
            refused.to_string().contains("mine.container` is in the place of a unit of ours"),
            "{refused}"
        );
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test makes links that lead nowhere")]
    fn a_site_that_cannot_be_looked_at_is_not_empty() {
        let directory = tempfile::tempdir().unwrap();
        let sites = Sites::below(&directory.path().join("config"), &directory.path().join("state"));
        file::create_directory(sites.quadlets.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink("lychd", &sites.quadlets).unwrap();
        let unable = sites.read().unwrap_err();
        assert_eq!(unable.exit_code(), 2, "{unable}");
        assert!(unable.to_string().contains("systemd/lychd`: Too many levels"), "{unable}");
    }
}
