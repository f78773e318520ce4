//! What befalls a rebirth: slow migrations, full disks, boots and other programs in its midst; and fifty bodies in a row that
//! do not live.
#![expect(clippy::disallowed_methods, reason = "files are laid out as a user's are")]

use std::{fs, thread, time::Instant};

use serde_json::Value;

use super::{
    APPLICATION, DATABASE, Realm, VESSEL, bodies::Nature, cuts::say, database::answer, inscription::Bound,
    realm,
};

/// How long the old state was not served, in milliseconds, as seen from outside every tenth of a second.
const DEAD: &str = "exec 2>/dev/null; down=; while [ ! -e ~/seen ]; do \
    if curl --silent --fail --max-time 1 $0/health >/dev/null; then \
    [ -z \"$down\" ] || echo $(( ($(date +%s%N) - down) / 1000000 )); down=; \
    else [ -n \"$down\" ] || down=$(date +%s%N); fi; sleep 0.1; done";

#[test]
#[ignore = "half an hour: make test-faults"]
fn faults_of_fifty_returns() {
    let Some(realm) = realm("faults_of_fifty_returns") else { return };
    let natures = [Nature::Migrates, Nature::Ends, Nature::Deaf, Nature::Stubborn];
    let mut ways = Vec::new();
    for at in 0..50 {
        let nature = natures[at % natures.len()];
        let before = (realm.inscribed(), realm.look());
        let note = format!("before return {at}");
        realm.note(&note);
        let words = realm.confirmed(&realm.body(nature)).replace("--watch 12", "--watch 6");
        let begun = Instant::now();
        let failed = realm.forge(&words);
        let told = format!("{at}, {nature:?}: {failed:?}");
        assert!(failed.code == 1 && failed.stderr.contains("returned to generation"), "{told}");
        let took = begun.elapsed();
        let after = realm.until_well();
        assert_eq!(realm.inscribed(), before.0, "{told}");
        assert_eq!((realm.notes("note", &note), realm.notes("remark", &note)), (Some(1), None), "{told}");
        assert_eq!(
            after.invocation(DATABASE),
            before.1.invocation(DATABASE),
            "the database was touched: {told}"
        );
        realm.is_settled(&told);
        ways.push((nature, took));
    }
    for nature in natures {
        let mut times: Vec<u128> =
            ways.iter().filter(|(one, _)| *one == nature).map(|(_, took)| took.as_millis()).collect();
        times.sort_unstable();
        say(&format!(
            "a body that {nature:?}: {} of {} returned; the whole rite, both windows of 6 s in it, {} to {} ms, median {}",
            times.len(),
            times.len(),
            times[0],
            times[times.len() - 1],
            times[times.len() / 2]
        ));
    }
}

/// What of a rebirth is seen by a program beside it that asks every tenth of a second.
fn beside<T>(realm: &Realm, act: impl FnOnce() -> T) -> (T, Vec<u64>) {
    realm.user("rm -f ~/seen");
    thread::scope(|scope| {
        let seen =
            scope.spawn(|| realm.user(&format!("bash -c '{}' {APPLICATION}", DEAD.replace('\'', "'\\''"))));
        let done = act();
        realm.until_well();
        thread::sleep(std::time::Duration::from_secs(1));
        realm.user("touch ~/seen");
        let gaps = seen.join().unwrap().lines().map(|line| line.parse().unwrap()).collect();
        (done, gaps)
    })
}

/// From the gate to a healthy body, beside what systemd and podman need for the same restart.
#[test]
#[ignore = "minutes: make test-faults"]
fn faults_of_waiting_for_a_rebirth() {
    let Some(realm) = realm("faults_of_waiting_for_a_rebirth") else { return };
    for _ in 0..3 {
        let ((), restart) = beside(&realm, || {
            realm.user(&format!("systemctl --user restart {VESSEL}"));
        });
        let (lives, gate) = beside(&realm, || realm.lives(&realm.body(Nature::Good)));
        let (back, rollback) = beside(&realm, || realm.lives("--rollback"));
        assert_eq!((lives["outcome"].as_str(), back["outcome"].as_str()), (Some("lives"), Some("lives")));
        say(&format!(
            "ms without an answer: a restart by systemctl {restart:?}, a rebirth with a snapshot {gate:?}, a rollback \
             with a snapshot given {rollback:?}"
        ));
    }
}

