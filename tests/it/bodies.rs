//! Body records, from this forge and others, as the verbs take them. No Nix is needed for any of it.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    path::{Path, PathBuf},
    process::Output,
};

use assert_cmd::Command;
use lychd_forge::{
    body::{Bodies, Body, BodyImage, Evidence, ExecutorKind, Images, Record, Store, SubstrateKind},
    digest::Sha256,
    image::{self, ConfigDigest},
    name::Role,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::pseudo_store::store_path;

/// The record that a forge without schemas made of what `init` writes: its image and its body.
const UNVERSIONED: [&str; 2] = [
    "ab75b0a7d71ef5149ccfd3ff45c81eaf410c68fd36d402b4426390194247981d",
    "e64394298256aac22759231ec5fbf96d57d0fadaf3e594b7836e1e686b9be186",
];

/// A body that nobody forged.
pub(crate) fn body(image: &str, evidence: &Evidence) -> Body {
    let config_digest = ConfigDigest::of(image);
    let reference: image::Reference = "localhost/lychd:custom".parse().unwrap();
    Body {
        images: Images {
            vessel: BodyImage {
                config_digest,
                manifest_digest: Sha256::of("manifest"),
                engine_id: None,
                reference: reference.own(config_digest),
                layers: 1,
                size: 1,
                store_path: store_path("stream").parse().unwrap(),
                conf: store_path("conf.json").parse().unwrap(),
            },
            further: BTreeMap::new(),
        },
        federation: evidence.federation_sha256(),
        executor: ExecutorKind::Nix,
        substrate: SubstrateKind::Debian,
        store: Some(Store::System),
        synthesis_sha256: Sha256::of("synthesis"),
        flake_nar_sha256: Sha256::of("flake"),
        tools: BTreeMap::from([("nix".to_owned(), "2.8.0".to_owned())]),
    }
}

pub(crate) fn evidence(federation: &str) -> Evidence {
    Evidence { federation: federation.to_owned(), ..Evidence::default() }
}

/// A user's state directory, and a Codex to bind with.
pub(crate) struct State {
    home: TempDir,
}

impl State {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.home.path().join(below)
    }

    pub(crate) fn bodies(&self) -> Bodies {
        Bodies::of_state(&self.path("state"))
    }

    fn forge(&self, image: &str) -> Record {
        let evidence = evidence(crate::inscription::NO_MEMBERS);
        self.bodies().record(&body(image, &evidence), &evidence).unwrap()
    }

    /// Puts a record as another forge would have written it.
    pub(crate) fn put(&self, directory: &str, body_json: &str) {
        let directory = self.path("state/bodies").join(directory);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("body.json"), body_json).unwrap();
        fs::write(directory.join("federation.json"), crate::inscription::NO_MEMBERS).unwrap();
    }

    fn put_unversioned(&self) {
        let name = UNVERSIONED[0];
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/bodies").join(name);
        let to = self.path("state/bodies").join(name);
        fs::create_dir_all(&to).unwrap();
        for file in ["body.json", "federation.json"] {
            fs::copy(from.join(file), to.join(file)).unwrap();
        }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let codex = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/inscription/minimal/codex");
        Command::new(env!("CARGO_BIN_EXE_lychd-forge"))
            .env_clear()
            .env("HOME", self.home.path())
            // Neither Nix nor podman is there.
            .env("PATH", self.path("empty"))
            .env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"))
            .envs(
                ["http_proxy", "https_proxy", "SSL_CERT_FILE"]
                    .iter()
                    .filter_map(|name| Some((name, std::env::var_os(name)?))),
            )
            .arg("--codex")
            .arg(codex)
            .arg("--state")
            .arg(self.path("state"))
            .args(arguments)
            .output()
            .unwrap()
    }

    pub(crate) fn done(&self, arguments: &[&str]) -> Output {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", told(&output));
        output
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_slice(&self.done(&[arguments, &["--json"]].concat()).stdout).unwrap()
    }

    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", told(&output));
        told(&output)
    }

    /// IDs of the bodies, newest first.
    fn listed(&self) -> Vec<String> {
        let listed = self.json(&["bodies"]);
        let bodies = listed["bodies"].as_array().unwrap();
        bodies.iter().map(|body| bare(&body["body"])).collect()
    }
}

/// A digest without `sha256:`, which every one that is printed has.
pub(crate) fn bare(digest: &Value) -> String {
    digest.as_str().unwrap().strip_prefix("sha256:").unwrap().to_owned()
}

pub(crate) fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn changed(record: &Record, change: impl FnOnce(&mut Value)) -> String {
    let mut json: Value = serde_json::from_str(&fs::read_to_string(record.kept.record()).unwrap()).unwrap();
    change(&mut json);
    json.to_string()
}

