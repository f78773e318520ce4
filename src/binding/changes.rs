//! What the user's own files make of our units: which lines, of which file.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use super::{
    drop_ins::units_of,
    entries::entries,
    judge::Theirs,
    search::{Content, shown},
    shadowing::service_in,
};
use crate::{diagnostic::Source, runes::Rendered, tree::Entry};

/// The most lines, files and units that one note tells.
const MOST: usize = 6;

/// How a generated unit differs from what it is alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Lines that come, each behind its section.
    come: Vec<String>,
    /// Lines that go.
    gone: Vec<String>,
}

impl Difference {
    /// Between what is made of a file alone and among others; `None` when it is the same.
    #[must_use]
    pub fn of(alone: &str, among: &str) -> Option<Self> {
        let (before, after) = (lines(alone), lines(among));
        let mut come = without(&after, &before);
        let mut gone = without(&before, &after);
        // podman's generator writes some options in an order that changes from run to run.
        come.retain(|line| {
            let same = gone.iter().position(|other| is_shuffled(line, other));
            same.map(|at| gone.remove(at)).is_none()
        });
        (!come.is_empty() || !gone.is_empty()).then_some(Self { come, gone })
    }

    /// What a person reads of it: the lines of the command only where nothing else says why it is another.
    fn told(&self) -> String {
        let is_command = |line: &&String| line.starts_with("[Service] Exec");
        let said =
            |lines: &[String]| lines.iter().filter(|line| !is_command(line)).cloned().collect::<Vec<_>>();
        let (mut come, mut gone) = (said(&self.come), said(&self.gone));
        if come.is_empty() && gone.is_empty() {
            let words = |lines: &[String]| -> Vec<String> {
                lines.iter().flat_map(|line| line.split(' ').map(str::to_owned)).collect()
            };
            let (before, after) = (words(&self.gone), words(&self.come));
            come = vec![without(&after, &before).join(" ")];
            gone = vec![without(&before, &after).join(" ")];
        }
        let list = |lines: &[String]| {
            let shown: Vec<String> =
                lines.iter().filter(|line| !line.is_empty()).map(|line| format!("`{line}`")).collect();
            listed(&shown)
        };
        match (list(&come), list(&gone)) {
            (come, gone) if gone.is_empty() => come,
            (come, gone) if come.is_empty() => format!("without {gone}"),
            (come, gone) => format!("{come} instead of {gone}"),
        }
    }
}

/// Whether two commands have the same words.
fn is_shuffled(one: &str, two: &str) -> bool {
    let words = |line: &str| {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        words.sort_unstable();
        words
    };
    [one, two].iter().all(|line| line.starts_with("[Service] Exec")) && words(one) == words(two)
}

/// The lines of a unit, each behind its section; Quadlet's own sections by the names that people write.
fn lines(unit: &str) -> Vec<String> {
    let of = |section: &str| match section.strip_prefix("X-") {
        Some(own @ ("Container" | "Pod" | "Quadlet")) => own.to_owned(),
        _ => section.to_owned(),
    };
    entries(&Source::new("", unit))
        .into_iter()
        .filter(|entry| entry.key != "SourcePath")
        .map(|entry| format!("[{}] {}={}", of(&entry.section), entry.key, entry.value))
        .collect()
}

/// What is in the one and not, or not as often, in the other.
fn without(whole: &[String], known: &[String]) -> Vec<String> {
    let mut left: BTreeMap<&String, usize> = BTreeMap::new();
    for one in known {
        *left.entry(one).or_default() += 1;
    }
    let is_new = |one: &&String| match left.get_mut(*one) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    whole.iter().filter(is_new).cloned().collect()
}

/// A list that ends in time.
fn listed(all: &[String]) -> String {
    let shown = all.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn quoted<'a>(all: impl IntoIterator<Item = &'a str>) -> String {
    listed(&all.into_iter().map(|one| format!("`{one}`")).collect::<Vec<_>>())
}

/// The Quadlet file of each service.
#[must_use]
pub fn quadlets_of(rendered: &Rendered) -> BTreeMap<String, String> {
    let of = |(path, entry): (&crate::tree::RelativePath, &Entry)| {
        let Entry::File { bytes, .. } = entry else { return None };
        let service = service_in(path.as_str(), &Source::new("", String::from_utf8_lossy(bytes)))?;
        Some((service, path.to_string()))
    };
    rendered.quadlets.iter().filter_map(of).collect()
}

/// The units that become others among the user's own files, with what they become.
#[must_use]
pub fn changed(
    alone: &BTreeMap<String, String>,
    among: &BTreeMap<String, String>,
) -> BTreeMap<String, Difference> {
    let of = |(name, text): (&String, &String)| Some((name.clone(), Difference::of(text, among.get(name)?)?));
    alone.iter().filter_map(of).collect()
}

/// Notes on all that the user's own files change, a line for what is changed alike.
#[must_use]
pub fn notes(
    rendered: &Rendered,
    alone: &BTreeMap<String, String>,
    among: &BTreeMap<String, String>,
    theirs: Theirs<'_>,
) -> Vec<String> {
    let changed = changed(alone, among);
    let mut alike: BTreeMap<(Vec<PathBuf>, Option<String>), BTreeSet<&str>> = BTreeMap::new();
    let quadlets = quadlets_of(rendered);
    for (service, quadlet) in &quadlets {
        let files: Vec<PathBuf> =
            theirs.quadlets.drop_ins_of(quadlet).into_iter().map(|(path, _)| path).collect();
        let difference = changed.get(service).map(Difference::told);
        if difference.is_some() || !files.is_empty() {
            alike.entry((files, difference)).or_default().insert(service);
        }
    }
    let mut notes: Vec<String> = Vec::new();
    for ((files, difference), services) in alike {
        let services = quoted(services);
        let paths: Vec<String> = files.iter().map(|path| shown(path)).collect();
        let (who, verb) = match paths.as_slice() {
            [] => ("other Quadlet files of this host".to_owned(), "change"),
            [one] => (format!("`{one}`"), "changes"),
            several => (quoted(several.iter().map(String::as_str)), "change"),
        };
        notes.push(match difference {
            Some(difference) => format!("{who} {verb} {services}: {difference}"),
            None => format!("{who} {verb} nothing of {services}"),
        });
    }
    notes.extend(systemds(rendered, theirs));
    notes
}

