//! The Binding Sites: where an inscription lies on the host, and what of ours lies there now.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{places, search::is_skipped};
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
    pub fn below(configuration: &Path, state: &Path) -> Self {
        Self {
            quadlets: places::quadlets(configuration).join("lychd"),
            units: places::units(configuration),
            support: state.join("inscription"),
        }
    }

    /// Whether something can lie there, and whether podman would read it.
    ///
    /// # Errors
    /// Refused when a link on the way leads to nothing, something on it is no directory, or podman reads nothing there; unable when it cannot be told.
    pub fn check(&self) -> Result<(), Failure> {
        let podmans: Vec<&Path> =
            self.quadlets.parent().into_iter().chain([self.quadlets.as_path()]).collect();
        let mut wrong: Vec<Diagnostic> = Vec::new();
        for site in podmans.iter().copied().chain([self.units.as_path(), &self.support]) {
            let told = if let Some((link, target)) = dangling(site)? {
                let message =
                    format!("`{}` is a link to `{}`, where nothing is", link.display(), target.display());
                Diagnostic::new(message).help(
                    "make that directory, or take the link away: units cannot be written there, nor read",
                )
            } else if let Some(path) = in_the_way(site)? {
                let message = format!("`{}` is no directory, and one must be there", path.display());
                Diagnostic::new(message)
                    .help("move it away, or make it a directory: units cannot be written there, nor read")
            } else {
                continue;
            };
            if !wrong.contains(&told) {
                wrong.push(told);
            }
        }
        for site in podmans {
            let real = file::if_there(site, file::canonical(site))?.filter(|real| is_skipped(real));
            wrong.extend(real.map(|real| {
                let (site, real) = (site.display(), real.display());
                let message =
                    format!("`{site}` is `{real}`, and podman reads no directory whose name ends in `.d`");
                Diagnostic::new(message)
                    .help("rename it: after the next reload there would be no unit at all")
            }));
        }
        refuse_any(wrong)
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
            if let Some(elsewhere) = drop_in_elsewhere(path) {
                let (path, elsewhere) = (path.display(), elsewhere.display());
                let message = format!("`{path}` is a drop-in in a directory that is the forge's alone");
                return Diagnostic::new(message)
                    .help(format!("move it to `{elsewhere}`: podman reads it there as well"));
            }
            let message = format!(
                "`{}` is in the place of a unit of ours, and the forge did not write it",
                path.display()
            );
            Diagnostic::new(message).help("move it away: the forge never overwrites what is not its own")
        };
        refuse_any(self.foreign_quadlets.iter().chain(units.map(|(_, path)| path)).map(told).collect())
    }
}

/// The first link on the way to a path that leads to nothing, and where it leads.
fn dangling(path: &Path) -> Result<Option<(PathBuf, PathBuf)>, Failure> {
    for at in path.ancestors() {
        match file::kind(at)? {
            None => {}
            Some(file::Kind::Link) if file::kind_behind(at)?.is_none() => {
                let target = file::link_target(at).map_err(|error| file::unable("read", at, &error))?;
                return Ok(Some((at.to_owned(), at.with_file_name(target))));
            }
            Some(_) => break,
        }
    }
    Ok(None)
}

/// The nearest thing on the way to a directory that is none.
fn in_the_way(path: &Path) -> Result<Option<&Path>, Failure> {
    for at in path.ancestors() {
        match file::kind_behind(at)? {
            None => {}
            Some(file::Kind::Directory) => break,
            Some(_) => return Ok(Some(at)),
        }
    }
    Ok(None)
}

