//! Inscriptions that are cut short, at every boundary: whatever was cut, one recovery makes one whole set of it, and no
//! service of either is stranded. What is looked at is systemd, podman, the application and the files themselves.
#![expect(clippy::disallowed_methods, reason = "what is there is looked at")]

use std::collections::BTreeSet;

use lychd_forge::binding::generation::Generation;

use super::{
    Realm, VESSEL,
    cuts::{Boundary, Loaded, Outcome, begins, kill, say, tried},
    inscription::{Bound, GALE, names},
    realm,
};

/// One of the two sets, and how to get to it.
struct Set {
    /// Whether it has the stone that comes and goes.
    gale: bool,
    candidate: String,
    loaded: Loaded,
}

/// A way between two sets, either of which may be what a cut leaves.
struct Way<'a> {
    realm: &'a Realm,
    from: Set,
    to: Set,
    /// All units of both.
    units: BTreeSet<String>,
}

impl Realm {
    /// A set that is inscribed as usual, and looked at.
    fn set(&self, gale: bool, units: &BTreeSet<String>) -> Set {
        if gale
            != self
                .machine
                .home()
                .join(format!(".config/lychd/runes/animator/soulstones/generic/{GALE}.toml"))
                .exists()
        {
            self.with_gale(gale);
        }
        let candidate = self.candidate();
        let bound = self.bind(&format!("--confirm {candidate}"));
        assert_eq!(bound.code, 0, "{bound:?}");
        Set { gale, candidate, loaded: self.loaded(units) }
    }
}

impl<'a> Way<'a> {
    /// From a set with the stone or without it to the other.
    fn new(realm: &'a Realm, gale: bool) -> Self {
        let mut units: BTreeSet<String> =
            realm.inscribed().candidate.unit_names().map(str::to_owned).collect();
        units.extend([format!("lychd-{GALE}.service"), format!("lychd-animator-{GALE}.target")]);
        let to = realm.set(!gale, &units);
        let from = realm.set(gale, &units);
        Self { realm, from, to, units }
    }

    /// Every boundary of the way from the first word of the journal to the end.
    fn boundaries(&self) -> Vec<Boundary> {
        self.begin();
        let all = self.realm.boundaries(&format!("--confirm {}", self.to.candidate), begins);
        self.come_back();
        assert!(all.len() > 80, "{} boundaries", all.len());
        all
    }

    /// The Codex of the set that is to come; with the stone running where it is to go.
    fn begin(&self) {
        let Self { realm, from, to, .. } = self;
        realm.with_gale(to.gale);
        if from.gale {
            realm.user(&format!("systemctl --user start lychd-{GALE}.service"));
        }
    }

    /// The first set again, whatever is there.
    fn come_back(&self) {
        let Self { realm, from, .. } = self;
        realm.with_gale(from.gale);
        let bound = realm.bind(&format!("--confirm {}", from.candidate));
        assert_eq!(bound.code, 0, "{bound:?}");
    }

    /// Cuts an inscription short by these words before it, recovers, and sees what is there.
    fn cut(&self, before: &str, outcome: &mut Outcome) {
        let Self { realm, from, to, .. } = self;
        self.begin();
        let number = realm.inscribed().number;
        let run = realm.unit(VESSEL).text("InvocationID").to_owned();
        let cut = realm.bind_by(before, &format!("--confirm {}", to.candidate));
        let was_settled = self.recover(before, &cut, outcome);
        assert_eq!(realm.unit(VESSEL).text("InvocationID"), run, "{before}: {cut:?} was felt");
        if before.contains(":error=") && !was_settled {
            assert!(cut.code == 2 && cut.stderr.contains("bind --recover"), "{before}: {cut:?}");
        }
        let now = realm.inscribed();
        if cut.code == 0 {
            assert_eq!(now.candidate.id().to_string(), to.candidate, "what was told as done: {cut:?}");
        }
        if now.number == number && from.gale {
            let back = || realm.unit(&format!("lychd-{GALE}.service")).is("active", "running").then_some(());
            realm.until(&format!("what was stopped runs again after {before}"), back);
        }
        self.come_back();
    }

