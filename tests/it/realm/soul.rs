//! The database's past by hand: snapshots are taken while the organism runs, and given back.
#![expect(clippy::disallowed_methods, reason = "what is there is looked at")]

use std::{fs, time::Instant};

use serde_json::Value;

use super::{DATABASE, Realm, bodies::Nature, cuts::say, database::answer, inscription::Bound, realm};

fn told_of(bound: &Bound) -> Value {
    assert_eq!(bound.code, 0, "{bound:?}");
    let told: Value = serde_json::from_str(&bound.stdout).unwrap();
    told["snapshots"].as_array().unwrap().last().unwrap().clone()
}

/// Removes one, by the hash that is told to whoever has none.
fn removed(realm: &Realm, number: u64) -> Value {
    let unasked = realm.forge(&format!("snapshots remove {number}"));
    assert!(unasked.code == 1 && unasked.stderr.contains("gone for good"), "{unasked:?}");
    let hash = unasked.stderr.split("--confirm ").nth(1).unwrap().trim();
    told_of(&realm.forge(&format!("snapshots remove {number} --confirm {hash} --json")))
}

fn given(realm: &Realm, snapshot: &Value) -> Value {
    let hash = snapshot["candidate"].as_str().unwrap();
    told_of(&realm.forge(&format!("snapshots restore {} --confirm {hash} --json", snapshot["snapshot"])))
}

