//! A rendered set at its place among the user's own Quadlet files: what is staged, and what podman's generator then says
//! of ours.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    generator::{key_in, messages, place_in},
    stage::plain,
};
use crate::{
    binding::{
        changes::quadlets_of,
        search::{Content, SearchTree, shown},
    },
    diagnostic::{Diagnostic, Failure},
    host::file,
    runes::Rendered,
    tree::{Entry, FileTree},
};

/// What is said of every fault that only the user's own files make.
pub(super) const HELP: &str = "the forge's units alone are right: mend what is named here, or move it out of podman's and systemd's directories";
/// The most messages on what is not ours that are told.
const MOST: usize = 3;

/// Podman's directories as they are staged, a directory each, so that none is read in another's place.
pub(super) struct Staged {
    /// As `QUADLET_UNIT_DIRS` has them.
    pub(super) directories: String,
    /// Where the rendered set is.
    pub(super) site: String,
    /// Each staged directory, with `/` behind it, and the real one.
    real: Vec<(String, String)>,
    /// Files that could not be staged.
    pub(super) notes: Vec<String>,
}

impl Staged {
    /// Copies what podman would read: what the set is to be among, and the set.
    pub(super) fn at(root: &Path, rendered: &FileTree, found: &SearchTree) -> Result<Self, Failure> {
        let (mut real, mut notes, mut site) = (Vec::new(), Vec::new(), String::new());
        let site_at = found.site_at.unwrap_or(found.directories.len());
        for at in 0..=found.directories.len() {
            if at == site_at {
                site = put(root, "site", rendered)?;
                real.push((format!("{site}/"), format!("{}/", found.site.display())));
            }
            let Some(directory) = found.directories.get(at).filter(|one| !one.is_empty()) else { continue };
            let mut tree = FileTree::new();
            let mut add = |below: String, content: &Content| match below.parse() {
                Ok(path) => tree.insert(path, entry(content)),
                Err(_) => notes.push(format!(
                    "`{}` was not looked at: its name is not plain",
                    shown(&directory.path.join(below))
                )),
            };
            for (name, content) in &directory.quadlets {
                add(name.clone(), content);
            }
            for drop_ins in &directory.drop_ins {
                for (name, content) in &drop_ins.files {
                    add(format!("{}/{name}", drop_ins.name), content);
                }
            }
            let staged = put(root, &at.to_string(), &tree)?;
            real.push((format!("{staged}/"), format!("{}/", directory.path.display())));
        }
        let directories: Vec<&str> = real.iter().map(|(staged, _)| staged.trim_end_matches('/')).collect();
        Ok(Self { directories: directories.join(":"), site, real, notes })
    }

    /// A message with the paths that people know.
    fn shown(&self, message: &str) -> String {
        self.real.iter().fold(message.to_owned(), |text, (staged, real)| text.replace(staged, real))
    }
}

fn put(root: &Path, name: &str, tree: &FileTree) -> Result<String, Failure> {
    let path = root.join(name);
    file::write_tree(&path, tree).map_err(|error| file::unable("write", &path, &error))?;
    Ok(plain(&path)?.to_owned())
}

/// What cannot be read is a link to nothing, which podman cannot read either.
fn entry(content: &Content) -> Entry {
    match content {
        Content::Text(source) => Entry::File { bytes: source.text().as_bytes().into(), executable: false },
        Content::None | Content::Closed(_) | Content::Odd => Entry::Link { target: "nothing".to_owned() },
    }
}

/// What podman says of ours, and at most a few words of what it says of the rest.
pub(super) fn judge(
    stderr: &str,
    made: &BTreeMap<String, String>,
    rendered: &Rendered,
    found: &SearchTree,
    staged: &Staged,
) -> (Vec<Diagnostic>, Vec<String>) {
    let (mut findings, mut others) = (Vec::new(), Vec::new());
    let quadlets = quadlets_of(rendered);
    let drop_ins: BTreeMap<String, &Content> = quadlets
        .values()
        .flat_map(|quadlet| found.drop_ins_of(quadlet))
        .map(|(path, content)| (path.display().to_string(), content))
        .collect();
    let mut told_of: BTreeSet<&str> = BTreeSet::new();
    for message in messages(stderr) {
        let message = staged.shown(&message);
        let quoted = |before: &str| message.strip_prefix(before).and_then(|rest| rest.split_once('"'));
        let converted = quoted("converting \"").and_then(|(name, reason)| {
            let ours = quadlets.iter().find(|(_, quadlet)| *quadlet == name)?;
            Some((ours, reason.trim_start_matches(": ")))
        });
        if let Some(((service, quadlet), reason)) = converted {
            let tail = format!(" in {}/{quadlet}", found.site.display());
            let reason = reason.strip_suffix(&tail).unwrap_or(reason);
            let told = Diagnostic::new(format!(
                "podman's generator refuses `{quadlet}` with its drop-ins: {reason}"
            ));
            let all = found.drop_ins_of(quadlet);
            let texts = || all.iter().filter_map(|(_, content)| content.text());
            let place = texts().find_map(|text| key_in(reason, text));
            let place = place.or_else(|| texts().find_map(|text| place_in(reason, text)));
            let told = match (place, texts().next()) {
                (Some(place), _) => told.at(place, ""),
                (None, Some(first)) => told.at(first.at(0..0), "one of its drop-ins"),
                (None, None) => told,
            };
            told_of.insert(service);
            findings.push(told.note(format!("there would be no `{service}`")).help(HELP));
            continue;
        }
        if let Some((path, reason)) = quoted("error loading \"")
            && let Some(content) = drop_ins.get(path)
        {
            let reason = reason.trim_start_matches(", ");
            let told = Diagnostic::new(format!("podman cannot read the drop-in `{path}`: {reason}"));
            let place = content.text().map(|text| place_in(reason, text).unwrap_or_else(|| text.at(0..0)));
            findings.push(place.into_iter().fold(told, |told, place| told.at(place, "")).help(HELP));
            continue;
        }
        others.push(message);
    }
    for service in rendered.generated().iter().filter(|name| !made.contains_key(*name)) {
        if !told_of.contains(service.as_str()) {
            let told = Diagnostic::new(format!(
                "podman's generator makes no `{service}` among the other Quadlet files of this host, and does not say why"
            ));
            let told = others.iter().take(MOST).fold(told, Diagnostic::note);
            findings.push(told.help(HELP));
        }
    }
    let more = others.len().saturating_sub(MOST);
    let mut notes: Vec<String> = others
        .iter()
        .take(MOST)
        .map(|message| format!("podman says of what is not the forge's: {message}"))
        .collect();
    notes.extend((more > 0).then(|| format!("podman says {more} things more of what is not the forge's")));
    (findings, notes)
}

