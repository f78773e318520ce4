//! LychD's own inscription: what `lychd bind` wrote, by the receipt that it left.
//!
//! It can be taken over and given back. Its pod's file goes first and comes last: without it podman generates none of its
//! containers, so that between the two sets there is nothing, and never something of both.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{journal::Move, site::Sites};
use crate::{
    diagnostic::{Diagnostic, Failure, Fault},
    host::file,
    runes::{POD_FILE, unit::service_of},
};

/// LychD's receipt, in podman's directory.
const RECEIPT: &str = ".lychd-owned.json";
/// The most that it may hold, in bytes.
const LIMIT: u64 = 1 << 20;

/// What LychD's receipt says: `{"quadlet": […], "systemd": […], "version": 1}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    quadlet: BTreeSet<String>,
    systemd: BTreeSet<String>,
    version: u64,
}

/// LychD's own inscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lychds {
    /// The directory of its receipt.
    directory: PathBuf,
    /// Its Quadlet files by name, in `directory`.
    quadlets: BTreeSet<String>,
    /// Its plain units by name, in [`Sites::units`].
    units: BTreeSet<String>,
}

impl Lychds {
    /// That of podman's directory, if one lies there.
    ///
    /// # Errors
    /// Unable when the receipt cannot be read, or is none that this forge knows.
    pub fn of(sites: &Sites) -> Result<Option<Self>, Failure> {
        Self::read(sites.quadlets.parent().unwrap_or(&sites.quadlets))
    }

    /// What was taken over and lies in this directory.
    ///
    /// # Errors
    /// As [`Lychds::of`].
    pub fn read(directory: &Path) -> Result<Option<Self>, Failure> {
        let path = directory.join(RECEIPT);
        let Some(text) = file::if_there(&path, file::read(&path, LIMIT))? else { return Ok(None) };
        let unknown = |why: &str| {
            let message =
                format!("`{}` is no receipt of LychD's that this forge knows: {why}", path.display());
            Failure::unable(Diagnostic::new(message).of_kind(Fault::File))
        };
        let written: Written = serde_json::from_slice(&text).map_err(|error| unknown(&error.to_string()))?;
        if written.version != 1 {
            return Err(unknown(&format!("its version is {}", written.version)));
        }
        let plain = |name: &String| {
            let is_ours = name.starts_with("lychd-") || name.starts_with("lychd.");
            is_ours && !name.contains(['/', '\\']) && !name.contains(char::is_control)
        };
        if let Some(odd) = written.quadlet.iter().chain(&written.systemd).find(|name| !plain(name)) {
            return Err(unknown(&format!("it names `{}`", odd.escape_debug())));
        }
        let Written { quadlet, systemd, .. } = written;
        Ok(Some(Self { directory: directory.to_owned(), quadlets: quadlet, units: systemd }))
    }

    /// The same with this as the directory of its Quadlet files.
    #[must_use]
    pub fn kept_in(mut self, directory: &Path) -> Self {
        directory.clone_into(&mut self.directory);
        self
    }

    /// Its files where they live.
    pub fn files<'a>(&'a self, sites: &'a Sites) -> impl Iterator<Item = PathBuf> + 'a {
        let quadlets = self.quadlets.iter().map(|name| self.directory.join(name));
        quadlets.chain(self.units.iter().map(|name| sites.link(name)))
    }

    /// Its units by the names that systemd has for them.
    pub fn unit_names(&self) -> impl Iterator<Item = String> + '_ {
        let services = self.quadlets.iter().filter_map(|name| service_of(name));
        services.chain(self.units.iter().cloned())
    }

    /// How its files go to `kept`, in order: the pod first, the receipt last.
    #[must_use]
    pub fn away(&self, sites: &Sites, kept: &Path) -> Vec<Move> {
        let pod = self.quadlets.iter().filter(|name| *name == POD_FILE);
        let others = self.quadlets.iter().filter(|name| *name != POD_FILE);
        let quadlets = pod.chain(others).map(String::as_str).chain([RECEIPT]);
        let mut moves: Vec<Move> =
            quadlets.map(|name| Move { from: self.directory.join(name), to: kept.join(name) }).collect();
        let units =
            self.units.iter().map(|name| Move { from: sites.link(name), to: kept.join("units").join(name) });
        let receipt = moves.pop();
        moves.extend(units);
        moves.extend(receipt);
        moves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_pod_goes_first_and_its_receipt_last() {
        let directory = tempfile::tempdir().unwrap();
        let sites = Sites::below(directory.path(), Path::new("/state"));
        let podmans = sites.quadlets.parent().unwrap();
        assert_eq!(Lychds::of(&sites), Ok(None));
        let write = |text: &str| file::write(&podmans.join(RECEIPT), text.as_bytes()).unwrap();
        write(
            r#"{"quadlet": ["lychd-a.container", "lychd.pod"], "systemd": ["lychd-b.target"], "version": 1}"#,
        );
        let lychds = Lychds::of(&sites).unwrap().unwrap();
        let names: Vec<String> = lychds.unit_names().collect();
        assert_eq!(names, ["lychd-a.service", "lychd-pod.service", "lychd-b.target"]);
        let moves = lychds.away(&sites, Path::new("/kept"));
        let to: Vec<&str> = moves.iter().map(|one| one.to.to_str().unwrap()).collect();
        let want = ["/kept/lychd.pod", "/kept/lychd-a.container", "/kept/units/lychd-b.target"];
        assert_eq!(to, [&want[..], &["/kept/.lychd-owned.json"]].concat());
        assert_eq!(moves[2].from, sites.units.join("lychd-b.target"));

        for (text, why) in [
            (r#"{"quadlet": [], "systemd": [], "version": 2}"#, "its version is 2"),
            (r#"{"quadlet": ["../lychd.pod"], "systemd": [], "version": 1}"#, "it names `../lychd.pod`"),
            (r#"{"quadlet": ["lychd-/../a"], "systemd": [], "version": 1}"#, "it names"),
            ("[]", "is no receipt of LychD's"),
        ] {
            write(text);
            let unable = Lychds::of(&sites).unwrap_err();
            assert!(unable.exit_code() == 2 && unable.to_string().contains(why), "{unable}");
        }
    }
}
