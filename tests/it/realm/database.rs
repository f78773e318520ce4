//! The database: its stop, and what a client sees of it.

use super::{DATABASE, POD, VESSEL, realm};

/// With a client connected it stops by its own fast shutdown, after the application that uses it.
#[test]
fn the_database_stops_whole_with_a_client_connected_and_after_its_application() {
    let test = "the_database_stops_whole_with_a_client_connected_and_after_its_application";
    let Some(realm) = realm(test) else { return };
    let before = realm.look();
    realm.user(&format!("podman exec --detach {}", psql("select pg_sleep(600)")));
    let count = psql("select count(*) from pg_stat_activity where query = 'select pg_sleep(600)'");
    realm.until("a client is connected", || {
        (realm.user(&format!("podman exec {count}")).trim() == "1").then_some(())
    });
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
    realm.rouse();
    realm.until_back(&before, &[VESSEL]);
}

/// The state that the data directory tells of a server that does not run.
fn state(realm: &super::Realm) -> String {
    let told = realm.user(&format!(
        "podman run --rm --network=none --userns=keep-id --user=1000:1000 --entrypoint=pg_controldata \
         --volume=$HOME/.local/share/lychd/postgres/data:/mnt:ro {} /mnt",
        realm.organism.database
    ));
    let line = told.lines().find_map(|line| line.strip_prefix("Database cluster state:"));
    line.unwrap_or_else(|| panic!("{told}")).trim().to_owned()
}

/// A question for the running database, as `podman exec` takes it.
pub(super) fn psql(question: &str) -> String {
    format!(
        "lychd-phylactery sh -c 'PGPASSWORD=$(cat /run/secrets/lychd_db_password) exec psql --no-psqlrc -At \
         --host=127.0.0.1 --username=lich --dbname=lychd --command=\"$1\"' sh \"{question}\""
    )
}
