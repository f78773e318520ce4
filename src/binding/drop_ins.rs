//! What of the user's own lies in systemd's directories and changes our units without having their names: drop-ins,
//! links to what ours are to start, and units that systemd prefers to ours.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::search::{Content, DropIns, confs, directories_of, drop_ins_of, shown};
use crate::{
    diagnostic::{Diagnostic, Failure},
    host::file,
    runes::Rendered,
};

/// What lies in the directories that systemd reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserUnits {
    directories: Vec<UnitDirectory>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct UnitDirectory {
    path: PathBuf,
    /// Whether its units are read before generated ones.
    is_before: bool,
    names: Vec<String>,
    drop_ins: Vec<DropIns>,
    /// Directories of links, each with what is in it.
    links: Vec<(String, Vec<String>)>,
}

impl UserUnits {
    /// Reads all directories, those before generated units and those after them; one that is not there holds nothing.
    ///
    /// # Errors
    /// Unable when one cannot be read.
    pub fn read(before: &[PathBuf], after: &[PathBuf]) -> Result<Self, Failure> {
        let all = before.iter().map(|path| (path, true)).chain(after.iter().map(|path| (path, false)));
        Ok(Self {
            directories: all.map(|(path, is_before)| directory(path, is_before)).collect::<Result<_, _>>()?,
        })
    }

    /// The same as if these files were not there.
    pub(super) fn without(&mut self, gone: &BTreeSet<PathBuf>) {
        for directory in &mut self.directories {
            directory.names.retain(|name| !gone.contains(&directory.path.join(name)));
        }
    }

    /// Where they are, in systemd's order.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        self.directories.iter().map(|one| one.path.as_path())
    }

    /// The drop-ins of a unit in their order.
    #[must_use]
    pub fn drop_ins_of(&self, unit: &str) -> Vec<(PathBuf, &Content)> {
        drop_ins_of(unit, self.directories.iter().map(|one| (one.path.as_path(), one.drop_ins.as_slice())))
    }

    /// What stands in for a unit of ours, whose plain ones are to lie in `site`.
    #[must_use]
    pub fn hiding(&self, rendered: &Rendered, site: &Path) -> Vec<Diagnostic> {
        let generated = rendered.generated();
        let plain: BTreeSet<String> = rendered.units.iter().map(|(path, _)| path.to_string()).collect();
        let at = self.directories.iter().position(|one| one.path == site);
        let mut wrong = Vec::new();
        for (index, UnitDirectory { path, names, .. }) in
            self.directories.iter().enumerate().filter(|(_, one)| one.is_before)
        {
            let before_site = at.is_some_and(|at| index < at);
            for name in names {
                let what = if generated.contains(name) {
                    "generated"
                } else if before_site && plain.contains(name) {
                    "rendered"
                } else {
                    continue;
                };
                let message = format!(
                    "systemd would read `{}` instead of the {what} `{name}`",
                    shown(&path.join(name))
                );
                wrong.push(Diagnostic::new(message).help("move it away: a unit or a link there hides ours"));
            }
        }
        wrong
    }

    /// Notes on links by which units of ours start others, but for those to our own plain units.
    #[must_use]
    pub fn linked(&self, rendered: &Rendered) -> Vec<String> {
        let ours: BTreeSet<String> = rendered.units.iter().map(|(path, _)| path.to_string()).collect();
        let units = units_of(rendered);
        let mut notes = Vec::new();
        for (directory, (name, links)) in
            self.directories.iter().flat_map(|one| one.links.iter().map(move |links| (one, links)))
        {
            let Some((of, kind)) = name.rsplit_once('.') else { continue };
            let drop_ins = format!("{of}.d");
            let affected: Vec<String> = units
                .iter()
                .filter(|unit| directories_of(unit).contains(&drop_ins))
                .map(|unit| format!("`{unit}`"))
                .collect();
            let others: Vec<String> =
                links.iter().filter(|link| !ours.contains(*link)).map(|link| format!("`{link}`")).collect();
            if affected.is_empty() || others.is_empty() {
                continue;
            }
            let why = match kind {
                "requires" => ": where that does not start, ours does not",
                _ => "",
            };
            let (place, others) = (shown(&directory.path.join(name)), others.join(", "));
            notes.push(format!("`{place}` has {} start {others} as well{why}", affected.join(", ")));
        }
        notes
    }
}

/// The units of a rendered set as systemd gets them: those that are generated, and the plain ones.
#[must_use]
pub fn units_of(rendered: &Rendered) -> BTreeSet<String> {
    rendered.generated().into_iter().chain(rendered.units.iter().map(|(path, _)| path.to_string())).collect()
}

fn directory(path: &Path, is_before: bool) -> Result<UnitDirectory, Failure> {
    let mut found = UnitDirectory {
        path: path.to_owned(),
        is_before,
        names: Vec::new(),
        drop_ins: Vec::new(),
        links: Vec::new(),
    };
    // A file in its place is read by nobody.
    let is_there = file::kind_behind(path)? == Some(file::Kind::Directory);
    if is_there && let Some(real) = file::if_there(path, file::canonical(path))? {
        let names = |path: &Path| file::names(path).map_err(|error| file::unable("read", path, &error));
        for name in names(&real)?.into_iter().filter_map(|name| name.into_string().ok()) {
            let below = path.join(&name);
            let is_directory = || Ok::<_, Failure>(file::kind_behind(&below)? == Some(file::Kind::Directory));
            if name.strip_suffix(".d").is_some_and(may_be_of_ours) && is_directory()? {
                found.drop_ins.push(DropIns { files: confs(&below)?, name });
            } else if LINKS.iter().any(|kind| name.strip_suffix(kind).is_some_and(may_be_of_ours))
                && is_directory()?
            {
                let links = names(&below)?.into_iter().map(|link| shown(Path::new(&link))).collect();
                found.links.push((name, links));
            } else {
                found.names.push(name);
            }
        }
    }
    Ok(found)
}

