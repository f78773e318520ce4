//! What an operator lives with: a status that is true, a command that mends, and an end that leaves nothing of ours.
#![expect(clippy::disallowed_methods, reason = "files are looked at as a user would")]

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    APPLICATION, POD, Realm,
    cuts::{kill, say, tried},
    inscription::names,
    lost, realm,
};

/// Whoever listens for the pod outside.
const NETWORK: &str = "kill -KILL $(grep -ls ^pasta /proc/[0-9]*/comm | cut -d/ -f3)";

/// A fault that somebody made, what is told of it, and how the command begins that mends it.
struct Fault {
    made: &'static str,
    about: &'static str,
    mend: &'static str,
}

const FAULTS: [Fault; 8] = [
    Fault {
        made: "systemctl --user stop lychd-vessel",
        about: "lychd-vessel.service",
        mend: "systemctl --user start lychd-vessel.service",
    },
    Fault {
        made: "systemctl --user stop lychd-pod",
        about: "lychd-pod.service",
        mend: "systemctl --user start lychd-phylactery.service lychd-pod.service lychd-vessel.service",
    },
    Fault {
        made: "echo '# mine' >> .config/containers/systemd/lychd/lychd-vessel.container",
        about: ".config/containers/systemd/lychd/lychd-vessel.container",
        mend: "lychd-forge bind",
    },
    Fault {
        made: "rm .config/systemd/user/lychd-animator-ember.target; systemctl --user daemon-reload",
        about: "lychd-animator-ember.target",
        mend: "lychd-forge bind",
    },
    Fault { made: NETWORK, about: "port 7134", mend: "systemctl --user restart lychd-pod.service" },
    Fault {
        made: "printf another | podman secret create --replace lychd_app_secret_key -",
        about: "secret lychd_app_secret_key",
        mend: "systemctl --user restart lychd-vessel.service",
    },
    // What never started is pruned at once, and then its image is next.
    Fault {
        made: "podman container prune --force",
        about: "container lychd-generation-",
        mend: "lychd-forge bind",
    },
    Fault {
        made: "systemctl --user start lychd-ember.service
            until systemctl --user --quiet is-active lychd-ember.service; do sleep 0.1; done
            podman kill lychd-ember; systemctl --user stop lychd-ember",
        about: "lychd-ember.service",
        mend: "systemctl --user reset-failed lychd-ember.service",
    },
];

impl Realm {
    /// What the forge says of the organism, held against what is seen of it.
    pub(super) fn status(&self) -> Value {
        let told = self.forge("status --json");
        assert!(matches!(told.code, 0 | 1), "{told:?}");
        let status: Value = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!(status["well"], told.code == 0, "{told:?}");
        status
    }

    /// Waits until the forge calls the organism well, which it then is.
    fn until_told_well(&self) {
        let mut last = Value::Null;
        let well = || {
            last = self.status();
            (last["well"] == true).then_some(())
        };
        self.until("status says that all is well", well);
        assert!(self.look().is_well(), "{last}");
    }

    /// What is told of this.
    fn finding(&self, about: &str) -> Value {
        self.until(&format!("status tells of {about}"), || {
            let status = self.status();
            let mut findings = status["findings"].as_array().unwrap().iter();
            findings.find(|one| one["about"].as_str().unwrap().contains(about)).cloned()
        })
    }
}

#[test]
fn status_tells_the_truth_and_what_mends_it() {
    let Some(realm) = realm("status_tells_the_truth_and_what_mends_it") else { return };
    realm.until_told_well();
    // Without a session, as under cron.
    let bare = realm.forge_by("env -u XDG_RUNTIME_DIR -u DBUS_SESSION_BUS_ADDRESS", "status");
    assert_eq!(bare.code, 0, "{bare:?}");
    for Fault { made, about, mend } in FAULTS {
        realm.user(made);
        let finding = realm.finding(about);
        assert!(finding["mend"].as_str().unwrap().starts_with(mend), "{made}: {finding}");
        realm.user(finding["mend"].as_str().unwrap());
        realm.until_told_well();
    }
    // What was edited is kept aside.
    realm.user("rm -r .config/containers/.lychd/left-*");
    let drop_in = ".config/containers/systemd/lychd-vessel.container.d";
    realm.user(&format!(
        "mkdir {drop_in}; printf '[Container]\\nEnvironment=MINE=yes\\n' > {drop_in}/mine.conf
         systemctl --user daemon-reload"
    ));
    let finding = realm.finding("lychd-vessel.service");
    assert!(finding["says"].as_str().unwrap().contains("another text"), "{finding}");
    realm.user(&format!("rm -r {drop_in}; systemctl --user daemon-reload"));
    realm.until_told_well();
}

