//! What of the user's own podman reads besides a rendered set, as podman finds it.
//!
//! Podman reads its directories in order, each before those below it, sorted by name; hidden ones too, and through
//! links, but none whose real name ends in `.d`. Of one name it takes the first file and says nothing. A directory
//! `<name>.d` in any of them has drop-ins of the unit of that name.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::{
    diagnostic::{Diagnostic, Failure, Source},
    host::file::{self, Kind},
    runes::unit::is_quadlet,
    tree::RelativePath,
};

/// The most directories and files that are looked at.
const LIMIT: usize = 100_000;

/// What podman reads, but for what lies in the site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchTree {
    /// The directory that a rendered set is to lie in.
    pub site: PathBuf,
    /// The others, in the order in which podman reads them.
    pub directories: Vec<SearchDirectory>,
    /// How many of them are read before the site; `None`: podman does not read the site.
    pub site_at: Option<usize>,
}

/// One directory of podman's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchDirectory {
    /// Where it is.
    pub path: PathBuf,
    /// Its Quadlet files, by name.
    pub quadlets: Vec<(String, Content)>,
    /// Its directories of drop-ins.
    pub drop_ins: Vec<DropIns>,
}

/// A directory of drop-ins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropIns {
    /// Its name, which ends in `.d`.
    pub name: String,
    /// Its files `*.conf`, by name.
    pub files: Vec<(String, Content)>,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A text, known by its whole path.
    Text(Source),
    /// It is no file, or leads to none.
    None,
    /// It cannot be read. That matters only where it is asked for.
    Closed(Failure),
    /// It is a drop-in whose name is not plain: podman and systemd read it, and it cannot be staged. It is known by that
    /// name with escapes.
    Odd,
}

impl Content {
    /// Reads what lies at a path, links followed.
    pub(super) fn read(path: &Path) -> Self {
        let real = match file::if_there(path, file::canonical(path)) {
            Ok(Some(real)) => real,
            Ok(None) => return Self::None,
            Err(failure) => return Self::Closed(failure),
        };
        match file::read(&real, file::LIMIT) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                Self::Text(Source::new(shown(path), text))
            }
            // Something that is no file makes no unit.
            Err(error) if file::is_wrong(&error) => Self::None,
            Err(error) => Self::Closed(file::unable("read", path, &error)),
        }
    }

    /// The text, if it has one.
    #[must_use]
    pub fn text(&self) -> Option<&Source> {
        match self {
            Self::Text(source) => Some(source),
            Self::None | Self::Closed(_) | Self::Odd => None,
        }
    }
}

impl SearchTree {
    /// Reads podman's directories, which are given in podman's order; some may be missing. What lies in `site` is not
    /// looked at.
    ///
    /// # Errors
    /// Unable when a directory cannot be read.
    pub fn read(site: &Path, directories: &[PathBuf]) -> Result<Self, Failure> {
        let own = file::if_there(site, file::canonical(site))?.unwrap_or_else(|| site.to_owned());
        let mut walk = Walk { own, seen: BTreeSet::new(), count: 0, directories: Vec::new(), site_at: None };
        for directory in directories {
            // A site that is not there yet has its place in the order all the same.
            walk.directory(directory, site)?;
        }
        let Walk { directories, site_at, .. } = walk;
        Ok(Self { site: site.to_owned(), directories, site_at })
    }

    /// Whether there is nothing that could change what becomes of a rendered set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.directories.iter().all(SearchDirectory::is_empty)
    }

    /// The same as if these files were not there.
    pub(super) fn without(&mut self, gone: &BTreeSet<PathBuf>) {
        for directory in &mut self.directories {
            directory.quadlets.retain(|(name, _)| !gone.contains(&directory.path.join(name)));
        }
    }

    /// The drop-ins of a Quadlet file in their order.
    #[must_use]
    pub fn drop_ins_of(&self, quadlet: &str) -> Vec<(PathBuf, &Content)> {
        let directories = self.directories.iter().map(|one| (one.path.as_path(), one.drop_ins.as_slice()));
        drop_ins_of(quadlet, directories)
    }
}

