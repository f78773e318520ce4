//! What of the user's own changes our units without having their names: drop-ins, and units that systemd prefers to
//! those that are generated.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::{
    diagnostic::{Diagnostic, Failure},
    host::file,
    tree::FileTree,
};

/// Directories of podman and of systemd for this user; some may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Where Quadlet files are read.
    pub podman: Vec<PathBuf>,
    /// Where units are read before generated ones.
    pub systemd: Vec<PathBuf>,
}

/// The drop-in directories that change units, as notes: they are the user's, and they count.
///
/// # Errors
/// Refused when another unit stands in for a generated one; unable when a directory cannot be read.
pub fn alterations(
    quadlets: &FileTree,
    units: &FileTree,
    generated: &BTreeSet<String>,
    places: &Places,
) -> Result<Vec<String>, Failure> {
    let names = |tree: &FileTree| tree.iter().map(|(path, _)| path.to_string()).collect::<BTreeSet<_>>();
    let (quadlets, plain) = (names(quadlets), names(units));
    let mut notes = Vec::new();
    let mut wrong = Vec::new();
    let started: BTreeSet<String> = generated.iter().chain(&plain).cloned().collect();
    for (directories, names) in [(&places.podman, &quadlets), (&places.systemd, &started)] {
        let dropped: BTreeSet<String> = names.iter().flat_map(|name| drop_ins(name)).collect();
        for directory in directories {
            for name in listed(directory)? {
                let path = directory.join(&name);
                if dropped.contains(&name) {
                    notes.push(format!(
                        "`{}` changes these units: nothing here knows what it says",
                        path.display()
                    ));
                } else if generated.contains(&name) && places.systemd.contains(directory) {
                    let message =
                        format!("systemd would read `{}` instead of the generated `{name}`", path.display());
                    wrong.push(
                        Diagnostic::new(message).help("move it away: a unit or a link there hides ours"),
                    );
                }
            }
        }
    }
    if wrong.is_empty() { Ok(notes) } else { Err(Failure::Refused(wrong)) }
}

/// The directories whose files are added to a unit (systemd.unit(5)): its own, those of its name cut at a dash, and
/// that of its kind.
fn drop_ins(name: &str) -> Vec<String> {
    let Some((stem, kind)) = name.rsplit_once('.') else { return Vec::new() };
    let cuts = stem.match_indices('-').filter_map(|(at, _)| stem.get(..=at));
    let cut = cuts.map(|cut| format!("{cut}.{kind}.d"));
    cut.chain([format!("{name}.d"), format!("{kind}.d")]).collect()
}

fn listed(directory: &Path) -> Result<Vec<String>, Failure> {
    let Some(real) = file::if_there(directory, file::canonical(directory))? else { return Ok(Vec::new()) };
    let names = file::names(&real).map_err(|error| file::unable("read", directory, &error))?;
    Ok(names.into_iter().filter_map(|name| name.into_string().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test makes a link that leads nowhere")]
    fn drop_ins_are_told_and_units_in_front_of_ours_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let (podman, systemd) = (directory.path().join("podman"), directory.path().join("systemd"));
        let mut quadlets = FileTree::new();
        quadlets.insert_text("lychd-by-hand.container".parse().unwrap(), "");
        let generated = BTreeSet::from(["lychd-by-hand.service".to_owned()]);
        let places = Places { podman: vec![podman.clone()], systemd: vec![systemd.clone()] };
        let judged = || alterations(&quadlets, &FileTree::new(), &generated, &places);
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
        let unable = alterations(&quadlets, &FileTree::new(), &generated, &lost).unwrap_err();
        assert_eq!(unable.exit_code(), 2, "{unable}");
        file::write(&systemd.join("lychd-by-hand.service"), b"[Service]\n").unwrap();
        let refused = judged().unwrap_err();
        assert!(
            refused.to_string().contains("instead of the generated `lychd-by-hand.service`"),
            "{refused}"
        );
    }
}
