//! The Binding Sites: where an inscription lies on the host, and what of ours lies there now.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    generation::{self, Generation, RECEIPT},
    places,
    search::is_skipped,
};
use crate::{
    diagnostic::{Diagnostic, Failure, refuse_any},
    digest::Sha256,
    host::file,
    runes::{PREFIX, is_capabilities, unit::is_quadlet},
    tree::{FileTree, RelativePath},
};

/// The directories of an inscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sites {
    /// Quadlet files, plain units and the receipt, all of them ours: `lychd/` below podman's directory.
    pub quadlets: PathBuf,
    /// Links to our plain units, among the user's own units. Ours begin with `lychd-`.
    pub units: PathBuf,
    /// Files that containers read, all of them ours; none ever changes.
    pub support: PathBuf,
}

/// What of ours lies in the sites.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The receipt, which says what of the site is ours; `None` where nothing is inscribed.
    pub receipt: Option<Generation>,
    /// All that lies in the site, with the receipt.
    pub site: FileTree,
    /// Quadlet files of ours in [`Sites::quadlets`].
    pub quadlets: FileTree,
    /// Plain units of ours there.
    pub units: FileTree,
    /// Ours in [`Sites::support`].
    pub support: FileTree,
    /// What is ours and not as it was written.
    pub edited: Vec<PathBuf>,
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
            support: generation::support(state),
        }
    }

    /// Where the receipt of an inscription lies.
    #[must_use]
    pub fn receipt(&self) -> PathBuf {
        self.quadlets.join(RECEIPT)
    }

    /// Where the link to a plain unit lies.
    #[must_use]
    pub fn link(&self, name: &str) -> PathBuf {
        self.units.join(name)
    }

    /// Whether what lies in the place of a link to a plain unit is one.
    ///
    /// # Errors
    /// Unable when it cannot be looked at.
    pub fn has_link(&self, name: &str) -> Result<bool, Failure> {
        let at = self.link(name);
        if file::kind(&at)? != Some(file::Kind::Link) {
            return Ok(false);
        }
        // However the way to it is written.
        Ok(file::resolved(&at)? == file::resolved(&self.quadlets.join(name))?)
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
        if wrong.is_empty() && file::kind(&self.quadlets)? == Some(file::Kind::Link) {
            let message =
                format!("`{}` is a link, and the forge exchanges that directory", self.quadlets.display());
            wrong.push(Diagnostic::new(message).help("take the link away: what lies above it may be one"));
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
        let mut found = Found { receipt: Generation::read(&self.receipt())?, ..Found::default() };
        if file::exists(&self.quadlets)? {
            found.site = file::read_tree(&self.quadlets)
                .map_err(|error| file::unable("read", &self.quadlets, &error))?;
        }
        let none = BTreeMap::new();
        let ours = found.receipt.as_ref().map_or(&none, |receipt| &receipt.candidate.units);
        for (path, entry) in found.site.iter().filter(|(path, _)| path.as_str() != RECEIPT) {
            let whole = self.quadlets.join(path.as_str());
            let Some(written) = ours.get(path.as_str()) else {
                found.foreign_quadlets.push(whole);
                continue;
            };
            if found.site.file(path).map(Sha256::of) != Some(*written) {
                found.edited.push(whole);
            }
            let tree = if is_quadlet(path.as_str()) { &mut found.quadlets } else { &mut found.units };
            tree.insert(path.clone(), entry.clone());
        }
        found.read_support()?;
        self.read_units(&mut found)?;
        Ok(found)
    }

    /// What of the user's own is in the place of links.
    fn read_units(&self, found: &mut Found) -> Result<(), Failure> {
        if !file::exists(&self.units)? {
            return Ok(());
        }
        let names = file::list(&self.units).map_err(|error| file::unable("read", &self.units, &error))?;
        for (name, is_directory) in names {
            let Ok(relative) = name.parse::<RelativePath>() else { continue };
            if !is_directory && name.starts_with(PREFIX) && !self.has_link(&name)? {
                found.foreign_units.insert(relative, self.units.join(&name));
            }
        }
        Ok(())
    }
}

impl Found {
    /// What of the files that its containers read is there.
    fn read_support(&mut self) -> Result<(), Failure> {
        let Some(receipt) = &self.receipt else { return Ok(()) };
        for name in receipt.candidate.support.keys() {
            let path = receipt.support(name);
            if let (Some(entry), Ok(name)) = (file::if_there(&path, file::read_entry(&path))?, name.parse()) {
                self.support.insert(name, entry);
            }
        }
        Ok(())
    }

    /// The same as if these files were not there.
    pub(super) fn without(&mut self, gone: &BTreeSet<PathBuf>) {
        self.foreign_units.retain(|_, path| !gone.contains(path));
    }