    /// Says whether there was nothing to recover.
    fn recover(&self, before: &str, cut: &Bound, outcome: &mut Outcome) -> bool {
        let way = self.realm.recovered(before, cut, outcome);
        self.is_whole(&format!("{before}: {cut:?}, then {way}"));
        way == "nothing"
    }

    /// One whole set is inscribed, loaded and kept, and nothing of the other is left.
    fn is_whole(&self, told: &str) {
        let Self { realm, from, to, units } = self;
        let now = realm.inscribed();
        let candidate = now.candidate.id().to_string();
        let set = if candidate == from.candidate { from } else { to };
        assert_eq!(candidate, set.candidate, "{told}");
        assert_eq!(realm.loaded(units), set.loaded, "{told}");
        let home = realm.machine.home();
        assert_eq!(names(&home.join(".config/containers/.lychd")), ["lock".to_owned()].into(), "{told}");
        let plain: BTreeSet<String> = now.candidate.plain_units().map(str::to_owned).collect();
        assert_eq!(names(&home.join(".config/systemd/user")), plain, "{told}");

        let generations = home.join(".local/state/lychd-forge/generations");
        let numbers: BTreeSet<u64> = names(&generations).iter().map(|name| name.parse().unwrap()).collect();
        let lived = |number: &u64| !generations.join(number.to_string()).join("fallen").exists();
        let those = |numbers: &mut dyn Iterator<Item = u64>| numbers.filter(lived).collect::<BTreeSet<u64>>();
        assert_eq!(those(&mut numbers.iter().copied()), those(&mut (1..=now.number)), "{told}");
        let kept = generations.join(now.number.to_string()).join("generation.json");
        assert_eq!(Generation::read(&kept).unwrap().unwrap(), now, "{told}");
        let support: BTreeSet<String> = now.candidate.support.keys().cloned().collect();
        assert_eq!(names(&home.join(".local/state/lychd-forge/support")), support, "{told}");
        realm.keeps(told);
        let containers = realm.user("podman ps --all --format '{{.Names}}'");
        assert!(set.gale || !containers.lines().any(|name| name == "lychd-gale"), "{told}: {containers}");
        // A check of health may be on its way.
        realm.until_well();
    }

    /// Kills at these boundaries.
    fn killed(&self, boundaries: &[Boundary]) -> Outcome {
        let mut outcome = Outcome::default();
        for boundary in boundaries {
            self.cut(&kill(boundary), &mut outcome);
        }
        outcome
    }

    /// Has the system say no to these calls, once to each.
    fn refused(&self, boundaries: &[Boundary]) -> Outcome {
        let mut outcome = Outcome::default();
        let calls = boundaries.iter().filter(|(call, _)| call != "clone3");
        for (at, (call, count)) in calls.enumerate() {
            let error = match call.as_str() {
                "sendmsg" => "EPIPE",
                _ => ["ENOSPC", "EACCES", "EIO", "EROFS"][at % 4],
            };
            let fail = format!(
                "strace --output=/dev/null --trace={call} --inject={call}:error={error}:when={count}"
            );
            self.cut(&fail, &mut outcome);
        }
        outcome
    }

    /// Kills after this many milliseconds.
    fn killed_after(&self, milliseconds: usize, outcome: &mut Outcome) {
        self.cut(
            &format!("timeout --signal=KILL {}.{:03}", milliseconds / 1000, milliseconds % 1000),
            outcome,
        );
    }
}

/// Where the new site takes the place of the old one.
fn exchange(boundaries: &[Boundary]) -> usize {
    boundaries.iter().rposition(|(call, _)| call == "renameat2").unwrap()
}

