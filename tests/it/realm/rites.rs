//! Rebirths that are cut short: whatever was cut, the next who looks finishes it or takes it back, whole. What is looked at
//! is systemd, podman, the application, the database and the files themselves.
#![expect(clippy::disallowed_methods, reason = "what is there is looked at")]

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use super::{
    Realm,
    bodies::Nature,
    cuts::{Boundary, CALLS, kill, say, tried},
    database::answer,
    realm,
};

/// How many questions in a row are boundaries of their own.
const ASKED: usize = 4;

/// From the body that the realm begins with to another, or back to it.
struct Way<'a> {
    realm: &'a Realm,
    /// The other body.
    body: String,
    /// Whether it is the way back.
    is_back: bool,
    /// A note of the first body, which is there in either.
    note: String,
}

/// What came of cuts.
#[derive(Debug, Default)]
struct Counts {
    untouched: usize,
    stayed: usize,
    returned: usize,
    lives: usize,
}

/// The calls of a way by which others could see a change, and which of them wrote how far it is.
struct Trace {
    all: Vec<Boundary>,
    phases: Vec<usize>,
    exchanges: Vec<usize>,
}

impl<'a> Way<'a> {
    /// To a body of this nature.
    fn new(realm: &'a Realm, nature: Nature) -> Self {
        // Another for each way.
        let at = answer(realm, "select count(*) from note");
        let note = format!("kept over a cut way to a body that {nature:?}, after {at} others");
        realm.note(&note);
        Self { realm, body: realm.body(nature), is_back: false, note }
    }

    /// Back from a good one: the databases get their past.
    fn back(realm: &'a Realm) -> Self {
        let way = Self { is_back: true, ..Self::new(realm, Nature::Good) };
        way.come_back();
        way
    }

    fn words(&self) -> String {
        let target = if self.is_back { "--rollback" } else { &self.body };
        self.realm.confirmed(target)
    }

    fn trace(&self) -> Trace {
        let trace = format!("strace --output=trace --trace={CALLS},openat");
        let whole = self.realm.forge_by(&trace, &self.words());
        assert!(matches!(whole.code, 0 | 1), "{whole:?}");
        let text = fs::read_to_string(self.realm.machine.home().join("trace")).unwrap();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut trace = Trace { all: Vec::new(), phases: Vec::new(), exchanges: Vec::new() };
        let mut asked = 0;
        for line in text.lines() {
            let Some((call, rest)) = line.split_once('(') else { continue };
            if !CALLS.split(',').any(|one| one == call) {
                continue;
            }
            let count = counts.entry(call).or_default();
            *count += 1;
            let is_rename = call.starts_with("rename");
            if is_rename && rest.contains("/rebirth.json\"") {
                trace.phases.push(trace.all.len());
            }
            // Nothing is on its way before the first of these.
            if trace.phases.is_empty() {
                continue;
            }
            if is_rename && rest.contains("RENAME_EXCHANGE") {
                trace.exchanges.push(trace.all.len());
            }
            // Whoever watches asks the same again and again.
            asked = if call == "sendmsg" { asked + 1 } else { 0 };
            if asked <= ASKED {
                trace.all.push((call.to_owned(), *count));
            }
        }
        self.come_back();
        assert!(trace.phases.len() >= 2 && !trace.exchanges.is_empty(), "{:?}", trace.phases);
        trace
    }

    /// To where it begins, from whatever is there.
    fn come_back(&self) {
        let is_first = self.realm.inscribed().candidate.body.to_string() == self.realm.organism.body;
        match (is_first, self.is_back) {
            (false, false) => drop(self.realm.lives("--rollback")),
            (true, true) => drop(self.realm.lives(&self.body)),
            _ => {}
        }
    }

    /// Ends the way at a boundary, and sees what comes of it.
    fn cut(&self, boundary: &Boundary, counts: &mut Counts) {
        let Self { realm, is_back, note, .. } = self;
        let old = realm.inscribed();
        let cut = realm.forge_by(&kill(boundary), &self.words());
        let recovered = realm.forge("rebirth --recover --json");
        let told = format!("{boundary:?}: {cut:?}, then {recovered:?}");
        let way: Value = serde_json::from_str(&recovered.stdout).unwrap_or_else(|_| panic!("{told}"));
        match way["recovered"].as_str() {
            Some("lives") => counts.lives += 1,
            Some("stayed") => counts.stayed += 1,
            Some("nothing") => counts.untouched += 1,
            // A body that does not live is an error, as ever.
            _ if recovered.code == 1 && recovered.stderr.contains("returned to generation") => {
                counts.returned += 1;
            }
            _ => panic!("{told}\n{}", realm.report()),
        }
        realm.until_well();
        realm.is_settled(&told);
        let now = realm.inscribed();
        let (here, there) = if (now == old) == *is_back { ("remark", "note") } else { ("note", "remark") };
        assert_eq!((realm.notes(here, note), realm.notes(there, note)), (Some(1), None), "{told}");
        self.come_back();
    }

    fn cuts(&self, boundaries: impl IntoIterator<Item = Boundary>) -> Counts {
        let mut counts = Counts::default();
        for boundary in boundaries {
            self.cut(&boundary, &mut counts);
        }
        counts
    }
}

#[test]
#[ignore = "minutes: make test-realm"]
fn a_rite_that_is_cut_short_is_finished_or_taken_back() {
    let Some(realm) = realm("a_rite_that_is_cut_short_is_finished_or_taken_back") else { return };
    let good = Way::new(&realm, Nature::Good);
    let Trace { all, phases, exchanges } = good.trace();
    // Arriving with nothing done, and the new set in the site.
    let counts = good.cuts([phases[1] + 1, exchanges[0] + 1].map(|at| all[at].clone()));
    assert_eq!((counts.stayed, counts.lives), (1, 1), "{counts:?}");

    let bad = Way::new(&realm, Nature::Ends);
    let Trace { all, exchanges, .. } = bad.trace();
    // On the way back, with the old set in the site.
    let counts = bad.cuts([all[exchanges[1] + 1].clone()]);
    assert_eq!(counts.returned, 1, "{counts:?}");
}

#[test]
#[ignore = "minutes: make test-realm"]
fn a_past_that_is_cut_short_is_given_or_taken_back() {
    let Some(realm) = realm("a_past_that_is_cut_short_is_given_or_taken_back") else { return };
    let back = Way::back(&realm);
    let Trace { all, phases, .. } = back.trace();
    // While the databases get their past: on the way, and when what they were is kept.
    let (from, to) = (phases[1], phases[2]);
    let counts = back.cuts([from.midpoint(to), to - 1].map(|at| all[at].clone()));
    assert_eq!(counts.stayed, 2, "{counts:?}");
    realm.lives("--rollback");
}

#[test]
#[ignore = "an hour: make test-faults"]
fn faults_of_kills_at_every_boundary_of_a_rite() {
    let Some(realm) = realm("faults_of_kills_at_every_boundary_of_a_rite") else { return };
    let ways = [
        ("to a body that lives", Way::new(&realm, Nature::Good)),
        ("to a body that ends", Way::new(&realm, Nature::Ends)),
        ("back", Way::back(&realm)),
    ];
    for (name, way) in ways {
        way.come_back();
        let Trace { all, .. } = way.trace();
        let all = tried(all);
        let number = all.len();
        let counts = way.cuts(all);
        say(&format!("a rite {name}, {number} boundaries: {counts:?}"));
    }
}