    /// The Animator's registry as it was inscribed, with its path.
    #[must_use]
    pub fn capabilities(&self) -> Option<(PathBuf, &[u8])> {
        let (name, _) = self.support.iter().find(|(name, _)| is_capabilities(name.as_str()))?;
        Some((self.receipt.as_ref()?.support(name.as_str()), self.support.file(name)?))
    }

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
#[must_use]
pub fn drop_in_elsewhere(path: &Path) -> Option<PathBuf> {
    let (name, drop_ins) = (path.file_name()?, path.parent()?);
    let of = drop_ins.file_name()?.to_str()?;
    let is_drop_in = of.strip_suffix(".d").is_some() && name.to_str()?.strip_suffix(".conf").is_some();
    is_drop_in.then(|| drop_ins.ancestors().nth(2).map(|podmans| podmans.join(of).join(name)))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        binding::{generation::Generations, manifest::Manifest},
        runes::{Layout, Rendered},
    };

    /// An inscription of these files in the site.
    fn inscribe(sites: &Sites, state: &Path, files: &[(&str, &str)]) {
        let mut rendered = Rendered::default();
        for (name, text) in files {
            let tree = if is_quadlet(name) { &mut rendered.quadlets } else { &mut rendered.units };
            tree.insert_text(name.parse().unwrap(), *text);
            file::write(&sites.quadlets.join(name), text.as_bytes()).unwrap();
        }
        rendered.support.insert_text("0-capabilities.json".parse().unwrap(), "{}");
        file::write(&sites.support.join("0-capabilities.json"), b"{}").unwrap();
        let layout = Layout { support: sites.support.clone(), ..Layout::of_magus() };
        let body = Sha256::of("body").to_string().parse().unwrap();
        let manifest = Manifest::of(&sites.quadlets, (body, BTreeMap::new()), &rendered, &layout);
        let generation = Generations::of_state(state).next(None, manifest).unwrap();
        file::write(&sites.receipt(), generation.to_text().as_bytes()).unwrap();
    }

    #[test]
    fn only_what_the_receipt_names_is_ours() {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state");
        let sites = Sites::below(&directory.path().join("config"), &state);
        let mut wanted = FileTree::new();
        wanted.insert_text("lychd-animator-a.target".parse().unwrap(), "[Unit]\n");
        assert_eq!(sites.read(), Ok(Found::default()));

        inscribe(&sites, &state, &[("lychd.pod", "[Pod]\n"), ("lychd-animator-b.target", "[Unit]\n")]);
        file::create_directory(&sites.units).unwrap();
        let target = sites.quadlets.join("lychd-animator-b.target");
        file::link(&target, &sites.link("lychd-animator-b.target")).unwrap();
        file::write(&sites.link("lychd-of-the-user.service"), b"[Service]\n").unwrap();
        file::write(&sites.link("other.service"), b"[Service]\n").unwrap();
        let found = sites.read().unwrap();
        assert_eq!(found.refuse_foreign(&wanted), Ok(()));
        assert_eq!((found.receipt.as_ref().unwrap().number, found.edited.len()), (1, 0));
        let names = |tree: &FileTree| tree.iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>();
        assert_eq!(names(&found.units), ["lychd-animator-b.target"]);
        assert_eq!((names(&found.quadlets).len(), names(&found.support).len()), (1, 1));
        assert_eq!(found.capabilities().unwrap().1, b"{}");

        file::write(&sites.quadlets.join("lychd.pod"), b"[Pod]\nPodName=mine\n").unwrap();
        file::write(&sites.link("lychd-animator-a.target"), b"[Unit]\n").unwrap();
        file::write(&sites.quadlets.join("mine.container"), b"[Container]\n").unwrap();
        let found = sites.read().unwrap();
        assert_eq!(found.edited, [sites.quadlets.join("lychd.pod")]);
        let refused = found.refuse_foreign(&wanted).unwrap_err();
        assert_eq!((refused.exit_code(), refused.diagnostics().len()), (1, 2));
        assert!(
            refused.to_string().contains("mine.container` is in the place of a unit of ours"),
            "{refused}"
        );

        // What another forge's records mean is not guessed.
        let newer = file::read_text(&sites.receipt()).unwrap().replace("generation/1", "generation/9");
        file::write(&sites.receipt(), newer.as_bytes()).unwrap();
        let unable = sites.read().unwrap_err();
        assert_eq!(unable.exit_code(), 2);
        assert!(unable.to_string().contains("its schema is `lychd-forge/generation/9`"), "{unable}");
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
        assert_eq!(sites("b").check(), Ok(()));
        file::create_directory(&base.join("other")).unwrap();
        symlink(base.join("other"), base.join("plain/lychd")).unwrap();
        let link = "`/b/config/containers/systemd/lychd` is a link, and the forge exchanges that directory";
        assert!(told(&sites("b")).starts_with(link));

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
        assert!(unable.to_string().contains("systemd/lychd/receipt.json`"), "{unable}");
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
