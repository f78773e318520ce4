//! LychD's own inscription: refused, taken over, given back.
#![expect(clippy::disallowed_methods, reason = "files are laid out as LychD lays them out")]

use std::{collections::BTreeSet, fs};

use lychd_forge::tree::FileTree;
use serde_json::json;

use super::{POD, Realm, VESSEL, cuts, inscription::names, realm};

/// Lays the units that run as LychD's own `bind` lays them, which knows no directory of its own and no links.
pub(super) fn laid_by_lychd(realm: &Realm) -> FileTree {
    let home = realm.machine.home();
    let (podmans, units) = (home.join(".config/containers/systemd"), home.join(".config/systemd/user"));
    realm.user(&format!("systemctl --user stop {POD}"));
    let (mut quadlets, mut plain) = (BTreeSet::new(), BTreeSet::new());
    for name in realm.inscribed().candidate.units.into_keys() {
        let is_plain = realm.inscribed().candidate.plain_units().any(|unit| unit == name);
        if is_plain {
            fs::remove_file(units.join(&name)).unwrap();
        }
        // What they read is theirs.
        let text = fs::read_to_string(realm.site().join(&name)).unwrap();
        let text = text.replace(".local/state/lychd-forge/support/", "lychds/");
        fs::write(if is_plain { &units } else { &podmans }.join(&name), text).unwrap();
        if is_plain {
            plain.insert(name)
        } else {
            quadlets.insert(name)
        };
    }
    fs::remove_dir_all(realm.site()).unwrap();
    let receipt = json!({ "quadlet": quadlets, "systemd": plain, "version": 1 });
    fs::write(podmans.join(".lychd-owned.json"), receipt.to_string()).unwrap();
    realm.machine.give(&[".config"]);
    realm.user("cp -r .local/state/lychd-forge/support lychds");
    realm.user("systemctl --user daemon-reload");
    realm.start();
    realm.until_well();
    theirs(realm)
}

/// What lies where LychD lays it.
pub(super) fn theirs(realm: &Realm) -> FileTree {
    let mut all = FileTree::new();
    for place in [".config/containers/systemd", ".config/systemd/user"] {
        let directory = realm.machine.home().join(place);
        for name in names(&directory).into_iter().filter(|name| name != "lychd") {
            let entry = lychd_forge::host::file::read_entry(&directory.join(&name)).unwrap();
            all.insert(format!("{place}/{name}").parse().unwrap(), entry);
        }
    }
    all
}

/// As if LychD had never laid anything.
pub(super) fn forget(realm: &Realm) {
    for kept in [".config/containers/.lychd/adopted", "lychds"] {
        fs::remove_dir_all(realm.machine.home().join(kept)).unwrap();
    }
}

#[test]
#[ignore = "half a minute: make test-realm"]
fn lychds_own_inscription_is_taken_over_and_given_back() {
    let Some(realm) = realm("lychds_own_inscription_is_taken_over_and_given_back") else { return };
    let number = realm.inscribed().number;
    let laid = laid_by_lychd(&realm);
    let refused = realm.bind("--dry-run");
    assert_eq!(refused.code, 1, "{refused:?}");
    for want in ["holds units that `lychd bind` wrote, by its receipt", "`lychd-forge bind --adopt`"] {
        assert!(refused.stderr.contains(want), "{refused:?}");
    }
    let hash = realm.candidate_of("--adopt");

    // Half of their files are gone when it is cut short.
    let cut = realm.bind_by(&cuts::kill(&("renameat2".to_owned(), 9)), &format!("--adopt --confirm {hash}"));
    assert_ne!(cut.code, 0, "{cut:?}");
    assert!(theirs(&realm).len() < laid.len(), "nothing was moved yet");
    let recovered = realm.bind("--recover --json");
    assert!(recovered.code == 0 && recovered.stdout.contains("\"undone\""), "{recovered:?}");
    assert_eq!(theirs(&realm), laid);
    realm.until_well();

    let adopted = realm.bind(&format!("--adopt --confirm {hash}"));
    assert_eq!(adopted.code, 0, "{adopted:?}");
    assert_eq!(realm.inscribed().number, number + 1);
    realm.until_well();
    let source = realm.site().join("lychd-vessel.container");
    let source = source.strip_prefix(realm.machine.path("/")).unwrap();
    assert_eq!(realm.unit(VESSEL).text("SourcePath"), format!("/{}", source.display()));

    fs::write(realm.site().join("mine.container"), "[Container]\nImage=a\n").unwrap();
    let foreign = realm.bind("--release");
    fs::remove_file(realm.site().join("mine.container")).unwrap();
    assert!(
        foreign.code == 1 && foreign.stderr.contains("mine.container` is in the place of"),
        "{foreign:?}"
    );
    let released = realm.bind("--release");
    assert_eq!(released.code, 0, "{released:?}");
    assert_eq!(theirs(&realm), laid);
    assert!(!realm.site().exists());
    assert_eq!(
        realm.unit(VESSEL).text("SourcePath"),
        "/home/lych/.config/containers/systemd/lychd-vessel.container"
    );
    let again = realm.bind("--release");
    assert!(again.code == 1 && again.stderr.contains("nothing of LychD's was taken over"), "{again:?}");
    realm.start();
    realm.until_well();

    let adopted = realm.bind(&format!("--adopt --confirm {hash}"));
    assert_eq!(adopted.code, 0, "{adopted:?}");
    realm.until_well();
    forget(&realm);
}