/// Nobody can ask the systemd of a user that is gone; what is told brings it back.
#[test]
fn a_user_whose_systemd_is_gone_is_told_how_it_stays() {
    let Some(realm) = realm("a_user_whose_systemd_is_gone_is_told_how_it_stays") else { return };
    let doctor = realm.forge("doctor --json");
    let doctor: Value = serde_json::from_str(&doctor.stdout).unwrap();
    let verdict = |what: &str| {
        let checks = doctor["checks"].as_array().unwrap();
        checks.iter().find(|one| one["what"] == what).unwrap_or_else(|| panic!("{what}: {doctor}"))["verdict"]
            .clone()
    };
    for what in ["podman", "podman's storage", "subordinate IDs", "network", "init", "systemd", "linger"] {
        assert_eq!(verdict(what), "good", "{what}: {doctor}");
    }
    // There is none in this machine, and no network that could come online.
    assert_eq!((verdict("Nix"), verdict("network-online")), ("lacking".into(), "poor".into()), "{doctor}");

    realm.machine.root("loginctl disable-linger lych; until [ ! -e /run/user/1000/bus ]; do sleep 0.1; done");
    let asked =
        "runuser -u lych -- env -u XDG_RUNTIME_DIR -u DBUS_SESSION_BUS_ADDRESS HOME=/home/lych lychd-forge";
    realm.machine.root(&format!(
        "cd /home/lych; {asked} status > /home/told 2>&1 && exit 9; [ $? = 2 ]; {asked} doctor > /home/doctor && exit 9; [ $? = 1 ]"
    ));
    let read = |path: &str| std::fs::read_to_string(realm.machine.path(path)).unwrap();
    let told = read("/home/told");
    assert!(
        told.contains("the systemd of this user does not run") && told.contains("loginctl enable-linger"),
        "{told}"
    );
    let told = read("/home/doctor");
    assert!(told.contains("> sudo loginctl enable-linger lych"), "{told}");
    realm.machine.root("loginctl enable-linger lych; until [ -e /run/user/1000/bus ]; do sleep 0.1; done");
    realm.until_well();
    realm.until_told_well();
}

#[test]
fn what_is_unbound_goes_and_nothing_else() {
    let Some(realm) = realm("what_is_unbound_goes_and_nothing_else") else { return };
    realm.note("kept over an end");
    let before = realm.inscribed();
    let others = ".config/containers/systemd/mine.container .config/systemd/user/mine.target";
    realm.user(&format!(
        "for path in {others}; do echo '# mine' > $(echo $path); done; podman create --quiet --name=mine {} true",
        realm.organism.database
    ));
    let gone = realm.forge("unbind --json");
    assert_eq!(gone.code, 0, "{gone:?}");
    let told: Value = serde_json::from_str(&gone.stdout).unwrap();
    assert_eq!(told["generation"], before.number, "{told}");
    let data = realm.machine.home().join(".local/share/lychd/postgres/data");
    let data = format!("/home/lych/{}", data.strip_prefix(realm.machine.home()).unwrap().display());
    assert_eq!(told["stays"][data], "the databases", "{told}");
    assert!(!realm.site().exists());
    let units = names(&realm.machine.home().join(".config/systemd/user"));
    assert!(
        units.contains("mine.target") && !units.iter().any(|name| name.starts_with("lychd")),
        "{units:?}"
    );
    let loaded = realm.user("systemctl --user list-units --all --plain --no-legend 'lychd*'");
    assert_eq!(loaded, "");
    let containers: BTreeSet<String> =
        realm.user("podman ps --all --format '{{.Names}}'").lines().map(str::to_owned).collect();
    assert_eq!(containers, ["mine".to_owned()].into());
    let none = realm.status();
    assert_eq!((none["generation"].clone(), none["well"].clone()), (Value::Null, false.into()), "{none}");
    let again = realm.forge("unbind");
    assert!(again.code == 0 && again.stdout.contains("nothing was inscribed"), "{again:?}");

    realm.user(&format!("rm {others}; podman rm mine"));
    let hash = realm.candidate_of("--first");
    let back = realm.bind(&format!("--first --confirm {hash}"));
    assert_eq!(back.code, 0, "{back:?}");
    realm.until_told_well();
    assert_eq!(realm.notes("note", "kept over an end"), Some(1));
    assert_eq!(realm.inscribed().candidate.units, before.candidate.units);
}

