//! Covens: of two that exclude each other exactly one runs, however they are asked for.

use std::{collections::BTreeSet, sync::MutexGuard};

use super::{Realm, organism::STONES, realm};

/// The two Covens, which share no stone.
const COVENS: [&str; 2] = ["fire", "ice"];

fn target(coven: &str) -> String {
    format!("lychd-coven-{coven}.target")
}

fn stones(coven: &str) -> BTreeSet<String> {
    STONES.iter().filter(|(_, of, _)| *of == coven).map(|(name, ..)| (*name).to_owned()).collect()
}

/// The stones whose containers run. Two of different Covens never do.
fn running(realm: &Realm) -> BTreeSet<String> {
    let told = realm.user("podman ps --filter status=running --format '{{.Names}}'");
    let names = told.lines().filter_map(|name| name.strip_prefix("lychd-")).map(str::to_owned);
    let running: BTreeSet<String> =
        names.filter(|name| STONES.iter().any(|(stone, ..)| stone == name)).collect();
    let all = COVENS.map(|coven| running.is_disjoint(&stones(coven)));
    assert!(all.contains(&true), "{running:?} at a time");
    running
}

/// Waits until one of these Covens runs, whole, with nothing on its way; which.
fn settled(realm: &Realm, covens: &[&str]) -> String {
    realm.until(&format!("one of {covens:?} runs"), || {
        let running = running(realm);
        let coven = covens.iter().find(|coven| running == stones(coven))?;
        let services = stones(coven).into_iter().map(|stone| format!("lychd-{stone}.service"));
        let services: Vec<String> = services.collect();
        let units = realm.units(services.iter().map(String::as_str));
        let idle = realm.user("systemctl --user list-jobs --no-legend").is_empty();
        (idle && units.values().all(|unit| unit.is("active", "running"))).then(|| (*coven).to_owned())
    })
}

/// The realm with no stone awake.
fn asleep(test: &str) -> Option<MutexGuard<'static, Realm>> {
    let realm = realm(test)?;
    realm.user("systemctl --user stop 'lychd-animator-*.target' 'lychd-coven-*.target'");
    realm.until("all stones sleep", || running(&realm).is_empty().then_some(()));
    Some(realm)
}

/// One client asks for one after the other, and waits for each.
fn switched(realm: &Realm, times: usize) {
    for coven in COVENS.iter().cycle().take(times) {
        realm.user(&format!("systemctl --user start --no-block {}", target(coven)));
        settled(realm, &[coven]);
    }
}

/// Two clients ask for both at once; one is refused or told otherwise, and which one is nobody's affair.
fn contended(realm: &Realm, times: usize) {
    let [fire, ice] = COVENS.map(target);
    for _ in 0..times {
        realm.user(&format!(
            "systemctl --user start {fire} & one=$!; systemctl --user start {ice} & two=$!
             said=0; wait $one || said=$((said + 1)); wait $two || said=$((said + 1)); [ $said -lt 2 ]"
        ));
        settled(realm, &COVENS);
    }
}

#[test]
fn switches_end_with_the_coven_that_was_asked_for() {
    let Some(realm) = asleep("switches_end_with_the_coven_that_was_asked_for") else { return };
    switched(&realm, 6);
}

#[test]
fn two_clients_at_once_end_with_one_coven() {
    let Some(realm) = asleep("two_clients_at_once_end_with_one_coven") else { return };
    contended(&realm, 6);
}

#[test]
#[ignore = "minutes of switches: make test-realm"]
fn a_hundred_switches_of_one_client_and_a_hundred_of_two() {
    let Some(realm) = asleep("a_hundred_switches_of_one_client_and_a_hundred_of_two") else { return };
    switched(&realm, 100);
    contended(&realm, 100);
}

/// Far more often than any limit of starts admits.
#[test]
fn twenty_switches_in_a_second_end_with_the_last() {
    let Some(realm) = asleep("twenty_switches_in_a_second_end_with_the_last") else { return };
    let [fire, ice] = COVENS.map(target);
    let flips = format!(
        "for turn in $(seq 10); do
           systemctl --user start --no-block {fire}; sleep 0.04; systemctl --user start --no-block {ice}; sleep 0.04
         done"
    );
    realm.user(&flips);
    assert_eq!(settled(&realm, &COVENS), "ice");
    // And nothing is left that keeps the other from its turn.
    switched(&realm, 2);
}

/// Its gate comes with it, and the other Coven goes.
#[test]
fn a_stone_that_is_started_by_itself_stops_the_other_coven() {
    let Some(realm) = asleep("a_stone_that_is_started_by_itself_stops_the_other_coven") else { return };
    switched(&realm, 1);
    let (frost, of, _) = STONES[2];
    assert_eq!(of, "ice");
    realm.user(&format!("systemctl --user start --no-block lychd-{frost}.service"));
    realm.until("it runs alone", || (running(&realm) == BTreeSet::from([frost.to_owned()])).then_some(()));
}

#[test]
fn a_killed_stone_is_made_good() {
    let Some(realm) = asleep("a_killed_stone_is_made_good") else { return };
    switched(&realm, 1);
    let (name, ..) = STONES[0];
    let service = format!("lychd-{name}.service");
    let before = realm.unit(&service);
    realm.user(&format!("podman kill --signal KILL lychd-{name}"));
    realm.until("a new run of it", || {
        let unit = realm.unit(&service);
        let new = unit.text("InvocationID") != before.text("InvocationID");
        (new && unit.is("active", "running") && running(&realm) == stones("fire")).then_some(())
    });
}
