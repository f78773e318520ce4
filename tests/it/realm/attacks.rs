//! What an attacker, another program or a hasty user does about an inscription.
#![expect(clippy::disallowed_methods, reason = "what is there is looked at, and changed by hand")]

use std::fs;

use serde_json::Value;

use super::{Realm, VESSEL, inscription::names, realm};

/// The Vessel's drop-in of the user's own.
const DROP_IN: &str = ".config/containers/systemd/lychd-vessel.container.d/mine.conf";

fn write_drop_in(realm: &Realm, text: &str) {
    realm.user(&format!("mkdir -p {}; printf '{text}' > {DROP_IN}", DROP_IN.rsplit_once('/').unwrap().0));
}

/// Nothing was inscribed, and everything runs as before.
fn is_as_before(realm: &Realm, before: &lychd_forge::binding::generation::Generation) {
    assert_eq!(realm.inscribed(), *before);
    assert!(realm.look().is_well(), "{:?}", realm.look());
    let support = realm.machine.home().join(".local/state/lychd-forge/support");
    assert_eq!(names(&support), before.candidate.support.keys().cloned().collect());
}

#[test]
fn another_image_for_the_active_body_wants_a_word() {
    let Some(realm) = realm("another_image_for_the_active_body_wants_a_word") else { return };
    let before = realm.inscribed();
    let bodies = realm.machine.home().join(".local/state/lychd-forge/bodies");
    let record = bodies.join(before.candidate.body.to_string()).join("body.json");
    let own = fs::read_to_string(&record).unwrap();
    let mut changed: Value = serde_json::from_str(&own).unwrap();
    changed["images"]["vessel"]["engine_id"] = realm.organism.database.trim_start_matches("sha256:").into();
    fs::write(&record, changed.to_string()).unwrap();
    let asked = realm.bind("");
    fs::write(&record, own).unwrap();
    let want = format!("image {} of the body: vessel", realm.organism.database);
    assert!(asked.code == 1 && asked.stderr.contains(&want), "{asked:?}");
    is_as_before(&realm, &before);
}

#[test]
fn what_a_drop_in_widens_wants_a_word() {
    let Some(realm) = realm("what_a_drop_in_widens_wants_a_word") else { return };
    let before = realm.inscribed();
    write_drop_in(&realm, "[Container]\\nAddCapability=CAP_SYS_ADMIN\\n");
    let old = realm.bind(&format!("--confirm {}", before.candidate.id()));
    let asked = realm.bind("");
    realm.user(&format!("rm -r {}", DROP_IN.rsplit_once('/').unwrap().0));
    assert!(old.code == 1 && old.stderr.contains("the word for this is "), "{old:?}");
    assert!(asked.code == 1 && asked.stderr.contains("AddCapability=CAP_SYS_ADMIN"), "{asked:?}");
    is_as_before(&realm, &before);
}

/// Between the look and the exchange.
#[test]
fn what_somebody_writes_into_the_site_meanwhile_is_kept() {
    let Some(realm) = realm("what_somebody_writes_into_the_site_meanwhile_is_kept") else { return };
    let before = realm.inscribed();
    realm.with_gale(true);
    let hash = realm.candidate();
    let told = realm.user(&format!(
        "umask 022
         strace --output=/dev/null --trace=symlink --inject=symlink:delay_exit=3000000 \\
             lychd-forge bind --confirm {hash} > told 2>&1 & forge=$!
         until [ -e .config/systemd/user/lychd-animator-gale.target -o -L .config/systemd/user/lychd-animator-gale.target ]
         do sleep 0.05; done
         echo mine > .config/containers/systemd/lychd/notes
         wait $forge && echo done || echo code $?
         cat told"
    ));
    realm.with_gale(false);
    let notes = realm.site().join("notes");
    let kept = fs::read_to_string(&notes);
    fs::remove_file(&notes).unwrap();
    assert!(told.contains("code 2") && told.contains("changed while it was read"), "{told}");
    assert_eq!(kept.unwrap(), "mine\n");
    is_as_before(&realm, &before);
    let workshop = names(&realm.machine.home().join(".config/containers/.lychd"));
    assert_eq!(workshop, ["lock".to_owned()].into());
}

#[test]
fn one_state_directory_is_of_one_site() {
    let Some(realm) = realm("one_state_directory_is_of_one_site") else { return };
    let before = realm.inscribed();
    let output = realm.machine.user(
        "umask 022; mkdir -p other; XDG_CONFIG_HOME=$HOME/other lychd-forge --codex ~/.config/lychd --quiet bind --first",
    );
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("this state directory keeps what is inscribed in"), "{told}");
    is_as_before(&realm, &before);
}

#[test]
fn a_workshop_of_somebody_else_is_not_used() {
    let Some(realm) = realm("a_workshop_of_somebody_else_is_not_used") else { return };
    let before = realm.inscribed();
    let workshop = ".config/containers/.lychd";
    realm.user(&format!("chmod 777 {workshop}"));
    let refused = realm.bind("");
    realm.user(&format!("chmod 700 {workshop}"));
    assert!(refused.code == 1 && refused.stderr.contains("is not this user's alone"), "{refused:?}");
    is_as_before(&realm, &before);
}

/// Neither is thrown away: what is left is one set, and the way on is told.
#[test]
fn a_cut_whose_old_set_is_gone_keeps_the_new_one() {
    let Some(realm) = realm("a_cut_whose_old_set_is_gone_keeps_the_new_one") else { return };
    let before = realm.inscribed();
    realm.with_gale(true);
    let hash = realm.candidate();
    let kill = "strace --output=/dev/null --trace=unlink --inject=unlink:signal=KILL:when=1";
    let cut = realm.bind_by(kill, &format!("--confirm {hash}"));
    assert_ne!(cut.code, 0, "{cut:?}");
    assert_eq!(realm.inscribed().number, before.number + 1);
    realm.user("rm -r .config/containers/.lychd/shadow");
    write_drop_in(&realm, "[Container]\\nLabel=a=b\\n");
    let stuck = realm.bind("--recover");
    let there = realm.inscribed().number;
    realm.user(&format!("rm -r {}", DROP_IN.rsplit_once('/').unwrap().0));
    let recovered = realm.bind("--recover --json");
    realm.with_gale(false);
    let back = realm.bind("");
    assert!(stuck.code == 2 && stuck.stderr.contains("the old set is not in"), "{stuck:?}");
    assert_eq!(there, before.number + 1);
    assert!(recovered.code == 0 && recovered.stdout.contains("finished"), "{recovered:?}");
    assert_eq!(back.code, 0, "{back:?}");
    assert!(realm.look().is_well());
}

#[test]
fn a_number_is_never_given_twice() {
    let Some(realm) = realm("a_number_is_never_given_twice") else { return };
    let before = realm.inscribed();
    let generations = ".local/state/lychd-forge/generations";
    let taken = before.number + 1;
    realm.user(&format!("mkdir {generations}/{taken}"));
    realm.with_gale(true);
    let bound = realm.bind(&format!("--confirm {}", realm.candidate()));
    let now = realm.inscribed();
    realm.with_gale(false);
    let back = realm.bind("");
    assert_eq!((bound.code, back.code), (0, 0), "{bound:?}, {back:?}");
    assert_eq!((now.number, now.previous), (taken + 1, Some(before.sha256())));
    assert_eq!(realm.unit(VESSEL).text("LoadState"), "loaded");
}