/// Generations that nobody needs, with what kept their images; killed in its midst, it is called again.
#[test]
fn what_nothing_needs_is_swept() {
    let Some(realm) = realm("what_nothing_needs_is_swept") else { return };
    for there in [true, false] {
        realm.with_gale(there);
        let hash = realm.candidate();
        assert_eq!(realm.bind(&format!("--confirm {hash}")).code, 0);
    }
    let active = realm.inscribed().number;
    let shown = || -> Value {
        let shown = realm.forge("gc --keep 1 --bodies 1 --dry-run --json");
        assert_eq!(shown.code, 0, "{shown:?}");
        serde_json::from_str(&shown.stdout).unwrap()
    };
    let words = |shown: &Value| {
        let hash = shown["candidate"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
        format!("gc --keep 1 --bodies 1 --confirm {hash}")
    };
    let first = shown();
    let goes = first["generations"].as_array().unwrap();
    assert!(goes.len() >= 2 && goes.iter().all(|one| one.as_u64().unwrap() < active), "{first}");
    let unasked = realm.forge("gc --keep 1 --bodies 1");
    assert!(unasked.code == 1 && unasked.stderr.contains("needs a human's word"), "{unasked:?}");
    let cut = realm.forge_by(&kill(&("clone3".to_owned(), 9)), &words(&first));
    assert_ne!(cut.code, 0, "{cut:?}");
    let second = shown();
    assert_ne!(second, first, "{cut:?}");
    let swept = realm.forge(&words(&second));
    assert_eq!(swept.code, 0, "{swept:?}");
    assert_eq!(shown()["generations"], serde_json::json!([]));
    let kept = realm.machine.home().join(".local/state/lychd-forge/generations");
    assert_eq!(names(&kept), [active.to_string()].into());
    let containers = realm.user("podman ps --all --format '{{.Names}}'");
    let keepers: BTreeSet<&str> =
        containers.lines().filter(|name| name.starts_with("lychd-generation-")).collect();
    let own = ["database", "vessel"].map(|role| format!("lychd-generation-{active}-{role}"));
    assert_eq!(keepers, own.iter().map(String::as_str).collect());
    realm.until_told_well();
}

/// What a secret holds.
fn held(realm: &Realm, name: &str) -> String {
    realm
        .user(&format!("podman secret inspect --showsecret --format '{{{{.SecretData}}}}' {name}"))
        .trim()
        .to_owned()
}

const PASSWORD: &str = "lychd_db_password";

#[test]
fn a_password_is_changed_in_the_database_too() {
    let Some(realm) = realm("a_password_is_changed_in_the_database_too") else { return };
    realm.note("by the old password");
    let listed = realm.forge("secrets");
    assert!(listed.code == 0 && listed.stdout.contains(PASSWORD), "{listed:?}");
    let refused = realm.forge(&format!("secrets set {PASSWORD} --random"));
    assert!(
        refused.code == 1 && refused.stderr.contains(&format!("secrets rotate {PASSWORD}")),
        "{refused:?}"
    );
    let old = held(&realm, PASSWORD);
    let changed = realm.forge(&format!("secrets rotate {PASSWORD} --json"));
    assert_eq!(changed.code, 0, "{changed:?}");
    let told: Value = serde_json::from_str(&changed.stdout).unwrap();
    assert_eq!(told["older"], serde_json::json!([]), "{told}");
    let new = held(&realm, PASSWORD);
    assert!(new != old && new.len() == 43, "{new}");
    assert!(!changed.stdout.contains(&new) && !changed.stderr.contains(&new));
    realm.until_told_well();
    assert_eq!(realm.notes("note", "by the old password"), Some(1));
    // The application logs in by the new one, and nobody by the old.
    let asked = |password: &str| {
        let psql =
            format!("PGPASSWORD={password} PGUSER=lich PGHOST=127.0.0.1 psql -Atc 'select 1' template1");
        realm.machine.user(&format!("podman exec lychd-phylactery sh -c \"{psql}\"")).status.success()
    };
    assert!(asked(&new) && !asked(&old));

    // One that podman has lost is made anew, though the database still has the one before.
    realm.user(&format!("podman secret rm {PASSWORD}; systemctl --user stop {POD}"));
    let lost = realm.forge("secrets --json");
    assert!(lost.code == 1 && lost.stdout.contains(&format!("secrets rotate {PASSWORD}")), "{lost:?}");
    let finding = realm.finding(&format!("secret {PASSWORD}"));
    realm.user(finding["mend"].as_str().unwrap());
    realm.start();
    realm.until_told_well();
    assert_ne!(held(&realm, PASSWORD), new);
    // The other tests know the first one.
    realm.user(&format!(
        "printf {old} | podman secret create {PASSWORD}.next -; lychd-forge secrets rotate {PASSWORD}"
    ));
    realm.until_told_well();
    assert_eq!(held(&realm, PASSWORD), old);
}

/// Killed before any of its calls of podman, and called again.
#[test]
#[ignore = "minutes: make test-faults"]
fn faults_of_a_change_of_the_password() {
    let Some(realm) = realm("faults_of_a_change_of_the_password") else { return };
    let old = held(&realm, PASSWORD);
    let words = format!("secrets rotate {PASSWORD}");
    let whole = realm.forge_by("strace --output=trace --trace=clone3,sendmsg", &words);
    assert_eq!(whole.code, 0, "{whole:?}");
    let trace = std::fs::read_to_string(realm.machine.home().join("trace")).unwrap();
    let count = |call: &str| trace.lines().filter(|line| line.starts_with(call)).count();
    let all = ["clone3", "sendmsg"]
        .into_iter()
        .flat_map(|call| (1..=count(call)).map(move |at| (call.to_owned(), at)));
    let all = tried(all.collect());
    let mut cut = 0;
    for boundary in &all {
        realm.forge_by(&kill(boundary), &words);
        let status = realm.status();
        let told = format!("{boundary:?}: {status}");
        if let Some(finding) = status["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["about"] == format!("secret {PASSWORD}"))
        {
            cut += 1;
            assert!(finding["mend"].as_str().unwrap().ends_with(&words), "{told}");
            realm.user(finding["mend"].as_str().unwrap());
        }
        realm.until_told_well();
        assert!(!realm.user("podman secret ls --format '{{.Name}}'").contains(".next"), "{told}");
    }
    assert!(cut > 0);
    say(&format!("a change of the password, {} boundaries: {cut} were told and went on", all.len()));
    realm.user(&format!("printf {old} | podman secret create {PASSWORD}.next -; lychd-forge {words}"));
    realm.until_told_well();
}

/// All of podman's is gone, while the organism runs: what is told, one after the other, brings it back.
#[test]
#[ignore = "a minute: make test-faults"]
fn faults_of_a_reset_of_podman() {
    let Some(realm) = realm("faults_of_a_reset_of_podman") else { return };
    realm.note("kept over a reset");
    lost::layers(&realm, &["vessel", "database"]);
    realm.user("podman system reset --force");
    let mut typed = Vec::new();
    while realm.status()["well"] != true {
        let status = realm.status();
        let Some(first) = status["findings"].get(0) else { continue };
        let mend = first["mend"].as_str().unwrap().to_owned();
        assert!(typed.len() < 12, "{typed:?}, and now {status}");
        let typing =
            if mend.contains("secrets set") { format!("printf anew | {mend}") } else { mend.clone() };
        // What is asked for again is on its way.
        if typed.last() != Some(&mend) {
            realm.user(&typing);
            typed.push(mend);
        }
    }
    realm.until_well();
    assert_eq!(realm.notes("note", "kept over a reset"), Some(1));
    lost::no_layers(&realm);
    assert!(
        realm
            .user(&format!("systemctl --user is-active {POD}; curl --silent --fail {APPLICATION}/health"))
            .contains("ok")
    );
}