#[test]
#[ignore = "half a minute: make test-realm"]
fn a_snapshot_is_given_back_by_hand() {
    let Some(realm) = realm("a_snapshot_is_given_back_by_hand") else { return };
    realm.note("first");
    // A second database, a setting of the first, and names that are no words of SQL.
    answer(&realm, "create database \"odd = name's\" template template0 lc_collate 'C' connection limit 3");
    answer(&realm, "comment on database \"odd = name's\" is 'it''s odd'");
    answer(&realm, "revoke connect on database \"odd = name's\" from public");
    answer(&realm, "alter database lychd set work_mem to '7MB'");
    answer(&realm, "alter role current_user in database lychd set statement_timeout to '70s'");
    answer(&realm, "alter database lychd set search_path to \"$user\", public, \"a b\"");
    let before = realm.look();
    let taken = told_of(&realm.forge("snapshots take --json"));
    assert_eq!(realm.look().invocation(super::VESSEL), before.invocation(super::VESSEL), "it was touched");
    let names: Vec<&str> =
        taken["databases"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let want = vec!["lychd", "odd = name's", "phoenix", "postgres"];
    assert_eq!((names, taken["kind"].as_str()), (want, Some("taken")));
    realm.note("second");
    answer(&realm, "drop database \"odd = name's\"");
    answer(&realm, "alter database lychd reset work_mem");
    answer(&realm, "create database later");
    // Removed, but for its directory: nobody can connect to it, and it is left alone.
    answer(&realm, "create database half");
    answer(&realm, "update pg_database set datconnlimit = -2 where datname = 'half'");

    let unasked = realm.forge(&format!("snapshots restore {}", taken["snapshot"]));
    assert!(unasked.code == 1 && unasked.stderr.contains("needs a human's word"), "{unasked:?}");
    let kept = given(&realm, &taken);
    realm.until_well();
    assert_eq!((realm.notes("note", "first"), realm.notes("note", "second")), (Some(1), Some(0)));
    let odd = "select datcollate, datconnlimit, shobj_description(oid, 'pg_database'), \
               has_database_privilege('pg_monitor', oid, 'connect') from pg_database where datname = 'odd = name''s'";
    assert_eq!(answer(&realm, odd), "C|3|it's odd|f");
    let is_later = "select count(*) from pg_database where datname = 'later'";
    assert_eq!(answer(&realm, is_later), "0", "what was made since is kept, and not there");
    assert_eq!(answer(&realm, "show statement_timeout"), "70s");
    assert_eq!(answer(&realm, "show work_mem"), "7MB");
    assert_eq!(answer(&realm, "show search_path"), "\"$user\", public, \"a b\"");
    realm.is_settled("after a snapshot was given");
    realm.note("third");

    // What was there is a snapshot itself.
    given(&realm, &kept);
    realm.until_well();
    assert_eq!((realm.notes("note", "second"), realm.notes("note", "third")), (Some(1), Some(0)));
    assert_eq!((answer(&realm, is_later).as_str(), answer(&realm, "show work_mem").as_str()), ("1", "4MB"));

    // A dump that is not what was recorded is given to nobody.
    let dump =
        realm.machine.home().join(format!(".local/state/lychd-forge/snapshots/{}/0.dump", taken["snapshot"]));
    fs::write(&dump, "other").unwrap();
    let hash = taken["candidate"].as_str().unwrap();
    let refused = realm.forge(&format!("snapshots restore {} --confirm {hash}", taken["snapshot"]));
    assert!(refused.code == 1 && refused.stderr.contains("is not the dump that was recorded"), "{refused:?}");
    assert_eq!(realm.notes("note", "second"), Some(1));
    // Who wanted it back did not want it gone.
    let other = realm.forge(&format!("snapshots remove {} --confirm {hash}", taken["snapshot"]));
    assert!(other.code == 1 && other.stderr.contains("the word for this is "), "{other:?}");
    assert_eq!(removed(&realm, taken["snapshot"].as_u64().unwrap())["snapshot"], taken["snapshot"]);
    // The last one goes, and its number is not given again.
    let number = told_of(&realm.forge("snapshots take --json"))["snapshot"].as_u64().unwrap();
    removed(&realm, number);
    let next = told_of(&realm.forge("snapshots take --json"));
    assert_eq!(next["snapshot"], number + 1);
    answer(&realm, "drop database later");
    answer(&realm, "drop database half");
    answer(&realm, "alter database lychd reset all");
    answer(&realm, "alter role current_user in database lychd reset all");
    realm.note("after all");
}

/// The commands as they are printed, run by who is to type them; then a rebirth, a return and a rollback on btrfs.
#[test]
#[ignore = "minutes: make test-faults"]
fn faults_of_an_ascension() {
    let Some(realm) = realm("faults_of_an_ascension") else { return };
    let crypt = "/home/lych/.local/share/lychd";
    realm.note("before the ascension");
    let told: Value = serde_json::from_str(&realm.forge("snapshots ascension --json").stdout).unwrap();
    assert_eq!(told["immortal"], false);
    for command in told["commands"].as_array().unwrap() {
        realm.user(command.as_str().unwrap());
    }
    realm.until_well();
    realm.user(told["afterwards"].as_str().unwrap());
    let told: Value = serde_json::from_str(&realm.forge("snapshots ascension --json").stdout).unwrap();
    assert_eq!(told["immortal"], true);
    realm.machine.wish("reboot");
    realm.until_well();
    assert_eq!(realm.notes("note", "before the ascension"), Some(1));

    // A hundred megabytes of it.
    answer(
        &realm,
        "create table heavy as select n, repeat(md5(n::text), 32) from generate_series(1, 100000) n",
    );
    let began = Instant::now();
    let taken = told_of(&realm.forge("snapshots take --json"));
    let took = began.elapsed();
    // The mount is the realm's own.
    realm.user(&format!("test -e {crypt}/snapshots/{}/PG_VERSION", taken["snapshot"]));
    realm.note("after the snapshot");
    let before = realm.unit(DATABASE).text("InvocationID").to_owned();
    let began = Instant::now();
    let kept = given(&realm, &taken);
    let gave = began.elapsed();
    realm.until_well();
    say(&format!("on btrfs, of {} bytes: a snapshot {took:?}, given back {gave:?}", taken["size"]));
    assert_ne!(realm.unit(DATABASE).text("InvocationID"), before, "the server was not stopped");
    assert_eq!(
        (realm.notes("note", "before the ascension"), realm.notes("note", "after the snapshot")),
        (Some(1), Some(0))
    );
    realm.is_settled("after a subvolume was given");
    assert_eq!(answer(&realm, "show default_transaction_read_only"), "off");
    realm.user(&format!("test ! -e {crypt}/postgres/lychd-aside -a ! -e {crypt}/postgres/data/lychd-given"));
    given(&realm, &kept);
    realm.until_well();
    assert_eq!(realm.notes("note", "after the snapshot"), Some(1));

    realm.returns(Nature::Ends, "`lychd-vessel` ended");
    realm.lives(&realm.body(Nature::Good));
    assert_eq!(realm.notes("remark", "before the ascension"), Some(1));
    realm.lives("--rollback");
    assert_eq!(realm.notes("note", "before the ascension"), Some(1));
    realm.is_settled("after a rollback on btrfs");
    answer(&realm, "drop table heavy");

    // Down again, for the other tests.
    realm.user(&format!(
        "systemctl --user stop lychd-pod.service; cp --archive {crypt} {crypt}.after; sudo umount {crypt}; \
         sudo sed -i /btrfs/d /etc/fstab; rm -rf {crypt}.btrfs {crypt}.after/snapshots; rmdir {crypt}; mv {crypt}.after {crypt}"
    ));
    realm.rouse();
    assert_eq!(realm.notes("note", "before the ascension"), Some(1));
}
