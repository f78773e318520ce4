//! The database's past by hand: snapshots are taken while the organism runs, and given back.
#![expect(clippy::disallowed_methods, reason = "what is there is looked at")]

use std::fs;

use serde_json::Value;

use super::{Realm, database::answer, inscription::Bound, realm};

fn told(bound: &Bound) -> Value {
    assert_eq!(bound.code, 0, "{bound:?}");
    let told: Value = serde_json::from_str(&bound.stdout).unwrap();
    told["snapshots"].as_array().unwrap().last().unwrap().clone()
}

fn given(realm: &Realm, snapshot: &Value) -> Value {
    let hash = snapshot["candidate"].as_str().unwrap();
    told(&realm.forge(&format!("snapshots restore {} --confirm {hash} --json", snapshot["snapshot"])))
}

#[test]
fn a_snapshot_is_given_back_by_hand() {
    let Some(realm) = realm("a_snapshot_is_given_back_by_hand") else { return };
    realm.note("first");
    // A second database, a setting of the first, and names that are no words of SQL.
    answer(&realm, "create database \"odd = name's\"");
    answer(&realm, "alter database lychd set work_mem to '7MB'");
    let before = realm.look();
    let taken = told(&realm.forge("snapshots take --json"));
    assert_eq!(realm.look().invocation(super::VESSEL), before.invocation(super::VESSEL), "it was touched");
    let names: Vec<&str> =
        taken["databases"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!((names, taken["kind"].as_str()), (vec!["lychd", "odd = name's", "postgres"], Some("taken")));
    realm.note("second");
    answer(&realm, "drop database \"odd = name's\"");

    let unasked = realm.forge(&format!("snapshots restore {}", taken["snapshot"]));
    assert!(unasked.code == 1 && unasked.stderr.contains("needs a human's word"), "{unasked:?}");
    let kept = given(&realm, &taken);
    realm.until_well();
    assert_eq!((realm.notes("note", "first"), realm.notes("note", "second")), (Some(1), Some(0)));
    assert_eq!(answer(&realm, "select count(*) from pg_database where datname = 'odd = name''s'"), "1");
    assert_eq!(answer(&realm, "show work_mem"), "7MB");
    realm.is_settled("after a snapshot was given");
    realm.note("third");

    // What was there is a snapshot itself.
    given(&realm, &kept);
    realm.until_well();
    assert_eq!((realm.notes("note", "second"), realm.notes("note", "third")), (Some(1), Some(0)));

    // A dump that is not what was recorded is given to nobody.
    let dump =
        realm.machine.home().join(format!(".local/state/lychd-forge/snapshots/{}/0.dump", taken["snapshot"]));
    fs::write(&dump, "other").unwrap();
    let hash = taken["candidate"].as_str().unwrap();
    let refused = realm.forge(&format!("snapshots restore {} --confirm {hash}", taken["snapshot"]));
    assert!(refused.code == 1 && refused.stderr.contains("is not the dump that was recorded"), "{refused:?}");
    assert_eq!(realm.notes("note", "second"), Some(1));
    let gone = realm.forge(&format!("snapshots remove {} --json", taken["snapshot"]));
    assert_eq!(told(&gone)["snapshot"], taken["snapshot"]);
    answer(&realm, "drop database \"odd = name's\"");
    answer(&realm, "alter database lychd reset work_mem");
    realm.note("after all");
}
