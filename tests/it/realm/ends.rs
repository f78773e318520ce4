//! Cuts at both ends of an organism: its first inscription, and those that take LychD's own over and give it back.

use std::collections::BTreeSet;

use super::{
    Realm,
    cuts::{Boundary, Loaded, Outcome, begins, kill, say, tried},
    inscription::names,
    lychds::{forget, laid_by_lychd, theirs},
    realm,
};

/// As on a machine where nothing was ever inscribed, but for what the organism itself has written.
const WIPE: &str = "
    systemctl --user stop 'lychd*'
    rm -rf .config/containers/systemd/lychd .local/state/lychd-forge/generations .local/state/lychd-forge/support
    find .config/systemd/user -name 'lychd-*' -delete
    podman ps --all --format '{{.Names}}' | { grep ^lychd-generation- || :; } | xargs --no-run-if-empty podman rm
    systemctl --user daemon-reload
    systemctl --user reset-failed";

/// A run of `bind` that is cut short.
struct Run<'a> {
    realm: &'a Realm,
    arguments: String,
    /// Makes what is there before it, whatever is there.
    begin: &'a dyn Fn(),
    /// What has to hold of files where the run was undone, or never began.
    before: &'a dyn Fn(&str),
    units: BTreeSet<String>,
}

impl Run<'_> {
    /// Kills it at each of its boundaries.
    fn killed(&self, test: &str, after: &dyn Fn(&str)) {
        let realm = self.realm;
        (self.begin)();
        let before = realm.loaded(&self.units);
        let all = realm.boundaries(&self.arguments, begins);
        after("the whole run");
        let done = realm.loaded(&self.units);
        assert_ne!(before, done);

        let (mut outcome, count) = (Outcome::default(), all.len());
        for boundary in tried(all) {
            let told = self.cut(&boundary, &mut outcome, [&before, &done]);
            if realm.loaded(&self.units) == before { (self.before)(&told) } else { after(&told) }
        }
        say(&format!("{test}, of {count} boundaries: {outcome:?}"));
    }

    /// Kills it, recovers, and sees that systemd has the one set or the other; says what was done.
    fn cut(&self, boundary: &Boundary, outcome: &mut Outcome, whole: [&Loaded; 2]) -> String {
        let realm = self.realm;
        (self.begin)();
        let cut = realm.bind_by(&kill(boundary), &self.arguments);
        let way = realm.recovered(&kill(boundary), &cut, outcome);
        let told = format!("{boundary:?}: {cut:?}, then {way}");
        let now = realm.loaded(&self.units);
        assert!(whole.contains(&&now), "{told}: {now:?}");
        let [before, done] = whole;
        match way.as_str() {
            "undone" | "kept" => assert_eq!(&now, before, "{told}"),
            "finished" | "released" => assert_eq!(&now, done, "{told}"),
            _ => {}
        }
        let left = names(&realm.machine.home().join(".config/containers/.lychd"));
        assert!(left.iter().all(|name| name == "lock" || name == "adopted"), "{told}: {left:?}");
        realm.keeps(&told);
        told
    }
}

impl Realm {
    /// The names of all units that are inscribed.
    fn unit_names(&self) -> BTreeSet<String> {
        self.inscribed().candidate.unit_names().map(str::to_owned).collect()
    }

    /// The set in the site is whole, with its links.
    fn is_ours(&self, told: &str) {
        let inscribed = self.inscribed();
        let plain: BTreeSet<String> = inscribed.candidate.plain_units().map(str::to_owned).collect();
        assert_eq!(names(&self.machine.home().join(".config/systemd/user")), plain, "{told}");
    }

    /// There is no site, no link into it and no file that its containers read.
    fn is_bare(&self, told: &str) {
        let home = self.machine.home();
        let left = [".config/systemd/user", ".local/state/lychd-forge/support"]
            .map(|directory| names(&home.join(directory)));
        assert!(!self.site().exists() && left.iter().all(BTreeSet::is_empty), "{told}: {left:?}");
    }
}

#[test]
#[ignore = "a quarter of an hour: make test-faults"]
fn faults_of_kills_of_the_first_inscription() {
    let test = "faults_of_kills_of_the_first_inscription";
    let Some(realm) = realm(test) else { return };
    let units = realm.unit_names();
    realm.user(WIPE);
    let hash = realm.candidate_of("--first");
    let run = Run {
        realm: &realm,
        arguments: format!("--first --confirm {hash}"),
        begin: &|| drop(realm.user(WIPE)),
        before: &|told| realm.is_bare(told),
        units,
    };
    run.killed(test, &|told| realm.is_ours(told));
    realm.user(WIPE);
    let first = realm.bind(&run.arguments);
    assert_eq!((first.code, realm.inscribed().number), (0, 1), "{first:?}");
    realm.until_well();
}

/// Takes LychD's own inscription over, and gives it back, killed on the one way or the other.
fn both(test: &str, is_adopted: bool) {
    let Some(realm) = realm(test) else { return };
    let units = realm.unit_names();
    let laid = laid_by_lychd(&realm);
    let hash = realm.candidate_of("--adopt");
    let adopt = format!("--adopt --confirm {hash}");
    let is_ours = || realm.site().exists();
    let go = |arguments: &str| {
        let bound = realm.bind(arguments);
        assert_eq!(bound.code, 0, "{bound:?}");
    };
    let is_theirs = |told: &str| {
        assert!(!is_ours() && theirs(&realm) == laid, "{told}");
    };
    if is_adopted {
        let begin = || {
            if is_ours() {
                go("--release");
            }
            realm.start();
            realm.until_well();
        };
        let before = |told: &str| {
            is_theirs(told);
            realm.until_well();
        };
        let run = Run { realm: &realm, arguments: adopt.clone(), begin: &begin, before: &before, units };
        run.killed(test, &|told| realm.is_ours(told));
        begin();
    } else {
        let begin = || {
            if !is_ours() {
                go(&adopt);
            }
            realm.start();
            realm.until_well();
        };
        let before = |told: &str| {
            realm.is_ours(told);
            realm.until_well();
        };
        let run =
            Run { realm: &realm, arguments: "--release".to_owned(), begin: &begin, before: &before, units };
        run.killed(test, &is_theirs);
    }
    if !is_ours() {
        go(&adopt);
    }
    realm.until_well();
    forget(&realm);
}

#[test]
#[ignore = "half an hour: make test-faults"]
fn faults_of_kills_of_taking_over() {
    both("faults_of_kills_of_taking_over", true);
}

#[test]
#[ignore = "half an hour: make test-faults"]
fn faults_of_kills_of_giving_back() {
    both("faults_of_kills_of_giving_back", false);
}
