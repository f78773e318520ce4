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
use crate::{diagnostic::Source, digest::Sha256, runes::Rendered, tree::Entry};

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

    /// What a person reads of it: the lines of the command that the generator writes only where nothing else says why
    /// it is another.
    fn told(&self) -> String {
        let (mut come, mut gone) = (self.come.clone(), self.gone.clone());
        let (mut after, mut before) = (Vec::new(), Vec::new());
        for command in self.gone.iter().filter(|line| line.starts_with(COMMAND)) {
            let other = come.iter().enumerate().filter(|(_, line)| is_same_command(line, command));
            let nearest = other.max_by_key(|(_, line)| shared(line, command)).map(|(at, _)| at);
            if let Some(at) = nearest {
                after.push(come.remove(at));
                gone.retain(|line| line != command);
                before.push(command.clone());
            }
        }
        if come.is_empty() && gone.is_empty() {
            let (before, after) = (words(&before), words(&after));
            come = vec![without(&after, &before).join(" ")];
            gone = vec![without(&before, &after).join(" ")];
        }
        match (shown_lines(&come), shown_lines(&gone)) {
            (come, gone) if gone.is_empty() => come,
            (come, gone) if come.is_empty() => format!("without {gone}"),
            (come, gone) => format!("{come} instead of {gone}"),
        }
    }
}

/// What a line of a command begins with.
const COMMAND: &str = "[Service] Exec";

fn words(lines: &[String]) -> Vec<String> {
    lines.iter().flat_map(|line| line.split(' ').map(str::to_owned)).collect()
}

/// Whether two lines are of one key, and have podman do one thing.
fn is_same_command(one: &str, two: &str) -> bool {
    let start = |line: &str| line.split(' ').take(3).map(str::to_owned).collect::<Vec<_>>();
    start(one) == start(two)
}

/// How many words of the one are in the other.
fn shared(one: &str, two: &str) -> usize {
    let of = |line: &str| words(&[line.to_owned()]);
    of(one).len() - without(&of(one), &of(two)).len()
}

/// What gives a container or a service more than it had: such lines are told first, and all of them.
const WIDENING: [&str; 58] = [
    "AddCapability",
    "AddDevice",
    "AddHost",
    "AmbientCapabilities",
    "Annotation",
    "AutoUpdate",
    "BindPaths",
    "BindReadOnlyPaths",
    "CapabilityBoundingSet",
    "ContainersConfModule",
    "DNS",
    "DeviceAllow",
    "DropCapability",
    "Entrypoint",
    "Environment",
    "EnvironmentFile",
    "EnvironmentHost",
    "GIDMap",
    "GlobalArgs",
    "Group",
    "GroupAdd",
    "HealthCmd",
    "HttpProxy",
    "IP",
    "IP6",
    "Image",
    "LoadCredential",
    "Mask",
    "Mount",
    "Network",
    "NetworkAlias",
    "NoNewPrivileges",
    "PassEnvironment",
    "Pod",
    "PodmanArgs",
    "PublishPort",
    "Pull",
    "ReadOnly",
    "ReadOnlyTmpfs",
    "RemapUsers",
    "RootDirectory",
    "Rootfs",
    "SeccompProfile",
    "Secret",
    "SecurityLabelDisable",
    "SecurityLabelFileType",
    "SecurityLabelNested",
    "SecurityLabelType",
    "SetCredential",
    "SubGIDMap",
    "SubUIDMap",
    "SupplementaryGroups",
    "Sysctl",
    "Tmpfs",
    "UIDMap",
    "Unmask",
    "User",
    "UserNS",
];

/// Whether a line `[Section] Key=value` is one of those.
fn widens(line: &str) -> bool {
    let Some((key, _)) = line.split_once("] ").and_then(|(_, rest)| rest.split_once('=')) else {
        return true;
    };
    let is_known = WIDENING.contains(&key) || key.starts_with("Exec") || key.starts_with("Volume");
    is_known || key.starts_with("AppArmor")
}

