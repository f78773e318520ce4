//! How a run of `bind` is cut short: where it may be, what its recovery makes of it, and what has to hold then.
#![expect(clippy::disallowed_methods, reason = "what is there is looked at")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::Write as _,
};

use serde_json::Value;

use super::{
    Realm,
    inscription::{Bound, names},
};

/// What a process does that others can see: between any two of these it may end.
pub(super) const CALLS: &str =
    "mkdir,rename,renameat,renameat2,symlink,unlink,unlinkat,rmdir,fsync,syncfs,sendmsg,clone3";
/// Set to `6`, only every sixth boundary is tried.
const EVERY: &str = "FAULTS_EVERY";

/// What systemd made of a service's Quadlet file, word by word, and where from.
const LOOK: &str = r#"
for unit in "$@"; do
    LoadState= ActiveState= SourcePath= FragmentPath= text=none from=nothing
    eval "$(systemctl --user show "$unit" --property=LoadState,ActiveState,SourcePath,FragmentPath)"
    if [ -n "$FragmentPath" ]; then
        text=$(grep -v '^#\|^SourcePath' "$FragmentPath" | tr ' ' '\n' | sort | sha256sum | cut -c1-16)
        from=$(readlink -f "${SourcePath:-$FragmentPath}")
    fi
    echo "$unit $LoadState $ActiveState $from $text"
done"#;

/// A call, and how often the process has called it by then.
pub(super) type Boundary = (String, usize);

/// A set as systemd has it, whole: for each unit where it comes from and what its text is.
pub(super) type Loaded = BTreeMap<String, (String, String, String)>;

/// What came of cuts.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) untouched: usize,
    pub(super) undone: usize,
    pub(super) finished: usize,
}

/// Kills a process as it is about to make a call.
pub(super) fn kill((call, count): &Boundary) -> String {
    format!("strace --output=/dev/null --trace={call} --inject={call}:signal=KILL:when={count}")
}

/// Past the harness, which keeps what a passing test prints to itself.
pub(super) fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Those boundaries that are tried.
pub(super) fn tried(all: Vec<Boundary>) -> Vec<Boundary> {
    let every = env::var(EVERY).map_or(1, |every| every.parse().unwrap());
    all.into_iter().step_by(every).collect()
}

/// Whether a line of a trace is the first word of an inscription. The lock lies there from the beginning on.
pub(super) fn begins(line: &str) -> bool {
    line.contains("/.lychd/") && !line.contains("/.lychd/lock") && !line.contains("O_RDONLY")
}

impl Realm {
    /// Every boundary of a run of `bind` from the line of its trace on where it begins, to its end.
    pub(super) fn boundaries(&self, arguments: &str, begins: fn(&str) -> bool) -> Vec<Boundary> {
        let bound = self.bind_by(&format!("strace --output=trace --trace={CALLS},openat"), arguments);
        assert_eq!(bound.code, 0, "{bound:?}");
        let trace = fs::read_to_string(self.machine.home().join("trace")).unwrap();
        // What starts services afterwards is no part of it.
        let lines: Vec<&str> = trace.lines().collect();
        let last = lines.iter().rposition(|line| line.contains("/.lychd/")).unwrap();
        let after = lines[last..].iter().position(|line| line.starts_with("sendmsg("));
        let end = after.map_or(lines.len(), |after| last + after + 1);

        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut begun, mut all) = (false, Vec::new());
        for line in &lines[..end] {
            let Some((call, _)) = line.split_once('(') else { continue };
            begun |= begins(line);
            if !CALLS.split(',').any(|one| one == call) {
                continue;
            }
            let count = counts.entry(call).or_default();
            *count += 1;
            if begun {
                all.push((call.to_owned(), *count));
            }
        }
        all
    }

    /// What systemd has of these units.
    pub(super) fn loaded(&self, units: &BTreeSet<String>) -> Loaded {
        let words: Vec<&str> = units.iter().map(String::as_str).collect();
        let told = self.user(&format!("set -- {}\n{LOOK}", words.join(" ")));
        let line = |line: &str| {
            let mut words = line.split(' ').map(str::to_owned);
            let mut word = || words.next().unwrap();
            let (unit, load, _active) = (word(), word(), word());
            (unit, (load, word(), word()))
        };
        told.lines().map(line).collect()
    }

    /// Makes one whole set of what a cut left, and counts how; says so.
    pub(super) fn recovered(&self, before: &str, cut: &Bound, outcome: &mut Outcome) -> String {
        let recovered = self.bind("--recover --json");
        assert_eq!(recovered.code, 0, "{before}: {cut:?}, then {recovered:?}");
        let way: Value = serde_json::from_str(&recovered.stdout).unwrap();
        let way = way["recovered"].as_str().unwrap();
        match way {
            "nothing" => outcome.untouched += 1,
            "undone" | "kept" => outcome.undone += 1,
            _ => outcome.finished += 1,
        }
        way.to_owned()
    }

    /// Every generation with a record has its containers, and no other has any.
    pub(super) fn keeps(&self, told: &str) {
        let generations = self.machine.home().join(".local/state/lychd-forge/generations");
        let containers = self.user("podman ps --all --format '{{.Names}}'");
        let keepers: BTreeSet<&str> =
            containers.lines().filter(|name| name.starts_with("lychd-generation-")).collect();
        // A directory without a record is somebody else's: its number is passed over.
        let numbers = names(&generations);
        let recorded =
            numbers.iter().filter(|number| generations.join(number).join("generation.json").exists());
        let want: BTreeSet<String> = recorded
            .flat_map(|number| ["database", "vessel"].map(|role| format!("lychd-generation-{number}-{role}")))
            .collect();
        assert_eq!(keepers, want.iter().map(String::as_str).collect(), "{told}");
    }
}
