//! Faults that nobody mends: the organism comes back by itself.

use super::{DATABASE, MIGRATE, POD, VESSEL, realm};

/// All units, which are lost with the pod.
const ALL: [&str; 3] = [POD, DATABASE, VESSEL];

#[test]
fn what_is_killed_stopped_or_removed_is_made_good() {
    let Some(realm) = realm("what_is_killed_stopped_or_removed_is_made_good") else { return };
    for (fault, lost) in [
        ("podman kill --signal KILL lychd-vessel", [VESSEL].as_slice()),
        ("podman kill --signal KILL lychd-phylactery", &[DATABASE]),
        // The same comes of a pod that is stopped or removed.
        ("podman kill --signal KILL lychd-infra", &ALL),
        // It stops all containers, and systemd calls that a success.
        ("podman system migrate", &ALL),
    ] {
        let before = realm.look();
        realm.user(fault);
        realm.until_back(&before, lost);
    }
}

/// Something that is missing or in the way as the organism starts, until it is mended.
struct Fault {
    made: &'static str,
    /// Who fails by it.
    unit: &'static str,
    mended: &'static str,
}

/// All of them, those first that keep others from showing.
const FAULTS: [Fault; 6] = [
    Fault {
        made: "systemd-run --user --quiet --unit=squatter systemd-socket-activate --listen=127.0.0.1:7134 sleep 1000
            until (exec 3<>/dev/tcp/127.0.0.1/7134) 2> /dev/null; do sleep 0.1; done",
        unit: POD,
        mended: "systemctl --user stop squatter",
    },
    Fault {
        made: "podman secret rm lychd_db_password",
        unit: DATABASE,
        mended: "printf told-to-nobody | podman secret create lychd_db_password -",
    },
    Fault {
        made: "mv .local/share/lychd/postgres/data .local/share/lychd/postgres/away",
        unit: DATABASE,
        mended: "mv .local/share/lychd/postgres/away .local/share/lychd/postgres/data",
    },
    // Mounts of the migration are the application's too.
    Fault {
        made: "mv .local/share/lychd/core .local/share/lychd/away",
        unit: MIGRATE,
        mended: "mv .local/share/lychd/away .local/share/lychd/core",
    },
    Fault {
        made: "touch .config/lychd/no-migration",
        unit: MIGRATE,
        mended: "rm .config/lychd/no-migration",
    },
    Fault {
        made: "mv .local/share/lychd/lab .local/share/lychd/gone",
        unit: VESSEL,
        mended: "mv .local/share/lychd/gone .local/share/lychd/lab",
    },
];

#[test]
fn what_is_missing_or_in_the_way_for_seconds_is_waited_for() {
    let Some(realm) = realm("what_is_missing_or_in_the_way_for_seconds_is_waited_for") else { return };
    let before = realm.look();
    realm.user(&format!("systemctl --user stop {POD}"));
    for fault in &FAULTS {
        realm.user(fault.made);
    }
    realm.start();
    let mut left = FAULTS.iter();
    let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        for Fault { made, unit, mended } in left.by_ref() {
            let restarts = || realm.unit(unit).number("NRestarts");
            let before = restarts();
            let fails = || (restarts() > before).then_some(());
            let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                realm.until(&format!("`{unit}` fails after {made}"), fails);
            }));
            realm.user(mended);
            if let Err(told) = failed {
                std::panic::resume_unwind(told);
            }
        }
    }));
    if let Err(told) = seen {
        for fault in left {
            realm.user(fault.mended);
        }
        std::panic::resume_unwind(told);
    }
    realm.until_back(&before, &ALL);
}
