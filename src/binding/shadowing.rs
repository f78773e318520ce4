//! Quadlet files of the user's own that have a rendered file's name, or make a unit of the same name.
//!
//! Podman reads its directories in order, each before those below it, sorted by name; hidden ones too, and through
//! links, but none whose real name ends in `.d`. Of one name it takes the first file and says nothing.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::{
    diagnostic::{Diagnostic, Failure},
    host::file::{self, Kind},
    runes::unit::{is_quadlet, service_of},
    tree::{Entry, FileTree},
};

/// The most directories and files that are looked at.
const LIMIT: usize = 100_000;

/// The Quadlet files of the user's own, in the order podman reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuadletFiles {
    /// The directory that a rendered set is to lie in.
    site: PathBuf,
    files: Vec<QuadletFile>,
    /// How many of them are read before those of the site; `None`: podman does not read the site.
    site_at: Option<usize>,
}

/// A file, and the service that is made of it; `None` of something that is no file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct QuadletFile {
    path: PathBuf,
    /// What cannot be read matters only where it is asked for.
    service: Result<Option<String>, Failure>,
}

impl QuadletFiles {
    /// Reads podman's directories, which are given in podman's order; some may be missing. What lies in `site` is not
    /// looked at.
    ///
    /// # Errors
    /// Unable when a directory cannot be read.
    pub fn read(site: &Path, directories: &[PathBuf]) -> Result<Self, Failure> {
        let own = file::if_there(site, file::canonical(site))?.unwrap_or_else(|| site.to_owned());
        let mut walk = Walk { own, seen: BTreeSet::new(), files: Vec::new(), site_at: None };
        for directory in directories {
            // A site that is not there yet has its place in the order all the same.
            walk.directory(directory, site)?;
        }
        let read = |path: PathBuf| QuadletFile { service: service(&path), path };
        let files = walk.files.into_iter().map(read).collect();
        Ok(Self { site: site.to_owned(), files, site_at: walk.site_at })
    }
}

/// Compares a rendered set with the user's own files.
///
/// # Errors
/// Unable when one of them that may make the same service cannot be read.
pub fn shadowing(rendered: &FileTree, found: &QuadletFiles) -> Result<Vec<Diagnostic>, Failure> {
    let mut wrong = Vec::new();
    for (path, entry) in rendered.iter() {
        let Entry::File { bytes, .. } = entry else { continue };
        let Some(name) = path.components().next_back() else { continue };
        let Some(service) = service_in(name, &String::from_utf8_lossy(bytes)) else { continue };
        let ours = found.site.join(path.as_str());
        for (at, theirs) in found.files.iter().enumerate() {
            let shown = theirs.path.display();
            let told = if theirs.path.file_name().is_some_and(|other| other == name) {
                let first = found.site_at.is_some_and(|site| site <= at);
                Diagnostic::new(if first {
                    format!("podman would read the rendered `{name}` instead of `{shown}`")
                } else {
                    format!("podman would read `{shown}` instead of the rendered `{name}`")
                })
            } else if theirs.service.clone()?.as_ref() == Some(&service) {
                Diagnostic::new(format!("`{shown}` makes `{service}`, as the rendered `{name}` does"))
            } else {
                continue;
            };
            wrong.push(
                told.note(format!("the rendered file is to be `{}`", ours.display()))
                    .help(format!("rename `{shown}`, or move it out of podman's directories")),
            );
        }
    }
    Ok(wrong)
}

struct Walk {
    /// The site, without links.
    own: PathBuf,
    seen: BTreeSet<PathBuf>,
    /// Quadlet files in the order they are read.
    files: Vec<PathBuf>,
    /// How many of them are read before those of the site.
    site_at: Option<usize>,
}

impl Walk {
    fn directory(&mut self, directory: &Path, site: &Path) -> Result<(), Failure> {
        let Some(real) = file::if_there(directory, file::canonical(directory))? else { return Ok(()) };
        if directory == site || real == self.own {
            self.site_at.get_or_insert(self.files.len());
            return Ok(());
        }
        let is_drop_in = real.extension().is_some_and(|extension| extension == "d");
        if is_drop_in || file::kind(&real)? != Some(Kind::Directory) || !self.seen.insert(real) {
            return Ok(());
        }
        let names = file::names(directory).map_err(|error| file::unable("read", directory, &error))?;
        let mut below = Vec::new();
        for name in names {
            let path = directory.join(&name);
            let Some(kind) = file::kind_behind(&path)? else { continue };
            if kind == Kind::Directory {
                below.push(path);
            } else if name.to_str().is_some_and(is_quadlet) {
                self.files.push(path);
            }
        }
        if site.parent() == Some(directory) && !below.iter().any(|path| path == site) {
            below.push(site.to_owned());
            below.sort();
        }
        if self.files.len() + self.seen.len() > LIMIT {
            let message =
                format!("`{}` and podman's other directories hold too many files", directory.display());
            return Err(Failure::unable(Diagnostic::new(message)));
        }
        for path in below {
            if path == site {
                self.site_at.get_or_insert(self.files.len());
            } else {
                self.directory(&path, site)?;
            }
        }
        Ok(())
    }
}

