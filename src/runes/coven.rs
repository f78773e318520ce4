//! Covens: which runes exclude each other, and which are started together.
//!
//! Two rules decide over a pair. LychD's domain rule: what needs the same thing alone (`conflict_domains`) excludes
//! each other, and a stone that declares nothing excludes every stone that needs something. The group rule: runes
//! that both have groups and share none exclude each other. The group rule has a say where neither declares domains.
//! Neither has one over a stone that is not dedicated: LychD may not stop it, so no edge would hold.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    codex::runes::Concurrency,
    diagnostic::{Diagnostic, Place},
    name::RuneName,
};

/// A rune as these rules see it.
#[derive(Clone, Debug)]
pub struct ExclusionSubject<'a> {
    /// What other subjects and groups call it.
    pub name: &'a RuneName,
    /// Its groups.
    pub groups: &'a BTreeSet<RuneName>,
    /// What LychD is told of it; `None` for a rune of a member, which cannot declare domains.
    pub concurrency: Option<&'a Concurrency>,
    /// Whether it starts at boot.
    pub at_boot: bool,
    /// Where it is written.
    pub place: &'a Place,
}

impl ExclusionSubject<'_> {
    fn declared(&self) -> Option<&BTreeSet<RuneName>> {
        self.concurrency.and_then(|concurrency| concurrency.conflict_domains.as_ref())
    }

    /// Whether LychD starts and stops it for others.
    fn is_managed(&self) -> bool {
        self.concurrency.is_some_and(|one| one.dedicated && !one.persistent_resident)
    }

    /// Whether its life is somebody else's.
    fn is_foreign(&self) -> bool {
        self.concurrency.is_some_and(|one| !one.dedicated)
    }

    /// A managed stone that declares nothing: it may need anything alone.
    fn is_wildcard(&self) -> bool {
        self.is_managed() && self.declared().is_none()
    }

    /// Whether it needs something alone.
    fn is_exclusive(&self) -> bool {
        self.is_managed() && self.declared().is_none_or(|domains| !domains.is_empty())
    }
}

/// Who excludes whom, and who belongs together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// Whom each rune excludes; every pair stands at both ends.
    excluded: BTreeMap<RuneName, BTreeSet<RuneName>>,
    /// Groups with two members or more: LychD's condition for a target.
    pub covens: BTreeMap<RuneName, BTreeSet<RuneName>>,
}

impl Topology {
    /// Everything that `name` excludes.
    pub fn conflicts<'a>(&'a self, name: &RuneName) -> impl Iterator<Item = &'a RuneName> {
        self.excluded.get(name).into_iter().flatten()
    }

    /// Those of them with lower names: the edge stands at the higher end alone, since one side is enough and
    /// ordering on both sides would be a circle.
    pub fn predecessors<'a>(&'a self, name: &'a RuneName) -> impl Iterator<Item = &'a RuneName> {
        self.conflicts(name).take_while(move |other| *other < name)
    }
}

