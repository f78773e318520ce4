//! What of the user's own changes our units without having their names: drop-ins, and units that systemd prefers to
//! those that are generated.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::places::Places;
use crate::{
    diagnostic::{Diagnostic, Failure},
    host::file,
    runes::Rendered,
    tree::FileTree,
};

/// What lies in the directories of podman and of systemd, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    podman: Vec<Listed>,
    systemd: Vec<Listed>,
}

/// A directory and the names in it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Listed {
    directory: PathBuf,
    names: Vec<String>,
}

impl Names {
    /// Reads all directories; one that is not there holds nothing.
    ///
    /// # Errors
    /// Unable when one cannot be read.
    pub fn read(places: &Places) -> Result<Self, Failure> {
        let all = |directories: &[PathBuf]| -> Result<Vec<Listed>, Failure> {
            directories.iter().map(|directory| listed(directory)).collect()
        };
        Ok(Self { podman: all(&places.podman)?, systemd: all(&places.systemd)? })
    }
}

/// The drop-in directories that change units, as notes: they are the user's, and they count.
///
/// # Errors
/// Refused when another unit stands in for a generated one.
pub fn drop_ins(rendered: &Rendered, names: &Names) -> Result<Vec<String>, Failure> {
    let of = |tree: &FileTree| tree.iter().map(|(path, _)| path.to_string()).collect::<BTreeSet<_>>();
    let (quadlets, generated) = (of(&rendered.quadlets), rendered.generated());
    let started: BTreeSet<String> = generated.iter().cloned().chain(of(&rendered.units)).collect();
    let mut found = Found::default();
    found.look(&names.podman, &quadlets, &BTreeSet::new());
    found.look(&names.systemd, &started, &generated);
    if found.wrong.is_empty() { Ok(found.notes) } else { Err(Failure::Refused(found.wrong)) }
}

#[derive(Default)]
struct Found {
    notes: Vec<String>,
    wrong: Vec<Diagnostic>,
}

impl Found {
    /// What changes the files of these names, or hides them.
    fn look(&mut self, directories: &[Listed], changed: &BTreeSet<String>, hidden: &BTreeSet<String>) {
        let dropped: BTreeSet<String> = changed.iter().flat_map(|name| directories_of(name)).collect();
        for Listed { directory, names } in directories {
            for name in names {
                let path = directory.join(name);
                if dropped.contains(name) {
                    self.notes.push(format!(
                        "`{}` changes these units: nothing here knows what it says",
                        path.display()
                    ));
                } else if hidden.contains(name) {
                    let message =
                        format!("systemd would read `{}` instead of the generated `{name}`", path.display());
                    self.wrong.push(
                        Diagnostic::new(message).help("move it away: a unit or a link there hides ours"),
                    );
                }
            }
        }
    }
}

/// The directories whose files are added to a unit (systemd.unit(5)): its own, those of its name cut at a dash, and
/// that of its kind.
fn directories_of(name: &str) -> Vec<String> {
    let Some((stem, kind)) = name.rsplit_once('.') else { return Vec::new() };
    let cuts = stem.match_indices('-').filter_map(|(at, _)| stem.get(..=at));
    let cut = cuts.map(|cut| format!("{cut}.{kind}.d"));
    cut.chain([format!("{name}.d"), format!("{kind}.d")]).collect()
}

fn listed(directory: &Path) -> Result<Listed, Failure> {
    let mut names = Vec::new();
    if let Some(real) = file::if_there(directory, file::canonical(directory))? {
        let all = file::names(&real).map_err(|error| file::unable("read", directory, &error))?;
        names.extend(all.into_iter().filter_map(|name| name.into_string().ok()));
    }
    Ok(Listed { directory: directory.to_owned(), names })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runes::Service;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test makes a link that leads nowhere")]
    fn drop_ins_are_told_and_units_in_front_of_ours_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let (podman, systemd) = (directory.path().join("podman"), directory.path().join("systemd"));
        let mut rendered = Rendered::default();
        rendered.quadlets.insert_text("lychd-by-hand.container".parse().unwrap(), "");
        rendered.services.insert("lychd-by-hand.service".to_owned(), Service::default());
        let places = Places { podman: vec![podman.clone()], systemd: vec![systemd.clone()] };
        let judged = || Names::read(&places).and_then(|names| drop_ins(&rendered, &names));
        assert_eq!(judged(), Ok(Vec::new()));
        for name in
            ["container.d", "lychd-.container.d", "lychd-by-.container.d", "lychd-by-hand.container.d"]
        {
            file::write(&podman.join(name).join("x.conf"), b"[Container]\n").unwrap();
        }
        file::write(&podman.join("pod.d/x.conf"), b"[Pod]\n").unwrap();
        file::write(&systemd.join("lychd-by-hand.service.d/x.conf"), b"[Service]\n").unwrap();
        file::write(&systemd.join("other.service"), b"[Service]\n").unwrap();
        assert_eq!(judged().unwrap().len(), 5, "{:?}", judged());
        let lost = Places { podman: vec![directory.path().join("loop")], systemd: Vec::new() };
        std::os::unix::fs::symlink("loop", &lost.podman[0]).unwrap();
        let unable = Names::read(&lost).unwrap_err();
        assert_eq!(unable.exit_code(), 2, "{unable}");
        file::write(&systemd.join("lychd-by-hand.service"), b"[Service]\n").unwrap();
        let refused = judged().unwrap_err();
        assert!(
            refused.to_string().contains("instead of the generated `lychd-by-hand.service`"),
            "{refused}"
        );
    }
}
