//! Faults that nobody mends: the organism comes back by itself.

use super::{DATABASE, MIGRATE, POD, Realm, VESSEL, realm};

/// All units, which are lost with the pod.
const ALL: [&str; 3] = [POD, DATABASE, VESSEL];

/// What a fault from outside costs, and whether it is made good.
fn comes_back_after(test: &str, fault: &str, lost: &[&str]) {
    let Some(realm) = realm(test) else { return };
    let before = realm.look();
    realm.user(fault);
    realm.until_back(&before, lost);
}

#[test]
fn a_killed_infra_container_is_made_good() {
    let kill = "podman kill --signal KILL lychd-infra";
    comes_back_after("a_killed_infra_container_is_made_good", kill, &ALL);
}

#[test]
fn a_killed_application_is_made_good() {
    let kill = "podman kill --signal KILL lychd-vessel";
    comes_back_after("a_killed_application_is_made_good", kill, &[VESSEL]);
}

#[test]
fn a_killed_database_is_made_good() {
    let kill = "podman kill --signal KILL lychd-phylactery";
    comes_back_after("a_killed_database_is_made_good", kill, &[DATABASE]);
}

#[test]
fn a_stopped_pod_is_made_good() {
    comes_back_after("a_stopped_pod_is_made_good", "podman pod stop lychd", &ALL);
}

#[test]
fn a_removed_pod_is_made_good() {
    comes_back_after("a_removed_pod_is_made_good", "podman pod rm --force lychd", &ALL);
}

/// It stops all containers, and systemd calls that a success.
#[test]
fn a_migration_of_podman_is_made_good() {
    comes_back_after("a_migration_of_podman_is_made_good", "podman system migrate", &ALL);
}

/// Stops the organism, makes a fault, starts all that is wanted at boot; mends the fault when `seen`, and waits.
fn starts_after(test: &str, fault: &str, seen: impl Fn(&Realm) -> bool, mended: &str) {
    let Some(realm) = realm(test) else { return };
    let before = realm.look();
    realm.user(&format!("systemctl --user stop {POD}"));
    realm.user(fault);
    realm.start();
    let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        realm.until("the fault shows", || seen(&realm).then_some(()));
    }));
    realm.user(mended);
    if let Err(told) = seen {
        std::panic::resume_unwind(told);
    }
    realm.until_back(&before, &ALL);
}

/// Failed so often in a row that the start limit of systemd, five in ten seconds, would have been met.
fn failed_often(realm: &Realm, unit: &str) -> bool {
    realm.unit(unit).number("NRestarts") >= 6 || realm.unit(unit).text("ActiveState") == "failed"
}

#[test]
fn a_port_that_is_busy_for_seconds_is_waited_for() {
    let busy = "systemd-run --user --quiet --unit=squatter systemd-socket-activate --listen=127.0.0.1:7134 sleep 1000
        until (exec 3<>/dev/tcp/127.0.0.1/7134) 2> /dev/null; do sleep 0.1; done";
    starts_after(
        "a_port_that_is_busy_for_seconds_is_waited_for",
        busy,
        |realm| failed_often(realm, POD),
        "systemctl --user stop squatter",
    );
}

#[test]
fn a_data_directory_that_is_missing_for_seconds_is_waited_for() {
    starts_after(
        "a_data_directory_that_is_missing_for_seconds_is_waited_for",
        "mv .local/share/lychd/postgres/data .local/share/lychd/postgres/away",
        |realm| realm.unit(DATABASE).has_failed(),
        "mv .local/share/lychd/postgres/away .local/share/lychd/postgres/data",
    );
}

#[test]
fn a_mount_of_the_application_that_is_late_is_waited_for() {
    starts_after(
        "a_mount_of_the_application_that_is_late_is_waited_for",
        "mv .local/share/lychd/lab .local/share/lychd/away",
        |realm| realm.unit(VESSEL).has_failed(),
        "mv .local/share/lychd/away .local/share/lychd/lab",
    );
}

/// Mounts of the migration are the application's too.
#[test]
fn a_mount_of_the_migration_that_is_late_is_waited_for() {
    starts_after(
        "a_mount_of_the_migration_that_is_late_is_waited_for",
        "mv .local/share/lychd/core .local/share/lychd/away",
        |realm| realm.unit(MIGRATE).has_failed(),
        "mv .local/share/lychd/away .local/share/lychd/core",
    );
}

#[test]
fn a_migration_that_fails_is_tried_again() {
    starts_after(
        "a_migration_that_fails_is_tried_again",
        "touch .config/lychd/no-migration",
        |realm| realm.unit(MIGRATE).has_failed(),
        "rm .config/lychd/no-migration",
    );
}

#[test]
fn a_secret_that_is_missing_for_seconds_is_waited_for() {
    starts_after(
        "a_secret_that_is_missing_for_seconds_is_waited_for",
        "podman secret rm lychd_db_password",
        |realm| realm.unit(DATABASE).has_failed(),
        "printf told-to-nobody | podman secret create lychd_db_password -",
    );
}