/// Compiles the pairs. What cannot be satisfied goes to `errors`.
pub fn topology(subjects: &[ExclusionSubject<'_>], errors: &mut Vec<Diagnostic>) -> Topology {
    let mut sorted: Vec<&ExclusionSubject<'_>> = subjects.iter().collect();
    sorted.sort_by_key(|party| party.name);
    let mut topology = Topology::default();
    for (index, one) in sorted.iter().enumerate() {
        for two in sorted.iter().skip(index + 1) {
            if let Some(why) = exclude(one, two) {
                errors.extend(unsatisfiable(one, two, &why));
                for (from, to) in [(one.name, two.name), (two.name, one.name)] {
                    topology.excluded.entry(from.clone()).or_default().insert(to.clone());
                }
            }
        }
    }
    for party in sorted {
        for group in party.groups {
            topology.covens.entry(group.clone()).or_default().insert(party.name.clone());
        }
    }
    topology.covens.retain(|_, members| members.len() > 1);
    topology
}

/// Why the two exclude each other.
fn exclude(one: &ExclusionSubject<'_>, two: &ExclusionSubject<'_>) -> Option<String> {
    if one.is_foreign() || two.is_foreign() {
        return None;
    }
    let both_stones = one.concurrency.is_some() && two.concurrency.is_some();
    let declares = one.declared().is_some() || two.declared().is_some();
    if !declares && !one.groups.is_empty() && !two.groups.is_empty() {
        return one.groups.is_disjoint(two.groups).then(|| "they share no group".to_owned());
    }
    if !both_stones {
        return None;
    }
    if let (Some(first), Some(second)) = (one.declared(), two.declared()) {
        let shared: Vec<&str> = first.intersection(second).map(RuneName::as_str).collect();
        let real = one.is_managed() && two.is_managed() && !shared.is_empty();
        return real.then(|| format!("both need {} alone", shared.join(", ")));
    }
    let wild = one.is_wildcard() && two.is_exclusive() || two.is_wildcard() && one.is_exclusive();
    wild.then(|| {
        "one declares no `conflict_domains`, which excludes every stone that needs something".to_owned()
    })
}

/// Pairs that exclude each other and are wanted at the same time.
fn unsatisfiable(one: &ExclusionSubject<'_>, two: &ExclusionSubject<'_>, why: &str) -> Vec<Diagnostic> {
    let pair = format!("`{}` and `{}`", one.name, two.name);
    let at = |message: String| {
        Diagnostic::new(message)
            .at(one.place.clone(), one.name.to_string())
            .at(two.place.clone(), two.name.to_string())
            .note(format!("they exclude each other: {why}"))
    };
    let mut wrong = Vec::new();
    let shared: Vec<String> = one.groups.intersection(two.groups).map(|group| format!("`{group}`")).collect();
    if !shared.is_empty() {
        let message = format!("{pair} exclude each other and share the Coven {}", shared.join(", "));
        wrong.push(
            at(message)
                .help("no start of the Coven could succeed: take one of them out, or change its domains"),
        );
    }
    if one.at_boot && two.at_boot {
        let message = format!("{pair} exclude each other and are both wanted at boot");
        wrong.push(at(message).help(
            "residents run side by side when one of them declares `conflict_domains = []` or both have a group they \
             share; or let one of them start on demand",
        ));
    } else if one.at_boot || two.at_boot {
        let resident = if one.at_boot { one } else { two };
        let message = format!("{pair} exclude each other, and `{}` is a persistent resident", resident.name);
        wrong.push(at(message).help(
            "a resident is never stopped for another: declare `conflict_domains = []` for the other one, or give both a group they share",
        ));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;

    /// `name groups domains flags`: domains `-` for undeclared, `[]` for none; `member`, `resident`, `foreign`.
    fn topology_of(lines: &[&str]) -> Result<String, String> {
        struct Row {
            name: RuneName,
            groups: BTreeSet<RuneName>,
            concurrency: Option<Concurrency>,
            place: Place,
        }
        let source = Source::new("x.toml", "a");
        let rows: Vec<Row> = lines
            .iter()
            .map(|line| {
                let words: Vec<&str> = line.split(' ').collect();
                let list = |text: &str| -> BTreeSet<RuneName> {
                    text.split(',')
                        .filter(|word| !matches!(*word, "-" | "[]"))
                        .map(|word| word.parse().unwrap())
                        .collect()
                };
                let flag = words.get(3).copied().unwrap_or_default();
                let concurrency = Concurrency {
                    dedicated: flag != "foreign",
                    persistent_resident: flag == "resident",
                    conflict_domains: (words[2] != "-").then(|| list(words[2])),
                    place: None,
                };
                Row {
                    name: words[0].parse().unwrap(),
                    groups: list(words[1]),
                    concurrency: (flag != "member").then_some(concurrency),
                    place: source.at(0..1),
                }
            })
            .collect();
        let subjects: Vec<ExclusionSubject<'_>> = rows
            .iter()
            .map(|row| ExclusionSubject {
                name: &row.name,
                groups: &row.groups,
                concurrency: row.concurrency.as_ref(),
                at_boot: row.concurrency.as_ref().is_some_and(|one| one.persistent_resident),
                place: &row.place,
            })
            .collect();
        let mut errors = Vec::new();
        let topology = topology(&subjects, &mut errors);
        if !errors.is_empty() {
            return Err(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        }
        let of = |row: &Row| -> Vec<(String, String)> {
            topology.predecessors(&row.name).map(|low| (low.to_string(), row.name.to_string())).collect()
        };
        let edges: BTreeSet<(String, String)> = rows.iter().flat_map(of).collect();
        Ok(edges.iter().map(|(a, b)| format!("{a}-{b}")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn each_rule_has_its_pairs() {
        for (lines, want) in [
            // LychD's domains.
            (&["a - x", "b - x", "c - y", "d - []"][..], "a-b"),
            (&["a - x,y", "b - y,z", "c - z"], "a-b b-c"),
            // A stone that declares nothing excludes all that need something, and its like.
            (&["a - -", "b - x", "c - []", "d - -"], "a-b a-d b-d"),
            // Neither residents nor foreign ones are managed.
            (&["a - -", "b - - resident", "c - - foreign"], ""),
            // Groups decide where neither declares.
            (&["a day -", "b night -", "c day,night -"], "a-b"),
            (&["a day - member", "b night - member", "c - - member"], "a-b"),
            // Not over what LychD may not stop.
            (&["a day - foreign", "b night - foreign", "c dusk -", "d dawn - member"], "c-d"),
            (&["a day - foreign", "b night -"], ""),
            (&["a day - resident", "b night [] resident"], ""),
            (&["a day - member", "b night -", "c - -"], "a-b b-c"),
            // Where one declares, domains alone decide, null included.
            (&["a day x", "b night y"], ""),
            (&["a day x", "b night -"], "a-b"),
            (&["a day []", "b night -"], ""),
            // Not so for a member's rune, which is no stone.
            (&["a day x", "b night - member"], ""),
        ] {
            assert_eq!(topology_of(lines).as_deref(), Ok(want), "{lines:?}");
            let shuffled: Vec<&str> = lines.iter().rev().copied().collect();
            assert_eq!(topology_of(&shuffled).as_deref(), Ok(want), "{shuffled:?}");
        }
    }

    #[test]
    fn what_can_never_be_is_refused() {
        for (lines, want) in [
            (&["a day x", "b day,night x"][..], "`a` and `b` exclude each other and share the Coven `day`"),
            (&["a day -", "b day x"], "share the Coven `day`"),
            (&["a day - resident", "b night - resident"], "both wanted at boot"),
            (&["a day - resident", "b night - resident"], "one of them declares `conflict_domains = []`"),
            (&["a day - resident", "b night -"], "`a` is a persistent resident"),
        ] {
            let error = topology_of(lines).unwrap_err();
            assert!(error.contains(want), "{lines:?}: {error}");
        }
    }
}
