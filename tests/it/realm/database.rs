//! The database: its stop, and what a client sees of it.

use std::panic::{self, AssertUnwindSafe};

use super::{DATABASE, POD, Realm, VESSEL, realm};

/// With a client connected it stops by its own fast shutdown, after the application that uses it.
#[test]
fn the_database_stops_whole_with_a_client_connected_and_after_its_application() {
    let test = "the_database_stops_whole_with_a_client_connected_and_after_its_application";
    let Some(realm) = realm(test) else { return };
    let before = realm.look();
    let client = format!("exec podman exec {}", psql("select pg_sleep(600)"));
    realm.user(&format!("systemd-run --user --quiet --collect bash -c {}", quoted(&client)));
    let count = "select count(*) from pg_stat_activity where query = 'select pg_sleep(600)'";
    realm.until("a client is connected", || (answer(&realm, count) == "1").then_some(()));
    realm.user(&format!("systemctl --user stop {POD}"));
    let units = realm.units([VESSEL, DATABASE]);
    for (name, unit) in &units {
        assert_eq!((unit.text("ActiveState"), unit.text("Result")), ("inactive", "success"), "{name}");
    }
    let ended = units[VESSEL].number("InactiveEnterTimestampMonotonic");
    let stopped = units[DATABASE].number("ActiveExitTimestampMonotonic");
    assert!(
        ended <= stopped,
        "the database began to stop {} us before the application ended",
        ended - stopped
    );
    assert_eq!(state(&realm), "shut down");
    realm.start();
    realm.until_back(&before, &[VESSEL]);
}

/// The state that the data directory tells of a server that does not run.
fn state(realm: &Realm) -> String {
    let told = realm.user(&format!(
        "podman run --rm --network=none --userns=keep-id --user=1000:1000 --entrypoint=pg_controldata \
         --volume=$HOME/.local/share/lychd/postgres/data:/mnt:ro {} /mnt",
        realm.organism.database
    ));
    let line = told.lines().find_map(|line| line.strip_prefix("Database cluster state:"));
    line.unwrap_or_else(|| panic!("{told}")).trim().to_owned()
}

/// What the running database says.
pub(super) fn answer(realm: &Realm, question: &str) -> String {
    realm.user(&format!("podman exec {}", psql(question))).trim().to_owned()
}

/// A question for the running database, as `podman exec` takes it.
fn psql(question: &str) -> String {
    let ask = "PGPASSWORD=$(cat /run/secrets/lychd_db_password) exec psql --no-psqlrc -At --host=127.0.0.1 \
               --username=lich --dbname=lychd --command=\"$1\"";
    format!("lychd-phylactery sh -c {} sh {}", quoted(ask), quoted(question))
}

/// A word of the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The organism with a database that is made anew while `with` looks on; then with its own again.
fn with_a_new_database(test: &str, with: impl FnOnce(&Realm)) {
    let Some(realm) = realm(test) else { return };
    let data = ".local/share/lychd/postgres/data";
    realm.user(&format!("systemctl --user stop {POD}; mv {data} {data}.kept; mkdir --mode=700 {data}"));
    let with = panic::catch_unwind(AssertUnwindSafe(|| with(&realm)));
    realm.user(&format!("systemctl --user stop {POD}; rm -rf {data}; mv {data}.kept {data}"));
    if let Err(told) = with {
        panic::resume_unwind(told);
    }
    realm.rouse();
}

const HAS_VECTOR: &str = "select count(*) from pg_extension where extname = 'vector'";

#[test]
#[ignore = "half a minute: make test-realm"]
fn a_first_start_that_is_killed_in_its_midst_becomes_a_whole_database() {
    let test = "a_first_start_that_is_killed_in_its_midst_becomes_a_whole_database";
    with_a_new_database(test, |realm| {
        realm.start();
        realm.until("the first start runs and is killed", || {
            let kill = "podman kill --signal KILL lychd-phylactery";
            realm.machine.user(kill).status.success().then_some(())
        });
        let killed = realm.until("it failed", || Some(realm.unit(DATABASE)).filter(super::Unit::has_failed));
        assert!(killed.number("NRestarts") > 0, "{killed:?}");
        realm.until_well();
        assert_eq!(answer(realm, HAS_VECTOR), "1");
    });
}

/// As the official image leaves it whose first SQL was cut short: there, and without pgvector.
#[test]
fn a_database_whose_first_start_was_cut_short_is_not_well() {
    let test = "a_database_whose_first_start_was_cut_short_is_not_well";
    with_a_new_database(test, |realm| {
        realm.start();
        let whole = realm.until_well();
        answer(realm, "drop extension vector cascade");
        realm.user(&format!("systemctl --user restart --no-block {POD}"));
        let log = "podman inspect --format '{{json .State.Health.Log}}' lychd-phylactery";
        let told = realm.until("somebody tells of it", || {
            let output = realm.machine.user(log);
            let told = String::from_utf8(output.stdout).unwrap();
            (output.status.success() && told.contains("has no extension vector")).then_some(told)
        });
        assert!(told.contains("its first start was cut short"), "{told}");
        let look = realm.look();
        assert!(look.unit(DATABASE).is("activating", "start"), "{look:?}");
        assert!(look.unit(VESSEL).is("inactive", "dead"), "{look:?}");
        assert_ne!(look.invocation(DATABASE), whole.invocation(DATABASE));
    });
}

/// The database cannot start, for good. Who waits for the application is told so in the end, and it comes by itself when
/// the database does. The units' own patience is an hour, and a minute's rest; here it is seconds.
#[test]
fn a_database_that_never_starts_makes_no_client_wait_for_ever() {
    let test = "a_database_that_never_starts_makes_no_client_wait_for_ever";
    let Some(realm) = realm(test) else { return };
    let before = realm.look();
    let waits = realm.unit(VESSEL);
    assert!(!["", "infinity"].contains(&waits.text("JobTimeoutUSec")), "{waits:?}");
    let data = ".local/share/lychd/postgres/data";
    let sites = "$XDG_RUNTIME_DIR/systemd/user";
    realm.user(&format!(
        "mkdir -p {sites}/lychd-vessel.service.d {sites}/lychd-vessel.timer.d
         printf '[Unit]\nJobTimeoutSec=8\n' > {sites}/lychd-vessel.service.d/seconds.conf
         printf '[Timer]\nOnActiveSec=\nOnActiveSec=2\n' > {sites}/lychd-vessel.timer.d/seconds.conf
         systemctl --user daemon-reload; systemctl --user stop {POD}; mv {data} {data}.kept"
    ));
    // 124 is what `timeout` says.
    let code =
        realm.user(&format!("code=0; timeout 120 systemctl --user start {VESSEL} || code=$?; echo $code"));
    let database = realm.unit(DATABASE);
    realm.user(&format!("mv {data}.kept {data}"));
    let back = panic::catch_unwind(AssertUnwindSafe(|| realm.until_back(&before, &[POD, DATABASE, VESSEL])));
    realm.user(&format!("rm -r {sites}/lychd-vessel.*.d; systemctl --user daemon-reload"));
    if let Err(told) = back {
        panic::resume_unwind(told);
    }
    assert_eq!(code.trim(), "1", "{database:?}");
    assert!(database.has_failed(), "{database:?}");
}
