//! What of the user's own lies in systemd's directories and changes our units without having their names: drop-ins, and
//! units that systemd prefers to those that are generated.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::search::{Content, DropIns, confs, drop_ins_of};
use crate::{
    diagnostic::{Diagnostic, Failure},
    host::file,
    runes::Rendered,
};

/// What lies in the directories that systemd reads before generated units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserUnits {
    directories: Vec<UnitDirectory>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct UnitDirectory {
    path: PathBuf,
    names: Vec<String>,
    drop_ins: Vec<DropIns>,
}

impl UserUnits {
    /// Reads all directories; one that is not there holds nothing.
    ///
    /// # Errors
    /// Unable when one cannot be read.
    pub fn read(directories: &[PathBuf]) -> Result<Self, Failure> {
        Ok(Self { directories: directories.iter().map(|path| directory(path)).collect::<Result<_, _>>()? })
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

    /// What stands in for a generated unit.
    #[must_use]
    pub fn hiding(&self, rendered: &Rendered) -> Vec<Diagnostic> {
        let generated = rendered.generated();
        let mut wrong = Vec::new();
        for UnitDirectory { path, names, .. } in &self.directories {
            for name in names.iter().filter(|name| generated.contains(*name)) {
                let path = path.join(name);
                let message =
                    format!("systemd would read `{}` instead of the generated `{name}`", path.display());
                wrong.push(Diagnostic::new(message).help("move it away: a unit or a link there hides ours"));
            }
        }
        wrong
    }
}

/// The units of a rendered set as systemd gets them: those that are generated, and the plain ones.
#[must_use]
pub fn units_of(rendered: &Rendered) -> BTreeSet<String> {
    rendered.generated().into_iter().chain(rendered.units.iter().map(|(path, _)| path.to_string())).collect()
}

fn directory(path: &Path) -> Result<UnitDirectory, Failure> {
    let mut found = UnitDirectory { path: path.to_owned(), names: Vec::new(), drop_ins: Vec::new() };
    if let Some(real) = file::if_there(path, file::canonical(path))? {
        let names = file::names(&real).map_err(|error| file::unable("read", path, &error))?;
        for name in names.into_iter().filter_map(|name| name.into_string().ok()) {
            let below = path.join(&name);
            if may_be_of_ours(&name) && file::kind_behind(&below)? == Some(file::Kind::Directory) {
                found.drop_ins.push(DropIns { files: confs(&below)?, name });
            } else {
                found.names.push(name);
            }
        }
    }
    Ok(found)
}

/// Whether a directory of this name has drop-ins of a unit of ours, or of all units of a kind.
fn may_be_of_ours(name: &str) -> bool {
    name.strip_suffix(".d").is_some_and(|of| of.starts_with("lychd") || !of.contains('.'))
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
        let read = || UserUnits::read(&[systemd.clone(), directory.path().join("none")]);
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
        assert_eq!(units.hiding(&rendered), Vec::new());
        assert_eq!(
            units_of(&rendered).into_iter().collect::<Vec<_>>(),
            ["lychd-animator-a.target", "lychd-by-hand.service"]
        );
        file::write(&systemd.join("lychd-by-hand.service"), b"[Service]\n").unwrap();
        let hiding = read().unwrap().hiding(&rendered);
        assert!(
            hiding.len() == 1
                && hiding[0].message.contains("instead of the generated `lychd-by-hand.service`"),
            "{hiding:?}"
        );
        let looped = directory.path().join("loop");
        std::os::unix::fs::symlink("loop", &looped).unwrap();
        let unable = UserUnits::read(&[looped]).unwrap_err();
        assert_eq!(unable.exit_code(), 2, "{unable}");
    }
}