/// The same of systemd's drop-ins, which no generator reads.
fn systemds(rendered: &Rendered, theirs: Theirs<'_>) -> Vec<String> {
    let units = units_of(rendered);
    let mut by_file: BTreeMap<PathBuf, (&Content, BTreeSet<&str>)> = BTreeMap::new();
    for unit in &units {
        for (path, content) in theirs.units.drop_ins_of(unit) {
            by_file.entry(path).or_insert_with(|| (content, BTreeSet::new())).1.insert(unit);
        }
    }
    let told = |(path, (content, units)): (PathBuf, (&Content, BTreeSet<&str>))| {
        let said = content.text().map(entries).unwrap_or_default();
        let said: Vec<String> =
            said.iter().map(|one| format!("`[{}] {}={}`", one.section, one.key, one.value)).collect();
        let what = if said.is_empty() { "nothing that can be read".to_owned() } else { listed(&said) };
        format!("`{}` changes {}: {what}", shown(&path), quoted(units))
    };
    by_file.into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        binding::{
            drop_ins::UserUnits,
            search::{DropIns, SearchDirectory, SearchTree},
        },
        runes::Service,
    };

    fn difference(alone: &str, among: &str) -> String {
        Difference::of(alone, among).map(|one| one.told()).unwrap_or_default()
    }

    #[test]
    fn differences_are_told_by_what_people_wrote() {
        let alone = "[Unit]\nSourcePath=/1/a.container\n[X-Container]\nReadOnly=true\n[Service]\nExecStart=podman run --read-only x\n";
        assert_eq!(difference(alone, &alone.replace("/1/", "/2/")), "");
        assert_eq!(difference(alone, &alone.replace("run --read-only x", "x run --read-only")), "");
        let among =
            alone.replace("ReadOnly=true\n", "ReadOnly=true\nReadOnly=false\n").replace("--read-only ", "");
        assert_eq!(difference(alone, &among), "`[Container] ReadOnly=false`");
        let among = alone.replace("podman run --read-only x", "podman run --userns host x");
        assert_eq!(difference(alone, &among), "`--userns host` instead of `--read-only`");
        assert_eq!(
            difference(alone, &alone.replace("ReadOnly=true\n", "")),
            "without `[Container] ReadOnly=true`"
        );
        let many: String = (0..9).map(|n| ["Wants=", &n.to_string(), ".service\n"].concat()).collect();
        assert!(
            difference("[Unit]\n", &format!("[Unit]\n{many}"))
                .ends_with("`[Unit] Wants=5.service` and 3 more")
        );
    }

    #[test]
    fn what_is_changed_alike_is_one_note() {
        let mut rendered = Rendered::default();
        for name in ["a", "b", "c"] {
            rendered
                .quadlets
                .insert_text(format!("lychd-{name}.container").parse().unwrap(), "[Container]\n");
            rendered.services.insert(format!("lychd-{name}.service"), Service::default());
        }
        rendered.quadlets.insert_text("lychd.pod".parse().unwrap(), "[Pod]\n");
        let file = |path: &str, text: &str| Content::Text(Source::new(path, text));
        let drop_ins = ["container.d", "lychd-c.container.d"].map(|name| DropIns {
            name: name.to_owned(),
            files: vec![(format!("{}.conf", name.len()), file(name, "[Container]\n"))],
        });
        let directory =
            SearchDirectory { path: "/u".into(), quadlets: Vec::new(), drop_ins: drop_ins.into() };
        let tree = SearchTree { site: "/u/lychd".into(), directories: vec![directory], site_at: Some(1) };
        let all = ["lychd-a.service", "lychd-b.service", "lychd-c.service", "lychd-pod.service"];
        let alone: BTreeMap<String, String> = all.map(|name| (name.to_owned(), "[Unit]\n".to_owned())).into();
        let mut among = alone.clone();
        for (name, more) in [("a", "X=1"), ("b", "X=1"), ("pod", "Wants=mine.service")] {
            among.insert(format!("lychd-{name}.service"), format!("[Unit]\n{more}\n"));
        }
        among.insert("mine.service".to_owned(), "[Unit]\n".to_owned());
        let units = tempfile::tempdir().unwrap();
        let conf = units.path().join("lychd-a.service.d/10.conf");
        crate::host::file::write(&conf, b"[Service]\nMemoryMax=1G\n").unwrap();
        let units = UserUnits::read(&[units.path().to_owned()], &[]).unwrap();
        let theirs = Theirs { quadlets: &tree, units: &units };
        assert_eq!(
            notes(&rendered, &alone, &among, theirs),
            [
                "other Quadlet files of this host change `lychd-pod.service`: `[Unit] Wants=mine.service`".to_owned(),
                "`/u/container.d/11.conf` changes `lychd-a.service`, `lychd-b.service`: `[Unit] X=1`".to_owned(),
                "`/u/container.d/11.conf`, `/u/lychd-c.container.d/19.conf` change nothing of `lychd-c.service`".to_owned(),
                format!("`{}` changes `lychd-a.service`: `[Service] MemoryMax=1G`", conf.display()),
            ]
        );
    }
}