/// What systemd finds in ours with the user's drop-ins: a line that it passes over is a note, anything else a fault.
pub(super) fn systemds(
    findings: Vec<Diagnostic>,
    drop_ins: &BTreeSet<PathBuf>,
) -> (Vec<Diagnostic>, Vec<String>) {
    let (mut wrong, mut notes) = (Vec::new(), Vec::new());
    for finding in findings {
        let place = finding.places.first().map(|(place, _)| place.to_string());
        match place {
            Some(place) if place.starts_with('/') && finding.message.contains("gnoring") => {
                notes.push(format!("{place}: {}", finding.message));
            }
            Some(place) if place.starts_with('/') => wrong.push(finding.help(HELP)),
            _ => {
                let told = drop_ins.iter().take(MOST).map(|path| format!("`{}` takes part", shown(path)));
                wrong.push(told.fold(finding, Diagnostic::note).help(HELP));
            }
        }
    }
    (wrong, notes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        binding::search::{DropIns, SearchDirectory},
        diagnostic::Source,
        runes::Service,
    };

    fn judged(stderr: &str, made: &[&str]) -> (Vec<String>, Vec<String>) {
        let mut rendered = Rendered::default();
        rendered.quadlets.insert_text("lychd-a.container".parse().unwrap(), "[Container]\nImage=x\n");
        rendered.services.insert("lychd-a.service".to_owned(), Service::default());
        let text = Content::Text(Source::new("/u/container.d/10.conf", "[Container]\nX=1\nMemory=1G\n"));
        let found = SearchTree {
            site: "/u/lychd".into(),
            directories: vec![SearchDirectory {
                path: "/u".into(),
                quadlets: Vec::new(),
                drop_ins: vec![DropIns {
                    name: "container.d".to_owned(),
                    files: vec![("10.conf".to_owned(), text)],
                }],
            }],
            site_at: Some(1),
        };
        let staged = Staged {
            directories: String::new(),
            site: "/s/site".to_owned(),
            real: vec![
                ("/s/0/".to_owned(), "/u/".to_owned()),
                ("/s/site/".to_owned(), "/u/lychd/".to_owned()),
            ],
            notes: Vec::new(),
        };
        let made = made.iter().map(|name| ((*name).to_owned(), String::new())).collect();
        let (findings, notes) = judge(stderr, &made, &rendered, &found, &staged);
        (findings.iter().map(|one| one.to_string().replace(HELP, "HELP")).collect(), notes)
    }

    #[test]
    fn what_is_said_of_ours_is_refused_at_the_drop_in_that_makes_it() {
        let said = "quadlet-generator[7]: converting \"lychd-a.container\": unsupported key 'Memory' in group 'Container' in \
                    /s/site/lychd-a.container\n";
        assert_eq!(
            judged(said, &[]).0,
            [
                "podman's generator refuses `lychd-a.container` with its drop-ins: unsupported key 'Memory' in group \
              'Container'\n  at /u/container.d/10.conf:3:1\n  note: there would be no `lychd-a.service`\n  help: HELP"
            ]
        );
        let said = "quadlet-generator[7]: error loading \"/s/0/container.d/10.conf\", file contains line 2: “x” which is not \
                    a key-value pair, group, or comment\n";
        let told = judged(said, &["lychd-a.service"]).0.concat();
        assert!(
            told.starts_with("podman cannot read the drop-in `/u/container.d/10.conf`: file contains line 2"),
            "{told}"
        );
        assert!(told.contains("\n  at /u/container.d/10.conf:2:1"), "{told}");
        let told = judged("", &[]).0.concat();
        assert!(told.starts_with("podman's generator makes no `lychd-a.service` among the other"), "{told}");
    }

    #[test]
    fn what_is_said_of_others_is_at_most_a_few_notes() {
        let line = |n: usize| {
            format!("quadlet-generator[7]: converting \"m{n}.container\": no Image or Rootfs key specified\n")
        };
        let (findings, notes) = judged(&line(1), &["lychd-a.service"]);
        assert_eq!(findings, Vec::<String>::new());
        assert_eq!(
            notes,
            [
                "podman says of what is not the forge's: converting \"m1.container\": no Image or Rootfs key specified"
            ]
        );
        let many: String = (0..9).map(line).collect();
        let (_, notes) = judged(&many, &["lychd-a.service"]);
        assert!(
            notes.len() == 4 && notes[3] == "podman says 6 things more of what is not the forge's",
            "{notes:?}"
        );
    }
}