/// The drop-ins of a unit among those of directories, which are given in their order: of one name the first, by name.
pub(super) fn drop_ins_of<'a>(
    unit: &str,
    directories: impl Iterator<Item = (&'a Path, &'a [DropIns])>,
) -> Vec<(PathBuf, &'a Content)> {
    let wanted = directories_of(unit);
    let mut found: Vec<(&str, PathBuf, &Content)> = Vec::new();
    for (path, drop_ins) in directories {
        for name in &wanted {
            for (file, content) in drop_ins.iter().filter(|one| one.name == *name).flat_map(|one| &one.files)
            {
                if !found.iter().any(|(known, ..)| known == file) {
                    found.push((file, path.join(name).join(file), content));
                }
            }
        }
    }
    found.sort_by_key(|(file, ..)| *file);
    found.into_iter().map(|(_, path, content)| (path, content)).collect()
}

impl SearchDirectory {
    /// Whether podman finds nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.quadlets.is_empty() && self.drop_ins.iter().all(|one| one.files.is_empty())
    }
}

struct Walk {
    /// The site, without links.
    own: PathBuf,
    seen: BTreeSet<PathBuf>,
    /// How many files were found.
    count: usize,
    /// In the order they are read.
    directories: Vec<SearchDirectory>,
    /// How many of them are read before the site.
    site_at: Option<usize>,
}

impl Walk {
    fn directory(&mut self, directory: &Path, site: &Path) -> Result<(), Failure> {
        let Some(real) = file::if_there(directory, file::canonical(directory))? else { return Ok(()) };
        if directory == site || real == self.own {
            self.site_at.get_or_insert(self.directories.len());
            return Ok(());
        }
        if is_skipped(&real) || file::kind(&real)? != Some(Kind::Directory) || !self.seen.insert(real) {
            return Ok(());
        }
        let names = file::names(directory).map_err(|error| file::unable("read", directory, &error))?;
        let mut found =
            SearchDirectory { path: directory.to_owned(), quadlets: Vec::new(), drop_ins: Vec::new() };
        let mut below = Vec::new();
        for name in names {
            let path = directory.join(&name);
            let Some(kind) = file::kind_behind(&path)? else { continue };
            let name = shown(Path::new(&name));
            if kind == Kind::Directory {
                if name.strip_suffix(".d").is_some() {
                    let files = confs(&path)?;
                    self.count += files.len();
                    found.drop_ins.push(DropIns { name, files });
                }
                below.push(path);
            } else if is_quadlet(&name) {
                self.count += 1;
                found.quadlets.push((name, Content::read(&path)));
            }
        }
        if site.parent() == Some(directory) && !below.iter().any(|path| path == site) {
            below.push(site.to_owned());
            below.sort();
        }
        self.directories.push(found);
        if self.count + self.seen.len() > LIMIT {
            let message =
                format!("`{}` and podman's other directories hold too many files", shown(directory));
            return Err(Failure::unable(Diagnostic::new(message)));
        }
        for path in below {
            if path == site {
                self.site_at.get_or_insert(self.directories.len());
            } else {
                self.directory(&path, site)?;
            }
        }
        Ok(())
    }
}

/// The directories whose files are added to a unit (systemd.unit(5), and podman's alike), the nearest first: its own, that
/// of its template, those of its name cut at a dash, and that of its kind.
pub(super) fn directories_of(name: &str) -> Vec<String> {
    let Some((stem, kind)) = name.rsplit_once('.') else { return Vec::new() };
    let (prefix, instance) = stem.split_once('@').unwrap_or((stem, ""));
    let template = (!instance.is_empty()).then(|| format!("{prefix}@.{kind}.d"));
    let cuts = prefix.match_indices('-').rev().filter_map(|(at, _)| prefix.get(..=at));
    let cuts = cuts.map(|cut| format!("{cut}.{kind}.d"));
    [format!("{name}.d")].into_iter().chain(template).chain(cuts).chain([format!("{kind}.d")]).collect()
}

/// Whether podman reads no Quadlet files in a directory of this real name.
pub(super) fn is_skipped(real: &Path) -> bool {
    real.file_name().is_some_and(|name| name.as_encoded_bytes().ends_with(b".d"))
}

/// The drop-ins in a directory, by name.
pub(super) fn confs(directory: &Path) -> Result<Vec<(String, Content)>, Failure> {
    let names = file::names(directory).map_err(|error| file::unable("read", directory, &error))?;
    let read = |name: OsString| {
        let is_plain = name.to_str().is_some_and(|name| name.parse::<RelativePath>().is_ok());
        let content = if is_plain { Content::read(&directory.join(&name)) } else { Content::Odd };
        (shown(Path::new(&name)), content)
    };
    let is_conf = |name: &OsString| name.as_encoded_bytes().ends_with(b".conf");
    Ok(names.into_iter().filter(is_conf).map(read).collect())
}

