//! The example as the forge binds it, with a few Soulstones beside it, put where an inscription puts it.
#![expect(clippy::disallowed_methods, reason = "files are laid out as a user's are")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
};

use lychd_forge::{
    binding::generation::Generation,
    body::{Bodies, Body, Record},
    digest::Sha256,
    host::file,
};
use serde_json::{Value, json};

use super::{APPLICATION, Realm, machine::Machine};
use crate::sovereign_path::forged_home;

/// The organism as it was put there.
pub(super) struct Organism {
    /// Services that are wanted at boot.
    pub(super) at_boot: Vec<String>,
    /// All services of containers and of the pod.
    pub(super) services: Vec<String>,
    /// What podman calls the database's image.
    pub(super) database: String,
    /// The body's ID.
    pub(super) body: String,
}

/// A Soulstone and its Coven. They listen, and that is all.
pub(super) const STONES: [(&str, &str, u16); 4] =
    [("ember", "fire", 8101), ("flame", "fire", 8102), ("frost", "ice", 8103), ("rime", "ice", 8104)];

/// What a migration of the tests does: it fails as long as a file is there, then does what the body's own does.
const MIGRATION: &str = "import os, sys; \
    os.path.exists(os.path.expanduser('~/.config/lychd/no-migration')) and sys.exit('no migration today'); \
    sys.argv[1:] and os.execvp(sys.argv[1], sys.argv[1:])";

/// Where the machine would have the layers of the body, if it had them.
pub(super) const STORE: &str = "/home/lych/store";

/// Boots a machine while the example is forged, and has the forge bind the example there.
pub(super) fn inscribed() -> (Machine, Organism) {
    let machine = thread::scope(|scope| {
        let machine = scope.spawn(Machine::boot);
        forged_home();
        machine.join().unwrap()
    });
    let home = machine.home();
    codex(&home);
    let record = record(&home);
    fs::create_dir_all(home.join(".local/share/lychd")).unwrap();
    machine.give(&[".config", ".local"]);
    machine.install(Path::new(env!("CARGO_BIN_EXE_lychd-forge")));

    for (role, image) in record.body.images.iter() {
        load(&machine, role.as_str(), &image.found_by().reference());
    }
    let told = machine.user(BIND_FIRST);
    let refused = String::from_utf8_lossy(&told.stderr).into_owned();
    assert_eq!(told.status.code(), Some(1), "{refused}");
    for secret in SECRETS {
        assert!(refused.contains(&format!("podman has no secret `{secret}`")), "{refused}");
        run(&machine, &format!("printf told-to-nobody | podman secret create {secret} -"));
    }
    run(&machine, BIND_FIRST);
    let receipt = home.join(".config/containers/systemd/lychd/receipt.json");
    let generation = Generation::read(&receipt).unwrap().unwrap();
    assert_eq!((generation.number, generation.previous), (1, None));
    let services = &generation.candidate.services;
    let organism = Organism {
        at_boot: services.iter().filter(|(_, at_boot)| **at_boot).map(|(name, _)| name.clone()).collect(),
        services: services.keys().cloned().collect(),
        body: record.body.id().to_string(),
        database: record.body.images.further.values().next().unwrap().found_by().reference(),
    };
    (machine, organism)
}

/// What the operator does who has no terminal: looks, then confirms what was seen.
const BIND_FIRST: &str = "
    lychd-forge --quiet bind --dry-run --first --json > ~/plan.json
    hash=$(sed -n 's/^  \"candidate\": \"sha256:\\(.*\\)\",$/\\1/p' ~/plan.json)
    lychd-forge bind --first --confirm \"$hash\"";

/// What the example asks podman for.
const SECRETS: [&str; 2] = ["lychd_app_secret_key", "lychd_db_password"];

