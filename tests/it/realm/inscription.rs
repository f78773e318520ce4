//! Inscription on a real systemd: what is asked for is loaded, or all is as before.
#![expect(clippy::disallowed_methods, reason = "files are laid out as a user's are")]

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use lychd_forge::{binding::generation::Generation, digest::Sha256};
use serde_json::Value;

use super::{
    Realm,
    organism::{rune, soulstone},
    realm,
};

/// A stone that comes and goes.
pub(super) const GALE: &str = "gale";
const GALE_SERVICE: &str = "lychd-gale.service";

/// What a run of `bind` came to.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Bound {
    fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap()
    }
}

impl Realm {
    /// `lychd-forge bind` as the user runs it, behind these words of a shell.
    pub(super) fn bind_by(&self, before: &str, arguments: &str) -> Bound {
        let output = self.machine.user(&format!("umask 022; {before} lychd-forge --quiet bind {arguments}"));
        Bound {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(super) fn bind(&self, arguments: &str) -> Bound {
        self.bind_by("", arguments)
    }

    /// The hash of what the Codex of now would be inscribed as.
    pub(super) fn candidate(&self) -> String {
        self.candidate_of("")
    }

    /// The same of what would be inscribed with these arguments.
    pub(super) fn candidate_of(&self, arguments: &str) -> String {
        let plan = self.bind(&format!("--dry-run --json {arguments}")).json();
        plan["candidate"].as_str().unwrap().strip_prefix("sha256:").unwrap().to_owned()
    }

    /// Where the user's units lie.
    pub(super) fn site(&self) -> PathBuf {
        self.machine.home().join(".config/containers/systemd/lychd")
    }

    /// The receipt in the site, whose files are what it says.
    pub(super) fn inscribed(&self) -> Generation {
        let site = self.site();
        let receipt = Generation::read(&site.join("receipt.json")).unwrap().unwrap();
        let mut there: BTreeSet<String> = names(&site);
        assert!(there.remove("receipt.json"));
        assert_eq!(there, receipt.candidate.units.keys().cloned().collect());
        for (name, sha256) in &receipt.candidate.units {
            assert_eq!(Sha256::of(fs::read(site.join(name)).unwrap()), *sha256, "{name}");
        }
        receipt
    }

    /// Gives the stone that comes and goes, or takes it away.
    pub(super) fn with_gale(&self, there: bool) {
        let home = self.machine.home();
        if there {
            soulstone(&home, GALE, "wind", 8105);
            self.machine.give(&[".config/lychd"]);
        } else {
            fs::remove_file(rune(&home, GALE)).unwrap();
        }
    }
}

/// What lies in a directory, which may be missing.
pub(super) fn names(directory: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(directory) else { return BTreeSet::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn what_widens_wants_a_word_and_the_rest_is_left_running() {
    let test = "what_widens_wants_a_word_and_the_rest_is_left_running";
    let Some(realm) = realm(test) else { return };
    let before = realm.look();
    let first = realm.inscribed();
    realm.with_gale(true);

    let asked = realm.bind("");
    assert_eq!(asked.code, 1, "{asked:?}");
    assert!(asked.stderr.contains("this allows more than before"), "{asked:?}");
    assert!(asked.stderr.contains("of lychd-gale"), "{asked:?}");
    let other = realm.bind(&format!("--confirm {}", "0".repeat(64)));
    assert!(other.code == 1 && other.stderr.contains("the word for this is "), "{other:?}");
    assert_eq!(realm.inscribed(), first);

    let candidate = realm.candidate();
    assert!(asked.stderr.contains(&candidate[..12]), "{asked:?}");
    let told = realm.bind(&format!("--json --confirm {}", &candidate[..12])).json();
    assert_eq!((told["outcome"].as_str(), told["reloaded"].as_bool()), (Some("inscribed"), Some(true)));
    let second = realm.inscribed();
    assert_eq!((second.number, second.previous), (first.number + 1, Some(first.sha256())));
    assert_eq!(
        (told["generation"].as_u64(), second.candidate.id().to_string()),
        (Some(second.number), candidate)
    );
    assert_eq!(realm.unit(GALE_SERVICE).text("LoadState"), "loaded");
    let kept = realm.machine.home().join(format!(".local/state/lychd-forge/generations/{}", second.number));
    assert!(kept.join("codex/runes/animator/soulstones/generic/gale.toml").exists());
    assert_eq!(fs::read_to_string(kept.join("generation.json")).unwrap(), second.to_text());
    let same = realm.bind("--json").json();
    assert_eq!((same["outcome"].as_str(), same["generation"].as_u64()), (Some("unchanged"), None));
    assert_eq!(realm.inscribed(), second);

    // What goes is stopped under the name that it still has; nothing becomes wider, so nobody is asked.
    realm.user(&format!("systemctl --user start {GALE_SERVICE}"));
    realm.until("the stone runs", || realm.unit(GALE_SERVICE).is("active", "running").then_some(()));
    realm.with_gale(false);
    let told = realm.bind("--json").json();
    assert_eq!(told["outcome"], "inscribed");
    let third = realm.inscribed();
    assert_eq!(third.candidate, first.candidate);
    let gone = realm.unit(GALE_SERVICE);
    assert_eq!((gone.text("LoadState"), gone.text("ActiveState")), ("not-found", "inactive"));
    assert!(!realm.user("podman ps --all --format '{{.Names}}'").contains("lychd-gale"));
    assert!(
        !names(&realm.machine.home().join(".config/systemd/user")).iter().any(|name| name.contains(GALE))
    );
    let after = realm.look();
    for unit in &realm.organism.at_boot {
        assert_eq!(after.invocation(unit), before.invocation(unit), "{unit} was touched");
    }
}

/// systemd's own look at the site is made to lose a unit, as it is where a unit that is right cannot be generated.
#[test]
fn what_systemd_does_not_load_is_undone() {
    let Some(realm) = realm("what_systemd_does_not_load_is_undone") else { return };
    let generator = realm.machine.path("/etc/systemd/user-generators/podman-user-generator");
    let script = "#!/bin/sh\n/usr/lib/systemd/user-generators/podman-user-generator \"$@\"\n\
                  [ ! -e /home/lych/spoil ] || rm -f \"$1/lychd-gale.service\"\n";
    fs::create_dir_all(generator.parent().unwrap()).unwrap();
    fs::write(&generator, script).unwrap();
    fs::set_permissions(&generator, fs::Permissions::from_mode(0o755)).unwrap();
    let before = (realm.inscribed(), realm.look());
    realm.user("touch spoil");
    realm.with_gale(true);
    let refused = realm.bind(&format!("--confirm {}", realm.candidate()));
    realm.with_gale(false);
    realm.user("rm spoil");
    fs::remove_file(&generator).unwrap();
    assert_eq!(refused.code, 1, "{refused:?}");
    let number = before.0.number + 1;
    let told = format!("systemd did not load generation {number}, and it was undone");
    assert!(refused.stderr.contains(&told), "{refused:?}");
    assert!(refused.stderr.contains("`lychd-gale.service`: systemd calls it not-found"), "{refused:?}");
    assert_eq!(realm.inscribed(), before.0);
    assert!(realm.look().is_well());
    let home = realm.machine.home();
    assert_eq!(names(&home.join(".config/containers/.lychd")), ["lock".to_owned()].into());
    let generations = home.join(".local/state/lychd-forge/generations");
    assert!(!names(&generations).contains(&number.to_string()));
    let containers = realm.user("podman ps --all --format '{{.Names}}'");
    assert!(!containers.contains(&format!("lychd-generation-{number}-")), "{containers}");
}

#[test]
fn all_that_a_candidate_lacks_is_told_at_once() {
    let Some(realm) = realm("all_that_a_candidate_lacks_is_told_at_once") else { return };
    let before = realm.inscribed();
    realm.with_gale(true);
    let path = rune(&realm.machine.home(), GALE);
    let text = fs::read_to_string(&path).unwrap();
    let missing = "0".repeat(64);
    let (_, image) = text.split_once("sha256:").unwrap();
    let text = text
        .replace(&image[..64], &missing)
        .replace("exec =", "volumes = [\"~/weights:/weights:ro\"]\nexec =");
    fs::write(&path, text).unwrap();
    realm.user("podman secret rm lychd_app_secret_key");
    let refused = realm.bind(&format!("--confirm {}", realm.candidate()));
    realm.user("printf told-to-nobody | podman secret create lychd_app_secret_key -");
    realm.with_gale(false);
    assert_eq!(refused.code, 1, "{refused:?}");
    for want in [
        "podman has no secret `lychd_app_secret_key`, which lychd-migrate, lychd-vessel asks for",
        &format!("podman has no image sha256:{missing}, which lychd-gale runs"),
        "`/home/lych/weights` is not there, and lychd-gale mounts it",
    ] {
        assert!(refused.stderr.contains(want), "{want}\n{refused:?}");
    }
    assert_eq!(realm.inscribed(), before);
}

#[test]
fn what_cannot_be_begun_changes_nothing_and_is_told() {
    let Some(realm) = realm("what_cannot_be_begun_changes_nothing_and_is_told") else { return };
    let before = realm.inscribed();
    realm.with_gale(true);
    let confirm = format!("--confirm {}", realm.candidate());
    // No session: as under cron.
    let unreached = realm.bind_by("XDG_RUNTIME_DIR=/tmp/nothing", &confirm);
    let closed = ".config/containers/.lychd";
    realm.user(&format!("chmod 500 {closed}"));
    let unwritten = realm.bind(&confirm);
    realm.user(&format!("chmod 700 {closed}"));
    // Another inscription, which ends in time.
    realm.user(&format!("systemd-run --user --quiet flock {closed}/lock sleep 2"));
    let waited = realm.machine.user(&format!("umask 022; lychd-forge bind {confirm}"));
    let told = String::from_utf8_lossy(&waited.stderr).into_owned();
    realm.with_gale(false);
    let back = realm.bind("");
    assert_eq!(unreached.code, 2, "{unreached:?}");
    assert!(unreached.stderr.contains("the systemd of this user does not run"), "{unreached:?}");
    assert_eq!(unwritten.code, 2, "{unwritten:?}");
    assert!(unwritten.stderr.contains("journal.json`: Permission denied"), "{unwritten:?}");
    assert!(waited.status.success() && told.contains("waiting for another inscription"), "{told}");
    assert_eq!(back.code, 0, "{back:?}");
    assert_eq!(realm.inscribed().number, before.number + 2);
    assert!(realm.look().is_well());
}