/// Lines as a list: those that widen, then the others as long as the list is short.
fn shown_lines(lines: &[String]) -> String {
    let lines = lines.iter().filter(|line| !line.is_empty());
    let (first, rest): (Vec<&String>, Vec<&String>) = lines.partition(|line| widens(line));
    let quoted = |line: &&String| format!("`{line}`");
    let mut shown: Vec<String> = first.iter().map(quoted).collect();
    let room = MOST.saturating_sub(shown.len());
    shown.extend(rest.iter().take(room).map(quoted));
    let list = shown.join(", ");
    match rest.len().saturating_sub(room) {
        0 => list,
        more if list.is_empty() => format!("{more} lines"),
        more => format!("{list} and {more} more"),
    }
}

/// Whether two commands have the same words.
fn is_shuffled(one: &str, two: &str) -> bool {
    let words = |line: &str| {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        words.sort_unstable();
        words
    };
    [one, two].iter().all(|line| line.starts_with(COMMAND)) && words(one) == words(two)
}

/// sha256 of what a generated unit says: the same for all that a generator writes of the same files, wherever those lie
/// and in whatever order it names the options of a command.
#[must_use]
pub fn fingerprint(unit: &str) -> Sha256 {
    let plain = |line: String| {
        if !line.starts_with(COMMAND) {
            return line;
        }
        let mut words: Vec<&str> = line.split(' ').collect();
        words.sort_unstable();
        words.join(" ")
    };
    Sha256::of(lines(unit).into_iter().map(plain).collect::<Vec<_>>().join("\n"))
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
            said.iter().map(|one| format!("[{}] {}={}", one.section, one.key, one.value)).collect();
        let what = if said.is_empty() { "nothing that can be read".to_owned() } else { shown_lines(&said) };
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
        let same = alone.replace("run --read-only x", "x run --read-only").replace("/1/", "/2/");
        assert_eq!(fingerprint(alone), fingerprint(&same));
        assert_ne!(fingerprint(alone), fingerprint(&alone.replace("--read-only", "")));
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
    fn commands_of_the_users_own_and_what_widens_are_told() {
        let alone = "[X-Container]\nImage=x\n[Service]\nExecStartPre=/usr/bin/podman pod create a\nExecStart=/usr/bin/podman run a\n";
        let among = alone
            .replace("Image=x\n", "Image=x\nLabel=a\n")
            .replace("run a", "run --label a a")
            .replace("[Service]\n", "[Service]\nExecStartPre=/bin/rm -rf %h\n");
        assert_eq!(
            difference(alone, &among),
            "`[Service] ExecStartPre=/bin/rm -rf %h`, `[Container] Label=a`"
        );
        // One of podman's is told when it is not in the place of another.
        let among = format!("{alone}ExecStart=/usr/bin/podman run --privileged a\n");
        assert_eq!(difference(alone, &among), "`[Service] ExecStart=/usr/bin/podman run --privileged a`");
        let among = alone.replace("ExecStart=/usr/bin/podman run a\n", "");
        assert_eq!(difference(alone, &among), "without `[Service] ExecStart=/usr/bin/podman run a`");

        let labels: String =
            (0..7).flat_map(|n| ["Label=".to_owned(), n.to_string(), "\n".to_owned()]).collect();
        let mounts =
            labels.lines().map(|line| line.replace("Label=", "Volume=/")).collect::<Vec<_>>().join("\n");
        let told =
            difference("[X-Container]\n", &format!("[X-Container]\n{labels}PodmanArgs=--privileged\n"));
        assert!(told.starts_with("`[Container] PodmanArgs=--privileged`, `[Container] Label=0`"), "{told}");
        assert!(told.ends_with("`[Container] Label=4` and 2 more"), "{told}");
        let told = difference("[X-Container]\n", &format!("[X-Container]\n{labels}{mounts}"));
        assert!(told.ends_with("`[Container] Volume=/6` and 7 more"), "{told}");
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