#[test]
fn a_key_that_a_newer_forge_added_hides_nothing() {
    let state = State::new();
    let [odd, sound] = ["a", "b"].map(|image| state.forge(image));
    let (odd_id, sound_id) = (odd.body.id().to_string(), sound.body.id().to_string());
    state.put(&odd_id, &changed(&odd, |json| json["generation"] = json!(1)));
    // An older record with such a key as well.
    let old = json!({
        "backend": "nix", "conf": store_path("conf.json"), "flake_nar_sha256": Sha256::of("flake"),
        "generation": 1, "image_id": Sha256::of("c"), "layers": 1, "manifest_digest": Sha256::of("m"),
        "reference": "localhost/lychd:b-0", "size": 1, "store_path": store_path("stream"),
        "substrate": "debian", "synthesis_sha256": Sha256::of("s"), "tools": { "nix": "2.8.0" },
    });
    state.put(&Sha256::of("c").to_string(), &old.to_string());
    let listed = state.json(&["bodies"]);
    assert_eq!((listed["bodies"].as_array().unwrap().len(), &listed["unreadable"]), (3, &json!([])));
    for wanted in [&sound_id[..8], &odd_id[..8], &Sha256::of("c").short(8)] {
        let plan = state.json(&["bind", "--dry-run", "--body", wanted]);
        assert!([&plan["body"], &plan["image_id"]].iter().any(|id| bare(id).starts_with(wanted)), "{plan:#}");
    }
}