/// A few of the boundaries as a stone comes, killed and refused: at the beginning, about the exchange, at the end.
#[test]
fn what_is_cut_short_becomes_whole() {
    let Some(realm) = realm("what_is_cut_short_becomes_whole") else { return };
    let way = Way::new(&realm, false);
    let all = way.boundaries();
    let exchange = exchange(&all);
    let some = [0, exchange, exchange + 1, all.len() - 1].map(|at| all[at].clone());
    let killed = way.killed(&some);
    assert!(killed.undone >= 1 && killed.finished >= 1, "{killed:?}");
    let refused = way.refused(&[exchange, exchange + 1].map(|at| all[at].clone()));
    assert_eq!(refused.undone, 0, "what could not be begun was undone at once: {refused:?}");
    realm.set(false, &BTreeSet::new());
}

/// Both ways between the two sets.
fn both(test: &str, faults: impl Fn(&Way<'_>) -> Outcome) {
    let Some(realm) = realm(test) else { return };
    for gale in [false, true] {
        let way = Way::new(&realm, gale);
        let outcome = faults(&way);
        say(&format!("{test}, as a stone {}: {outcome:?}", if gale { "goes" } else { "comes" }));
    }
    realm.set(false, &BTreeSet::new());
}

#[test]
#[ignore = "a quarter of an hour: make test-faults"]
fn faults_of_kills_at_every_boundary() {
    both("faults_of_kills_at_every_boundary", |way| way.killed(&tried(way.boundaries())));
}

#[test]
#[ignore = "a quarter of an hour: make test-faults"]
fn faults_of_refusals_at_every_boundary() {
    both("faults_of_refusals_at_every_boundary", |way| way.refused(&tried(way.boundaries())));
}

#[test]
#[ignore = "minutes: make test-faults"]
fn faults_of_kills_at_any_moment() {
    both("faults_of_kills_at_any_moment", |way| {
        let mut outcome = Outcome::default();
        // A fraction that meets no beat.
        for moment in (0..80).map(|at| 150 + (at * 618_034 % 1_000_000) * 1100 / 1_000_000) {
            way.killed_after(moment, &mut outcome);
        }
        outcome
    });
}

/// What is cut short between exchange and reload, or before both, with its recovery cut short as well.
#[test]
#[ignore = "a quarter of an hour: make test-faults"]
fn faults_of_kills_of_a_recovery() {
    both("faults_of_kills_of_a_recovery", |way| {
        let mut outcome = Outcome::default();
        let all = way.boundaries();
        for at in [0, 1] {
            let first = kill(&all[exchange(&all) + at]);
            let begin = || {
                way.begin();
                way.realm.bind_by(&first, &format!("--confirm {}", way.to.candidate))
            };
            begin();
            // It reads the journal before it does anything.
            let recovery = way.realm.boundaries("--recover", |line| line.contains("/.lychd/journal.json"));
            way.come_back();
            for boundary in tried(recovery) {
                begin();
                let cut = way.realm.bind_by(&kill(&boundary), "--recover");
                way.recover(&format!("{first}, then {}", kill(&boundary)), &cut, &mut outcome);
                way.come_back();
            }
        }
        outcome
    });
}

/// systemd reads the new site at a boot, by itself. What is left is found by the next who looks.
#[test]
fn a_cut_between_exchange_and_reload_is_finished_after_a_boot() {
    let Some(realm) = realm("a_cut_between_exchange_and_reload_is_finished_after_a_boot") else { return };
    let way = Way::new(&realm, false);
    let all = way.boundaries();
    way.begin();
    let cut = realm.bind_by(&kill(&all[exchange(&all) + 1]), &format!("--confirm {}", way.to.candidate));
    assert_ne!(cut.code, 0, "{cut:?}");
    assert_eq!(realm.inscribed().candidate.id().to_string(), way.to.candidate);
    assert_ne!(realm.loaded(&way.units), way.to.loaded, "systemd knows it already");
    realm.machine.wish("reboot");
    realm.until_well();
    let mut outcome = Outcome::default();
    way.recover("a reboot", &cut, &mut outcome);
    assert_eq!(outcome.finished, 1, "{outcome:?}");
    way.come_back();
}
