//! Images that podman has lost, of an organism that nothing else befell.
#![expect(clippy::disallowed_methods, reason = "a store is laid out")]

use std::{collections::BTreeSet, process::Command};

use lychd_forge::body::Bodies;
use serde_json::Value;

use super::{POD, Realm, organism::STORE, realm};
use crate::sovereign_path::{forged_home, forged_store};

/// Gives the machine the layers of these images, where its body's record says that they are.
pub(super) fn layers(realm: &Realm, roles: &[&str]) {
    let listing = Bodies::of_state(&forged_home().path("state")).list().unwrap();
    let record = listing.find("newest").unwrap();
    let from = forged_store().join("nix/store");
    let mut paths = BTreeSet::new();
    for role in roles {
        let conf = record.kept.conf(&role.parse().unwrap()).unwrap().unwrap();
        let named = conf.split('"').filter_map(|word| word.strip_prefix("/nix/store/")?.split('/').next());
        paths.extend(named.map(|name| from.join(name)));
    }
    let to = realm.machine.path(STORE).join("nix/store");
    let made = Command::new("mkdir").arg("-p").arg(&to).status().unwrap();
    let copied = Command::new("cp").args(["-a", "-t"]).arg(&to).args(paths).status().unwrap();
    assert!(made.success() && copied.success());
}

/// Takes them away.
pub(super) fn no_layers(realm: &Realm) {
    let removed = Command::new("rm").arg("-rf").arg(realm.machine.path(STORE)).status();
    assert!(removed.unwrap().success());
}

/// The containers that keep images.
fn keepers(realm: &Realm) -> BTreeSet<String> {
    let all = realm.user("podman ps --all --format '{{.Names}}'");
    all.lines().filter(|name| name.starts_with("lychd-generation-")).map(str::to_owned).collect()
}

#[test]
fn an_image_that_podman_lost_comes_back_with_what_keeps_it() {
    let Some(realm) = realm("an_image_that_podman_lost_comes_back_with_what_keeps_it") else { return };
    layers(&realm, &["database"]);
    let (before, kept) = (realm.inscribed(), keepers(&realm));
    let image = realm.organism.database.clone();
    realm.user(&format!("systemctl --user stop {POD}; podman rmi --force {image}"));
    assert!(keepers(&realm).len() < kept.len());
    let status = realm.forge("status");
    assert!(status.code == 1 && status.stdout.contains("image database: podman has lost"), "{status:?}");
    assert!(status.stdout.contains("mend  lychd-forge bind --body active\n"), "{status:?}");
    let back = realm.bind("--json");
    assert_eq!(back.code, 0, "{back:?}");
    let told: Value = serde_json::from_str(&back.stdout).unwrap();
    assert_eq!(told["outcome"], "unchanged");
    assert!(told["notes"].to_string().contains("podman has lost the image `database`"), "{told}");
    realm.user(&format!("podman image exists {image}"));
    assert_eq!((realm.inscribed(), keepers(&realm)), (before, kept.clone()));
    realm.start();
    realm.until_well();

    realm.user("podman container prune --force");
    assert!(keepers(&realm).is_empty());
    let back = realm.bind("");
    assert_eq!((back.code, keepers(&realm)), (0, kept), "{back:?}");
    assert!(realm.look().is_well());
    no_layers(&realm);
}