/// Where a drop-in that lies in the forge's own directory of Quadlet files works: beside that directory.
fn drop_in_elsewhere(path: &Path) -> Option<PathBuf> {
    let (name, drop_ins) = (path.file_name()?, path.parent()?);
    let of = drop_ins.file_name()?.to_str()?;
    let is_drop_in = of.strip_suffix(".d").is_some() && name.to_str()?.strip_suffix(".conf").is_some();
    is_drop_in.then(|| drop_ins.ancestors().nth(2).map(|podmans| podmans.join(of).join(name)))?
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
    #[expect(clippy::disallowed_methods, reason = "the test makes links")]
    fn a_site_that_podman_would_not_read_is_refused() {
        use std::os::unix::fs::symlink;
        let directory = tempfile::tempdir().unwrap();
        let base = file::canonical(directory.path()).unwrap();
        let sites =
            |name: &str| Sites::below(&base.join(name).join("config"), &base.join(name).join("state"));
        let told =
            |sites: &Sites| sites.check().unwrap_err().to_string().replace(&base.display().to_string(), "");
        let inside = |name: &str| base.join(name).join("config/containers");
        assert_eq!(sites("nothing-yet").check(), Ok(()));

        file::create_directory(&base.join("dotfiles.d")).unwrap();
        file::create_directory(&inside("a")).unwrap();
        symlink(base.join("dotfiles.d"), inside("a").join("systemd")).unwrap();
        assert_eq!(
            told(&sites("a")),
            "`/a/config/containers/systemd` is `/dotfiles.d`, and podman reads no directory whose name ends in `.d`\n  \
             help: rename it: after the next reload there would be no unit at all"
        );
        // What leads to a directory of another name is read, whatever the link is called.
        file::create_directory(&base.join("plain")).unwrap();
        file::create_directory(&inside("b")).unwrap();
        symlink(base.join("plain"), inside("b").join("systemd")).unwrap();
        symlink(base.join("dotfiles.d"), base.join("plain/lychd")).unwrap();
        assert!(told(&sites("b")).starts_with("`/b/config/containers/systemd/lychd` is `/dotfiles.d`"));
        std::fs::remove_file(base.join("plain/lychd")).unwrap();
        assert_eq!(sites("b").check(), Ok(()));

        for (name, link, want) in [
            ("c", "config/containers/systemd", "/c/config/containers/gone"),
            ("d", "config/containers", "/d/config/gone"),
            ("e", "config/systemd/user", "/e/config/systemd/gone"),
        ] {
            let link = base.join(name).join(link);
            file::create_directory(link.parent().unwrap()).unwrap();
            symlink("gone", &link).unwrap();
            let told = told(&sites(name));
            assert!(
                told.contains(&format!("is a link to `{want}`, where nothing is\n  help: make that")),
                "{told}"
            );
            assert_eq!(told.matches("where nothing is").count(), 1, "{told}");
        }
    }

    #[test]
    fn a_drop_in_among_our_own_files_is_told_where_it_works() {
        let directory = tempfile::tempdir().unwrap();
        let sites = Sites::below(&directory.path().join("config"), &directory.path().join("state"));
        file::write(&sites.quadlets.join("lychd-a.container.d/10.conf"), b"[Container]\n").unwrap();
        let refused = sites.read().unwrap().refuse_foreign(&FileTree::new()).unwrap_err().to_string();
        assert!(
            refused.contains("systemd/lychd/lychd-a.container.d/10.conf` is a drop-in in a directory"),
            "{refused}"
        );
        assert!(
            refused.contains("containers/systemd/lychd-a.container.d/10.conf`: podman reads it there"),
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

    #[test]
    fn a_site_that_is_a_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        for (at, name) in
            ["containers/systemd", "systemd", "systemd/user", "containers/systemd/lychd"].iter().enumerate()
        {
            let base = directory.path().join(at.to_string());
            file::write(&base.join("config").join(name), b"").unwrap();
            let refused = Sites::below(&base.join("config"), &base.join("state")).check().unwrap_err();
            assert_eq!((refused.exit_code(), refused.diagnostics().len()), (1, 1), "{refused}");
            let want =
                format!("/config/{name}` is no directory, and one must be there\n  help: move it away");
            assert!(refused.to_string().contains(&want), "{refused}");
        }
    }
}