fn service(path: &Path) -> Result<Option<String>, Failure> {
    let unable = |error: &std::io::Error| file::unable("read", path, error);
    let real = file::canonical(path).map_err(|error| unable(&error))?;
    let bytes = match file::read(&real, file::LIMIT) {
        // Something that is no file makes no unit.
        Err(error) if file::is_wrong(&error) => return Ok(None),
        done => done.map_err(|error| unable(&error))?,
    };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Ok(service_in(name, &String::from_utf8_lossy(&bytes)))
}

/// The service that is made of a Quadlet file: as `ServiceName=` says, or after the file.
fn service_in(name: &str, text: &str) -> Option<String> {
    let said = text.lines().filter_map(|line| line.split_once('='));
    let said = said.filter(|(key, _)| key.trim() == "ServiceName").map(|(_, value)| value.trim()).next_back();
    let usual = service_of(name)?;
    Some(said.filter(|said| !said.is_empty()).map_or(usual, |said| format!("{said}.service")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_named_after_their_files_unless_they_say_otherwise() {
        for (name, text, want) in [
            ("a.pod", "", "a-pod.service"),
            ("a.pod", "[Pod]\nServiceName = b\n", "b.service"),
            ("a.container", "ServiceName=b\nServiceName=\n", "a.service"),
        ] {
            assert_eq!(service_in(name, text).as_deref(), Some(want), "{name}");
        }
    }

    #[test]
    fn they_are_found_in_podmans_order() {
        let home = tempfile::tempdir().unwrap();
        let base = file::canonical(home.path()).unwrap().join("base");
        let mut tree = FileTree::new();
        for path in [
            "run/a.container",
            "etc/lychd/a.container",
            "etc/.hidden/b.container",
            "etc/sub.d/b.container",
            "etc/z/c.container",
            "etc/z/d.kube",
            "etc/z/other.container",
            "else/e.container",
        ] {
            tree.insert_text(path.parse().unwrap(), "[Container]\n");
        }
        for (path, target) in
            [("etc/link.d", "../else"), ("else/round", "../etc"), ("etc/gone.container", "nowhere")]
        {
            tree.insert(path.parse().unwrap(), Entry::Link { target: target.to_owned() });
        }
        file::write_tree(&base, &tree).unwrap();
        let mut rendered = FileTree::new();
        for name in ["a", "b", "c", "d", "e"] {
            rendered.insert_text(format!("{name}.container").parse().unwrap(), "[Container]\n");
        }
        let directories = [base.join("run"), base.join("etc"), base.join("missing")];
        let told = |site: &str| -> Vec<String> {
            let found = QuadletFiles::read(&base.join(site), &directories).unwrap();
            let all = shadowing(&rendered, &found).unwrap();
            let shown = base.display().to_string();
            all.iter().map(|one| one.message.replace(&shown, "")).collect()
        };
        let want = [
            "podman would read `/run/a.container` instead of the rendered `a.container`",
            "podman would read `/etc/.hidden/b.container` instead of the rendered `b.container`",
            "podman would read the rendered `c.container` instead of `/etc/z/c.container`",
            "`/etc/z/d.kube` makes `d.service`, as the rendered `d.container` does",
            "podman would read `/etc/link.d/e.container` instead of the rendered `e.container`",
        ];
        assert_eq!(told("etc/lychd"), want);
        // A site that is not there yet; then what was another site counts.
        assert_eq!(told("etc/new").len(), want.len() + 1);
        assert!(told("etc/new").contains(&want[2].to_owned()));
        // What podman would find at the end of it cannot be told.
        tree.insert("etc/loop".parse().unwrap(), Entry::Link { target: "loop".to_owned() });
        file::write_tree(&base, &tree).unwrap();
        let unable = QuadletFiles::read(&base.join("etc/lychd"), &directories).unwrap_err();
        assert_eq!(unable.exit_code(), 2, "{unable}");
    }
}