/// A path as it is told: what cannot stand in a line is escaped.
pub(super) fn shown(path: &Path) -> String {
    let mut told = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            // Accents stay as they are, which the library escapes at a beginning.
            let special = c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}');
            if special { told.extend(c.escape_debug()) } else { told.push(c) }
        }
        told.extend(chunk.invalid().escape_ascii().map(char::from));
    }
    told
}

/// Drop-ins of these that cannot be judged.
pub(super) fn odd<'a>(drop_ins: impl IntoIterator<Item = (PathBuf, &'a Content)>) -> Vec<Diagnostic> {
    let odd = drop_ins.into_iter().filter(|(_, content)| matches!(content, Content::Odd));
    let odd: BTreeSet<PathBuf> = odd.map(|(path, _)| path).collect();
    let told = |path: &PathBuf| {
        let message = format!("the drop-in `{}` cannot be judged: its name is not plain", shown(path));
        Diagnostic::new(message)
            .note("podman and systemd read it all the same")
            .help("rename it: without control characters and `\\`, in UTF-8")
    };
    odd.iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Entry, FileTree};

    #[test]
    fn drop_ins_are_found_in_every_directory_the_nearest_name_first() {
        let home = tempfile::tempdir().unwrap();
        let base = file::canonical(home.path()).unwrap();
        let mut tree = FileTree::new();
        for path in [
            "run/lychd-a.container.d/30.conf",
            "etc/container.d/10.conf",
            "etc/container.d/20.conf",
            "etc/container.d/readme",
            "etc/lychd-.container.d/20.conf",
            "etc/lychd-a.container.d/40.conf",
            "etc/pod.d/10.conf",
            "etc/lychd/lychd-a.container.d/50.conf",
            "etc/sub/lychd-a.container.d/05.conf",
        ] {
            tree.insert_text(path.parse().unwrap(), path);
        }
        tree.insert("etc/container.d/60.conf".parse().unwrap(), Entry::Link { target: "gone".to_owned() });
        file::write_tree(&base.join("x"), &tree).unwrap();
        let base = base.join("x");
        let found = SearchTree::read(&base.join("etc/lychd"), &[base.join("run"), base.join("etc")]).unwrap();
        assert!(!found.is_empty() && found.site_at == Some(2), "{found:?}");
        let of = |name: &str| -> Vec<String> {
            let all = found.drop_ins_of(name).into_iter();
            all.map(|(path, content)| {
                let below = path.strip_prefix(&base).unwrap().display().to_string();
                if content.text().is_some() { below } else { format!("{below}?") }
            })
            .collect()
        };
        let want = [
            "etc/sub/lychd-a.container.d/05.conf",
            "etc/container.d/10.conf",
            "etc/lychd-.container.d/20.conf",
            "run/lychd-a.container.d/30.conf",
            "etc/lychd-a.container.d/40.conf",
            "etc/container.d/60.conf?",
        ];
        assert_eq!(of("lychd-a.container"), want);
        assert_eq!(of("lychd.pod"), ["etc/pod.d/10.conf"]);
        assert!(SearchTree::read(&base.join("etc/lychd"), &[base.join("none")]).unwrap().is_empty());
    }

    #[test]
    fn a_drop_in_of_another_name_is_told_with_escapes() {
        use std::os::unix::ffi::OsStringExt as _;
        let home = tempfile::tempdir().unwrap();
        let base = file::canonical(home.path()).unwrap();
        let below = base.join("container.d");
        for name in [&b"\xff.conf"[..], b"a\nb.conf", b"c\\d.conf", b"plain.conf", "é.conf".as_bytes()] {
            file::write(&below.join(OsString::from_vec(name.to_vec())), b"[Container]\n").unwrap();
        }
        let found = SearchTree::read(&base.join("lychd"), std::slice::from_ref(&base)).unwrap();
        let told = odd(found.drop_ins_of("lychd-a.container"));
        let told: Vec<String> = told.iter().map(|one| one.message.replace(&shown(&below), "")).collect();
        assert_eq!(
            told,
            ["\\xff", "a\\nb", "c\\d"]
                .map(|name| format!("the drop-in `/{name}.conf` cannot be judged: its name is not plain"))
        );
    }
}