/// What directories of links end in.
const LINKS: [&str; 3] = [".wants", ".requires", ".upholds"];

/// Whether a directory of this name, but for its last part, is of a unit of ours, or of all units of a kind.
fn may_be_of_ours(of: &str) -> bool {
    of.starts_with("lychd") || !of.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runes::Service;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test makes a link that leads nowhere")]
    fn drop_ins_are_found_and_units_in_front_of_ours_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let systemd = directory.path().join("systemd");
        let mut rendered = Rendered::default();
        rendered.services.insert("lychd-by-hand.service".to_owned(), Service::default());
        rendered.units.insert_text("lychd-animator-a.target".parse().unwrap(), "");
        let read = || UserUnits::read(&[systemd.clone(), directory.path().join("none")], &[]);
        assert_eq!(read().unwrap().drop_ins_of("lychd-by-hand.service"), Vec::new());
        for (name, file) in [
            ("service.d", "10.conf"),
            ("lychd-.service.d", "10.conf"),
            ("lychd-by-hand.service.d", "20.conf"),
            ("lychd-by-hand.service.d", "readme"),
            ("lychd-by-.service.d", "05.conf"),
            ("other.service.d", "10.conf"),
        ] {
            file::write(&systemd.join(name).join(file), b"[Service]\n").unwrap();
        }
        file::write(&systemd.join("other.service"), b"[Service]\n").unwrap();
        let units = read().unwrap();
        let shown = |unit: &str| -> Vec<String> {
            let all = units.drop_ins_of(unit).into_iter();
            all.map(|(path, _)| path.strip_prefix(&systemd).unwrap().display().to_string()).collect()
        };
        assert_eq!(
            shown("lychd-by-hand.service"),
            ["lychd-by-.service.d/05.conf", "lychd-.service.d/10.conf", "lychd-by-hand.service.d/20.conf"]
        );
        assert_eq!(shown("lychd-animator-a.target"), Vec::<String>::new());
        assert_eq!(units.hiding(&rendered, &systemd), Vec::new());
        assert_eq!(
            units_of(&rendered).into_iter().collect::<Vec<_>>(),
            ["lychd-animator-a.target", "lychd-by-hand.service"]
        );
        file::write(&systemd.join("lychd-by-hand.service"), b"[Service]\n").unwrap();
        let hiding = read().unwrap().hiding(&rendered, &systemd);
        assert!(
            hiding.len() == 1
                && hiding[0].message.contains("instead of the generated `lychd-by-hand.service`"),
            "{hiding:?}"
        );
        let looped = directory.path().join("loop");
        std::os::unix::fs::symlink("loop", &looped).unwrap();
        let unable = UserUnits::read(&[looped], &[]).unwrap_err();
        assert_eq!(unable.exit_code(), 2, "{unable}");
    }

    #[test]
    fn directories_before_ours_and_behind_generated_ones_are_looked_at() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let mut rendered = Rendered::default();
        rendered.services.insert("lychd-pod.service".to_owned(), Service::default());
        rendered.units.insert_text("lychd-vessel.timer".parse().unwrap(), "");
        for path in [
            "control/lychd-vessel.timer",
            "site/lychd-vessel.timer",
            "site/lychd-pod.service.wants/lychd-vessel.timer",
            "control/lychd-pod.service.d/50-MemoryMax.conf",
            "late/lychd-vessel.timer",
            "late/lychd-pod.service",
            "late/lychd-pod.service.requires/gone.service",
            "late/service.d/10.conf",
            "late/lychd-.timer.wants/a.service",
        ] {
            file::write(&at(path), b"").unwrap();
        }
        let units = UserUnits::read(&[at("control"), at("site")], &[at("late")]).unwrap();
        let short = |text: &str| text.replace(&directory.path().display().to_string(), "");
        let hiding: Vec<String> =
            units.hiding(&rendered, &at("site")).iter().map(|one| short(&one.message)).collect();
        assert_eq!(
            hiding,
            ["systemd would read `/control/lychd-vessel.timer` instead of the rendered `lychd-vessel.timer`"]
        );
        let drop_ins: Vec<String> = units
            .drop_ins_of("lychd-pod.service")
            .iter()
            .map(|(path, _)| short(&path.display().to_string()))
            .collect();
        assert_eq!(drop_ins, ["/late/service.d/10.conf", "/control/lychd-pod.service.d/50-MemoryMax.conf"]);
        let mut linked: Vec<String> = units.linked(&rendered).iter().map(|one| short(one)).collect();
        linked.sort();
        assert_eq!(
            linked,
            [
                "`/late/lychd-.timer.wants` has `lychd-vessel.timer` start `a.service` as well",
                "`/late/lychd-pod.service.requires` has `lychd-pod.service` start `gone.service` as well: where that does \
                 not start, ours does not",
            ]
        );
    }
}