/// The example's Codex, with a few Soulstones.
fn codex(home: &Path) {
    let below = home.join(".config/lychd");
    file::write_tree(&below, &file::read_tree(Path::new("examples/codex")).unwrap()).unwrap();
    for (name, coven, port) in STONES {
        soulstone(home, name, coven, port);
    }
    let settings = below.join("lychd.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let known = text.replace("[extensions]\n", "[extensions]\nbuiltins = [\"animator\"]\n");
    fs::write(&settings, known).unwrap();
}

/// Where the rune of a Soulstone lies.
pub(super) fn rune(home: &Path, name: &str) -> PathBuf {
    home.join(format!(".config/lychd/runes/animator/soulstones/generic/{name}.toml"))
}

/// Writes one that listens, by the application's image, which has a Python.
pub(super) fn soulstone(home: &Path, name: &str, coven: &str, port: u16) {
    let listing = Bodies::of_state(&forged_home().path("state")).list().unwrap();
    let image = listing.find("newest").unwrap().body.images.vessel.found_by().reference();
    let text = format!(
        "name = \"{name}\"\nruntime = \"openai\"\ngroups = [\"{coven}\"]\nport = {port}\n\
         quadlet = {{ image = \"{image}\" }}\n\
         exec = [\"python\", \"-m\", \"http.server\", \"--directory\", \"/tmp\", \"{port}\"]\n"
    );
    file::write(&rune(home, name), text.as_bytes()).unwrap();
}

/// Records the example's body for the user of the machine, with a migration that can be made to fail.
fn record(home: &Path) -> Record {
    let listing = Bodies::of_state(&forged_home().path("state")).list().unwrap();
    let record = listing.find("newest").unwrap();
    let mut federation: Value =
        serde_json::from_slice(&record.kept.read_federation(&record.body.federation).unwrap()).unwrap();
    let mut migrate = vec![json!("python"), json!("-c"), json!(MIGRATION)];
    migrate.extend(federation["migrate"].as_array().unwrap().iter().cloned());
    federation["migrate"] = migrate.into();
    let federation = federation.to_string();

    let mut files = file::read_tree(record.kept.directory()).unwrap();
    files.insert_text("federation.json".parse().unwrap(), federation.as_str());
    let body = Body { federation: Sha256::of(&federation), ..record.body.clone() };
    let mut written: Value =
        serde_json::from_slice(files.file(&"body.json".parse().unwrap()).unwrap()).unwrap();
    written["id"] = json!(body.id());
    written["federation_sha256"] = json!(body.federation);
    written["store"] = json!(STORE);
    files.insert_text("body.json".parse().unwrap(), written.to_string());
    let state = home.join(".local/state/lychd-forge");
    file::write_tree(&state.join("bodies").join(body.id().to_string()), &files).unwrap();
    Bodies::of_state(&state).list().unwrap().find("newest").unwrap().clone()
}

fn load(machine: &Machine, role: &str, image: &str) {
    let mut stream = forged_home().command(&["stream", "newest", "--image", role]);
    let mut child = stream.stdout(Stdio::piped()).spawn().unwrap();
    let archive = child.stdout.take().unwrap();
    let loaded = machine.user_command("podman load --quiet").stdin(archive).output().unwrap();
    assert!(child.wait().unwrap().success());
    assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
    run(machine, &format!("podman image exists {image}"));
}

fn run(machine: &Machine, script: &str) {
    let output = machine.user(script);
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// As the forge binds it, on its port, from boot on.
#[test]
fn the_example_keeps_notes_over_a_reboot_and_a_power_cut() {
    let test = "the_example_keeps_notes_over_a_reboot_and_a_power_cut";
    let Some(realm) = super::realm(test) else { return };
    let kept = ["a word on dragons", "the price of salt"];
    for note in kept {
        let written = realm.user(&format!(
            "curl --silent --show-error --fail --json '{}' {APPLICATION}/notes",
            json!({ "text": note })
        ));
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), json!({ "text": note }));
    }
    let nearest = |realm: &Realm| -> Value {
        let asked =
            "curl --silent --show-error --fail --get --data-urlencode 'text=salty prices' --data most=1";
        serde_json::from_str(&realm.user(&format!("{asked} {APPLICATION}/notes"))).unwrap()
    };
    assert_eq!(nearest(&realm), json!([{ "text": kept[1] }]));
    for wish in ["reboot", "cut"] {
        let before = realm.look();
        realm.machine.wish(wish);
        let all: Vec<&str> = realm.organism.at_boot.iter().map(String::as_str).collect();
        realm.until_back(&before, &all);
        assert_eq!(nearest(&realm), json!([{ "text": kept[1] }]), "after a {wish}");
    }
}

/// This machine has no network that could come online; who waits for it waits a minute and a half at each boot.
#[test]
fn no_unit_waits_for_the_network() {
    let Some(realm) = super::realm("no_unit_waits_for_the_network") else { return };
    for (name, unit) in realm.units(realm.organism.services.iter().map(String::as_str)) {
        for property in ["After", "Wants", "Requires"] {
            assert!(
                !unit.text(property).contains("network-online"),
                "{name}: {property}={}",
                unit.text(property)
            );
        }
    }
}