#[test]
fn what_cannot_be_read_is_listed_as_such_and_hides_nothing() {
    let state = State::new();
    let sound = state.forge("sound");
    let damage = [
        ("a", "{", "EOF while parsing"),
        ("b", &changed(&sound, |json| json["schema"] = json!("lychd-forge/body/3")), "`lychd-forge/body/3`"),
        ("c", &changed(&sound, |json| drop(json.as_object_mut().unwrap().remove("images"))), "`images`"),
        (
            "d",
            &changed(&sound, |json| json["images"]["Data base"] = json["images"]["vessel"].clone()),
            "`Data base` is not a name of an image",
        ),
        (
            "e",
            &changed(&sound, |json| json["federation_sha256"] = json!(Sha256::of("x"))),
            "`federation_sha256`",
        ),
        ("f", &changed(&sound, |_| {}), "it is the record of"),
        ("g", &changed(&sound, |json| json["store"] = json!("relative")), "`store`"),
        (
            "h",
            &changed(&sound, |json| json["executor"] = json!("\u{1b}[2J")),
            "`body.json` is not what a forge writes",
        ),
        ("i", &changed(&sound, |json| json["sequence"] = Value::Null), "`sequence`"),
        ("j", &changed(&sound, |json| json["images"]["vessel"]["engine_id"] = json!("a b")), "`engine_id`"),
        ("k", "{ \"image_id\": 1 }", "`body.json` is not what a forge writes"),
        ("l", &" ".repeat((1 << 20) + 1), "more than 1048576 bytes"),
    ];
    for (seed, text, _) in &damage {
        state.put(&Sha256::of(seed).to_string(), text);
    }
    let empty = state.path("state/bodies").join(Sha256::of("m").to_string());
    fs::create_dir(&empty).unwrap();
    let link = state.path("state/bodies").join(Sha256::of("n").to_string());
    fs::create_dir(&link).unwrap();
    std::os::unix::fs::symlink(sound.kept.record(), link.join("body.json")).unwrap();

    let listed = state.json(&["bodies"]);
    assert_eq!(listed["bodies"].as_array().unwrap().len(), 1);
    let unreadable: BTreeMap<&str, &str> = listed["unreadable"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["record"].as_str().unwrap(), one["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(unreadable.len(), damage.len() + 2, "{unreadable:#?}");
    let text = String::from_utf8(state.done(&["bodies"]).stdout).unwrap();
    assert!(!text.contains('\u{1b}'), "{text}");
    for (seed, _, why) in
        damage.iter().copied().chain([("m", "", "No such file"), ("n", "", "a symbolic link")])
    {
        let name = Sha256::of(seed);
        let reason = unreadable[name.to_string().as_str()];
        assert!(reason.contains(why), "{seed}: {reason}");
        assert!(text.contains(&name.short(12)), "{text}");
        // Asked for by name, it is told why not.
        let unable = state.run(&["bind", "--dry-run", "--body", &name.short(12)]);
        assert_eq!(unable.status.code(), Some(2), "{seed}");
        assert!(told(&unable).contains(why), "{seed}: {}", told(&unable));
    }

    let id = sound.body.id().to_string();
    // Which is the newest is not known while a record cannot be read.
    let unknown = state.run(&["bind", "--dry-run"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(told(&unknown).contains("which body is the newest is not known"), "{}", told(&unknown));
    for wanted in [&id[..6], &id, &format!("sha256:{id}")] {
        let plan = state.done(&["bind", "--dry-run", "--body", wanted, "--json"]);
        assert_eq!(bare(&serde_json::from_slice::<Value>(&plan.stdout).unwrap()["body"]), id);
        assert!(told(&plan).contains("cannot be read"), "{}", told(&plan));
    }
    // The schema that is not known here claims a number all the same.
    let number = |record: &Record| record.order.sequence().unwrap();
    state.put(
        &Sha256::of("b").to_string(),
        &changed(&sound, |json| {
            json["schema"] = json!("lychd-forge/body/3");
            json["sequence"] = json!(41);
        }),
    );
    assert_eq!((number(&sound), number(&state.forge("next"))), (1, 42));
}

#[test]
fn what_lies_beside_the_records_is_in_nobody_s_way() {
    let state = State::new();
    let sound = state.forge("a");
    let id = sound.body.id().to_string();
    let bodies = state.path("state/bodies");
    fs::create_dir(bodies.join(std::ffi::OsStr::from_bytes(b"\xff"))).unwrap();
    fs::create_dir(bodies.join(".scratch-x")).unwrap();
    assert_eq!(state.listed(), [id.as_str()]);
    // What is called as a record is, and is none, is told.
    let other = format!("{}{}", &id[..8], "0".repeat(56));
    symlink(bodies.join(&id), bodies.join(&other)).unwrap();
    let listed = state.json(&["bodies"]);
    assert_eq!(listed["unreadable"], json!([{ "record": other, "reason": "it is no directory" }]));
    // It may be what these digits mean.
    assert!(state.refused(&["bind", "--dry-run", "--body", &id[..8]]).contains(&other[..12]));
    assert_eq!(bare(&state.json(&["bind", "--dry-run", "--body", &id])["body"]), id);

    let again = changed(&sound, |json| {
        json["images"]["vessel"]["reference"] = json!("docker.io/library/postgres:16");
    });
    state.put(&id, &again);
    let reason = state.json(&["bodies"])["unreadable"].to_string();
    assert!(reason.contains("which is not the image's own"), "{reason}");
    let counted = changed(&sound, |json| json["sequence"] = json!(u64::MAX));
    state.put(&id, &counted);
    assert!(state.json(&["bodies"])["unreadable"].to_string().contains("no forge counts above"));
    assert_eq!(state.forge("b").order.sequence(), Some(1));
}

#[test]
fn a_record_without_a_schema_is_read_as_it_was_forged() {
    let state = State::new();
    state.put_unversioned();
    let [image, id] = UNVERSIONED;
    let listed = state.json(&["bodies"]);
    let body = &listed["bodies"][0];
    assert_eq!((bare(&body["body"]).as_str(), bare(&body["image_id"]).as_str()), (id, image));
    assert_eq!(body["sequence"], Value::Null);
    let vessel = &body["images"]["vessel"];
    assert_eq!((bare(&vessel["config_digest"]).as_str(), &vessel["engine_id"]), (image, &Value::Null));
    assert_eq!((&body["layers"], &body["size"]), (&json!(39), &json!(158_085_120)));
    for wanted in [&id[..6], &image[..6], image, "newest"] {
        let plan = state.json(&["bind", "--dry-run", "--diff", "--body", wanted]);
        assert_eq!((bare(&plan["body"]).as_str(), bare(&plan["image_id"]).as_str()), (id, image));
        assert!(plan.to_string().contains(&format!("Image=sha256:{image}")), "{wanted}");
    }
    assert!(state.refused(&["bind", "--dry-run", "--body", &id[..5]]).contains("6 digits at least"));
    let refused = state.refused(&["bind", "--dry-run", "--body", "000000"]);
    assert!(refused.contains("no body `000000`"), "{refused}");
}

#[test]
fn the_newest_is_the_one_that_was_forged_last_however_the_records_are_copied() {
    let state = State::new();
    state.put_unversioned();
    let [a, b] = ["a", "b"].map(|image| state.forge(image).body.id().to_string());
    let again = state.forge("a");
    assert_eq!(
        (again.order.sequence(), state.listed()),
        (Some(3), vec![a.clone(), b.clone(), UNVERSIONED[1].into()])
    );

    let copy = State::new();
    fs::create_dir_all(copy.path("state/bodies")).unwrap();
    for (name, age) in [(&a, 900), (&b, 100), (&UNVERSIONED[0].to_owned(), 0)] {
        let (from, to) = (state.path("state/bodies").join(name), copy.path("state/bodies").join(name));
        fs::create_dir(&to).unwrap();
        for file in ["body.json", "federation.json"] {
            fs::copy(from.join(file), to.join(file)).unwrap();
        }
        let time = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
        fs::File::open(to.join("body.json")).unwrap().set_modified(time).unwrap();
    }
    assert_eq!(copy.listed(), state.listed());
    assert_eq!(bare(&copy.json(&["bind", "--dry-run"])["body"]), a);
}

#[test]
fn a_body_that_is_forged_again_leaves_no_older_record_of_itself() {
    let state = State::new();
    state.put_unversioned();
    let root = state.path("state/bodies").join(format!("{}.root", UNVERSIONED[0]));
    std::os::unix::fs::symlink("/nix/store", &root).unwrap();
    let bodies = state.bodies();
    let evidence = evidence(
        &fs::read_to_string(state.path("state/bodies").join(UNVERSIONED[0]).join("federation.json")).unwrap(),
    );
    let mut again = body("", &evidence);
    let vessel = &mut again.images.vessel;
    vessel.config_digest = UNVERSIONED[0].parse().unwrap();
    vessel.reference = vessel.reference.own(vessel.config_digest);
    let other = body("another", &evidence);
    let record = bodies.record(&again, &evidence).unwrap();
    assert_eq!(bodies.list().unwrap().records, std::slice::from_ref(&record), "one for each body");
    bodies.replace_unversioned(&other).unwrap();
    assert!(fs::symlink_metadata(&root).is_ok(), "of no concern to another body");
    bodies.replace_unversioned(&again).unwrap();
    let left: Vec<_> =
        fs::read_dir(state.path("state/bodies")).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(left, [UNVERSIONED[1]]);
    assert_eq!(bodies.list().unwrap().records, [record]);
}

#[test]
fn an_image_names_its_body_unless_two_bodies_have_it() {
    let state = State::new();
    let first = state.forge("a");
    let image = first.body.images.vessel.config_digest.to_string();
    let plan = state.json(&["bind", "--dry-run", "--body", &image[..6]]);
    assert_eq!(bare(&plan["body"]), first.body.id().to_string());
    // Other runes of a member make another body of the same image.
    let other = evidence(r#"{ "runes": [], "schema": "lychd-forge/federation/1", "web_port": 9000 }"#);
    let second = state.bodies().record(&body("a", &other), &other).unwrap();
    assert_ne!(first.body.id(), second.body.id());
    let refused = state.refused(&["bind", "--dry-run", "--body", &image]);
    // Who wants the image alone gets it, whichever of the two has it.
    let listing = state.bodies().list().unwrap();
    let (found, role) = listing.find_image(&image, None).unwrap();
    assert_eq!((found.body.id(), role), (second.body.id(), Role::vessel()));
    for record in [&first, &second] {
        assert!(refused.contains(&record.body.id().short(12)), "{refused}");
        let id = record.body.id().to_string();
        assert_eq!(bare(&state.json(&["bind", "--dry-run", "--body", &id])["body"]), id);
    }
}

#[test]
fn a_unit_names_the_image_as_the_engine_does() {
    let state = State::new();
    let evidence = evidence(crate::inscription::NO_MEMBERS);
    let mut forged = body("a", &evidence);
    let id = forged.id();
    let called = Sha256::of("what this engine calls it").to_string();
    forged.images.vessel.engine_id = Some(called.parse().unwrap());
    assert_eq!(forged.id(), id, "what an engine calls an image makes no other body");
    state.bodies().record(&forged, &evidence).unwrap();
    let plan = state.json(&["bind", "--dry-run", "--diff", "--body", &called[..8]]);
    assert_eq!((bare(&plan["body"]), bare(&plan["image_id"])), (id.to_string(), called.clone()));
    assert!(plan.to_string().contains(&format!("Image=sha256:{called}")), "{plan:#}");
}

#[test]
fn a_record_that_was_changed_or_is_another_s_is_not_bound_by() {
    let state = State::new();
    let record = state.forge("a");
    let federation = record.kept.federation();
    fs::remove_file(&federation).unwrap();
    fs::write(&federation, r#"{ "runes": [], "schema": "lychd-forge/federation/1", "web_port": 9000 }"#)
        .unwrap();
    let refused = state.refused(&["bind", "--dry-run"]);
    assert!(refused.contains("is not the one that the body was forged with"), "{refused}");
    state.forge("a");
    for file in [record.kept.record(), federation] {
        let mut mode = fs::metadata(&file).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o666);
        fs::set_permissions(&file, mode.clone()).unwrap();
        let refused = state.refused(&["bind", "--dry-run"]);
        assert!(refused.contains("the group or others may write"), "{refused}");
        std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o444);
        fs::set_permissions(&file, mode).unwrap();
    }
    state.done(&["bind", "--dry-run"]);
}

#[test]
fn a_host_without_an_executor_is_told_so_before_anything_is_done() {
    let state = State::new();
    let output = state.run(&["forge", "--no-load"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("no `nix` on PATH"), "{}", told(&output));
    assert!(!state.path("state").exists());
}