/// A rebirth with something that happens once `when` is so.
fn with(realm: &Realm, words: &str, when: impl Fn(&Realm) -> bool, befalls: impl FnOnce(&Realm)) -> Bound {
    thread::scope(|scope| {
        let rite = scope.spawn(|| realm.forge(words));
        realm.until("it is time", || when(realm).then_some(()));
        befalls(realm);
        rite.join().unwrap()
    })
}

fn journal(realm: &Realm) -> Option<Value> {
    let path = realm.machine.home().join(".config/containers/.lychd/rebirth.json");
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn is_arriving(realm: &Realm) -> bool {
    journal(realm).is_some_and(|rite| rite["phase"] == "arriving")
        && realm.unit(VESSEL).is("active", "running")
}

#[test]
#[ignore = "minutes: make test-faults"]
fn faults_of_what_befalls_a_rite() {
    let Some(realm) = realm("faults_of_what_befalls_a_rite") else { return };
    realm.note("before all that");
    let good = realm.body(Nature::Good);
    // Others who would go on too.
    let pruned = with(&realm, &realm.confirmed(&good), is_arriving, |realm| {
        realm.user("podman image prune --all --force");
        let second = realm.forge(&format!("rebirth {good} --confirm {}", "0".repeat(64)));
        assert_eq!(second.code, 0, "who waited finds that it lives: {second:?}");
    });
    assert_eq!(pruned.code, 0, "{pruned:?}");
    realm.until_well();
    // All containers are lost between two generations, and the pod.
    realm.user("podman system migrate");
    realm.until_well();
    realm.lives("--rollback");
    assert_eq!(realm.notes("note", "before all that"), Some(1));

    // A boot in the midst of the window.
    let words = realm.confirmed(&good).replace("--watch 12", "--watch 100");
    let cut = with(&realm, &words, is_arriving, |realm| realm.machine.wish("reboot"));
    // What tells of it went with the machine.
    drop(cut);
    realm.until_well();
    let settled = realm.forge("rebirth --recover --json");
    assert!(settled.code == 0 && settled.stdout.contains("\"lives\""), "{settled:?}");
    realm.until_well();
    realm.is_settled("after a boot in the window");
    realm.lives("--rollback");

    // A database that nobody can log in to keeps nothing.
    let before = realm.inscribed();
    let words = realm.confirmed(&good);
    answer(&realm, "alter role lich nologin");
    let refused = realm.forge(&words);
    realm.user("podman exec lychd-phylactery true");
    assert!(refused.code == 1 && refused.stderr.contains("psql fails"), "{refused:?}");
    assert_eq!(realm.inscribed(), before);
    realm.user(&format!(
        "systemctl --user stop {DATABASE}; podman run --rm --network=none --userns=keep-id --user=1000:1000 \
         --entrypoint=sh --volume=$HOME/.local/share/lychd/postgres/data:/mnt {} \
         -c 'echo \"alter role lich login\" | PATH=$PATH:$(ls -d /usr/lib/postgresql/*/bin) postgres --single -D /mnt postgres'",
        realm.organism.database
    ));
    realm.start();
    realm.until_well();
    assert_eq!(realm.notes("note", "before all that"), Some(1));
}

/// A disk that is full when the databases are to be kept: nothing has changed.
#[test]
#[ignore = "a minute: make test-faults"]
fn faults_of_a_full_disk() {
    let Some(realm) = realm("faults_of_a_full_disk") else { return };
    let before = realm.inscribed();
    realm.note("with a full disk");
    let words = realm.confirmed(&realm.body(Nature::Good));
    realm.user("mkdir -p .local/state/lychd-forge/snapshots");
    let place = "/home/lych/.local/state/lychd-forge/snapshots";
    realm.machine.root(&format!("mount -t tmpfs -o size=1m,mode=700,uid=1000,gid=1000 none {place}"));
    let full = realm.forge(&words);
    realm.machine.root(&format!("umount {place}"));
    assert_eq!(full.code, 2, "{full:?}");
    assert!(full.stderr.contains("a snapshot of the databases may want"), "{full:?}");
    realm.until_well();
    assert_eq!(realm.inscribed(), before);
    assert_eq!(realm.notes("note", "with a full disk"), Some(1));
    realm.is_settled("after a full disk");
}
