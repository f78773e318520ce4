//! The example as the forge binds it, with a few Soulstones beside it, put where an inscription puts it.
#![expect(clippy::disallowed_methods, reason = "files are laid out as a user's are")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use lychd_forge::{
    body::Bodies,
    codex,
    host::file,
    runes::{Layout, RenderInput, Rendered, RuneRecord, render},
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
}

/// A Soulstone and its Coven. They listen, and that is all.
pub(super) const STONES: [(&str, &str, u16); 4] =
    [("ember", "fire", 8101), ("flame", "fire", 8102), ("frost", "ice", 8103), ("rime", "ice", 8104)];

/// What a migration of the tests does: it fails as long as a file is there, then does what the body's own does.
const MIGRATION: &str = "import os, sys; \
    os.path.exists(os.path.expanduser('~/.config/lychd/no-migration')) and sys.exit('no migration today'); \
    sys.argv[1:] and os.execvp(sys.argv[1], sys.argv[1:])";

/// Boots a machine while the example is forged, and puts the example into it.
pub(super) fn inscribed() -> (Machine, Organism) {
    let machine = thread::scope(|scope| {
        let machine = scope.spawn(Machine::boot);
        forged_home();
        machine.join().unwrap()
    });
    let listing = Bodies::of_state(&forged_home().path("state")).list().unwrap();
    let record = listing.find("newest").unwrap();
    let home = machine.home();
    let vessel = record.body.images.vessel.found_by();

    let below = home.join(".config/lychd");
    file::write_tree(&below, &file::read_tree(Path::new("examples/codex")).unwrap()).unwrap();
    for (name, coven, port) in STONES {
        let rune = format!(
            "name = \"{name}\"\nruntime = \"openai\"\ngroups = [\"{coven}\"]\nport = {port}\n\
             quadlet = {{ image = \"{}\" }}\n\
             exec = [\"python\", \"-m\", \"http.server\", \"--directory\", \"/tmp\", \"{port}\"]\n",
            vessel.reference()
        );
        let place = below.join(format!("runes/animator/soulstones/generic/{name}.toml"));
        file::write(&place, rune.as_bytes()).unwrap();
    }
    let settings = below.join("lychd.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let known = text.replace("[extensions]\n", "[extensions]\nbuiltins = [\"animator\"]\n");
    fs::write(&settings, known).unwrap();
    let codex = codex::load(&below).unwrap();
    let mut federation: Value =
        serde_json::from_slice(&record.kept.read_federation(&record.body.federation).unwrap()).unwrap();
    let mut migrate = vec![json!("python"), json!("-c"), json!(MIGRATION)];
    migrate.extend(federation["migrate"].as_array().unwrap().iter().cloned());
    federation["migrate"] = migrate.into();
    let members = RuneRecord::parse("federation.json", federation.to_string().into_bytes()).unwrap();
    let further: BTreeMap<_, _> =
        record.body.images.further.iter().map(|(role, image)| (role.clone(), image.found_by())).collect();
    let rendered = render(&RenderInput {
        codex: &codex,
        federated: &members,
        body: &vessel,
        further: &further,
        layout: &layout(),
        resolve: &|path: &Path| Ok(path.to_owned()),
        podman: "5.4.2".parse().unwrap(),
        systemd: "257".parse().unwrap(),
        ports: &BTreeMap::new(),
    })
    .unwrap();
    put(&home, &rendered);

    for (role, image) in record.body.images.iter() {
        load(&machine, role.as_str(), &image.found_by().reference());
    }
    for secret in rendered.secrets.keys() {
        run(&machine, &format!("printf told-to-nobody | podman secret create {secret} -"));
    }
    run(&machine, "systemctl --user daemon-reload");
    let at_boot = rendered.services.iter().filter(|(_, service)| service.at_boot);
    let organism = Organism {
        at_boot: at_boot.map(|(name, _)| name.clone()).collect(),
        services: rendered.services.keys().cloned().collect(),
        database: further.values().next().unwrap().reference(),
    };
    (machine, organism)
}

/// The user of the realm.
fn layout() -> Layout {
    let home = PathBuf::from("/home/lych");
    Layout {
        codex: home.join(".config/lychd"),
        crypt: home.join(".local/share/lychd"),
        support: home.join(".local/state/lychd-forge/inscription"),
        sites: vec![home.join(".config/containers/systemd"), home.join(".config/systemd/user")],
        own: vec![home.join(".local/state/lychd-forge"), home.join(".cache/lychd-forge")],
        closed: Vec::new(),
        home,
    }
}

/// The files of a set, and the directories that its containers are given.
fn put(home: &Path, rendered: &Rendered) {
    let support = ".local/state/lychd-forge/inscription";
    for (tree, place) in [
        (&rendered.quadlets, ".config/containers/systemd/lychd"),
        (&rendered.units, ".config/systemd/user"),
        (&rendered.support, support),
    ] {
        file::write_tree(&home.join(place), tree).unwrap();
    }
    for used in &rendered.mounts {
        let below = used.mount.split(':').next().unwrap().strip_prefix("%h/").unwrap();
        if !below.starts_with(support) {
            fs::create_dir_all(home.join(below)).unwrap();
        }
    }
    let given = Command::new("chown")
        .args(["-R", "1000:1000"])
        .args([".config", ".local"].map(|below| home.join(below)))
        .status();
    assert!(given.unwrap().success());
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
