//! The verb `bind`, from a recorded body to its plan.
#![expect(clippy::disallowed_methods, reason = "tests look at real directories")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use assert_cmd::Command;
use lychd_forge::{
    binding::{generation::Generations, manifest::Manifest},
    body::{Bodies, Body},
    digest::Sha256,
    host::file,
};
use serde_json::Value;

use crate::bodies::{body, evidence};

/// A user with a Codex and, where one was recorded, a body.
pub(crate) struct User {
    home: tempfile::TempDir,
}

impl User {
    /// With the Codex of a golden case.
    pub(crate) fn of(case: &str) -> Self {
        let user = Self { home: tempfile::tempdir().unwrap() };
        let codex = file::read_tree(&golden(case).join("codex")).unwrap();
        file::write_tree(&user.path(".config/lychd"), &codex).unwrap();
        user
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.home.path().join(below)
    }

    /// A body of an image of this configuration, with this `federation.json`.
    pub(crate) fn record(&self, image: &str, federation: &str) -> Body {
        let evidence = evidence(federation);
        let body = body(image, &evidence);
        Bodies::of_state(&self.path(".local/state/lychd-forge")).record(&body, &evidence).unwrap();
        body
    }

    pub(crate) fn bind(&self, arguments: &[&str]) -> Output {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
        Command::new(env!("CARGO_BIN_EXE_lychd-forge"))
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("XDG_CACHE_HOME", cache)
            .envs(
                ["http_proxy", "https_proxy", "SSL_CERT_FILE"]
                    .iter()
                    .filter_map(|name| Some((name, std::env::var_os(name)?))),
            )
            .arg("bind")
            .args(arguments)
            .output()
            .unwrap()
    }

    pub(crate) fn plan(&self, arguments: &[&str]) -> Value {
        let output = self.bind(&[&["--dry-run", "--json"], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Stages a candidate and puts it where an inscription puts it.
    fn inscribe(&self) {
        let staged = self.bind(&["--json"]);
        assert_eq!(staged.status.code(), Some(0), "{}", told(&staged));
        let staged: Value = serde_json::from_slice(&staged.stdout).unwrap();
        let from = PathBuf::from(staged["staged"].as_str().unwrap());
        let text = fs::read(from.join("candidate.json")).unwrap();
        let candidate = Manifest::parse("candidate.json", &text).unwrap();
        assert_eq!(staged["candidate"], format!("sha256:{}", candidate.id()));
        let state = fs::canonicalize(self.path(".local/state/lychd-forge")).unwrap();
        let generation = Generations::of_state(&state).next(None, candidate).unwrap();
        let site = self.path(".config/containers/systemd/lychd");
        let mut files = file::read_tree(&from.join("units")).unwrap();
        files.insert_text("receipt.json".parse().unwrap(), generation.to_text());
        file::write_tree(&site, &files).unwrap();
        let support = file::read_tree(&from.join("support")).unwrap();
        file::write_tree(&state.join("support"), &support).unwrap();
        for unit in generation.candidate.plain_units() {
            let link = self.path(".config/systemd/user").join(unit);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(site.join(unit), link).unwrap();
        }
    }
}

pub(crate) fn golden(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/inscription").join(case)
}

pub(crate) fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn actions(plan: &Value, action: &str) -> Vec<String> {
    let units = plan["units"].as_array().unwrap();
    let of = units.iter().filter(|unit| unit["action"] == action);
    let name = |unit: &Value| unit["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    // What containers read is called after its content.
    of.map(name)
        .map(|name| name.find("-capabilities.json").map_or(name.clone(), |at| name[at..].to_owned()))
        .collect()
}

#[test]
fn what_cannot_be_planned_changes_nothing() {
    let user = User::of("minimal");
    let output = user.bind(&["--dry-run"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("forge one first: `lychd-forge forge`"), "{}", told(&output));
    user.record("body", crate::inscription::NO_MEMBERS);
    let before = file::read_tree(user.home.path()).unwrap();
    let output = user.bind(&["--dry-run", "--body", "abcdef"]);
    assert_eq!((output.status.code(), told(&output).contains("no body `abcdef`")), (Some(1), true));
    let output = user.bind(&["--dry-run", "--podman", "4.9"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("StartWithPod="), "{}", told(&output));
    assert_eq!(file::read_tree(user.home.path()).unwrap(), before);
    let old = user.record("old", crate::inscription::NO_MEMBERS).id();
    fs::remove_file(user.path(&format!(".local/state/lychd-forge/bodies/{old}/federation.json"))).unwrap();
    let output = user.bind(&["--dry-run", "--body", &old.short(12)]);
    assert_eq!(output.status.code(), Some(2));
    let told = told(&output);
    assert!(told.contains("federation.json") && told.contains("forge the body again"), "{told}");
}

#[test]
fn a_plan_says_what_becomes_of_every_file_and_service() {
    let user = User::of("members");
    let federation = fs::read_to_string(golden("members").join("federation.json")).unwrap();
    user.record("body", &federation);
    let first = user.plan(&["--podman", "5.4.2", "--systemd", "257"]);
    assert_eq!(actions(&first, "create").len(), 15, "{first:#}");
    assert_eq!(first["image_id"], format!("sha256:{}", Sha256::of("body")));
    assert_eq!(
        first["start"],
        serde_json::json!([
            "lychd-cache.service",
            "lychd-phylactery.service",
            "lychd-pod.service",
            "lychd-vessel.service"
        ])
    );
    assert!(!user.path(".config/containers").exists(), "nothing was written");

    user.inscribe();
    let same = user.plan(&[]);
    assert_eq!(actions(&same, "unchanged").len(), 15, "{same:#}");
    for services in ["start", "restart", "stop", "on_demand"] {
        assert_eq!(same[services], serde_json::json!([]), "{services}");
    }

    // Another body changes two units; a rune less removes one and its gate.
    let shorter = federation.replace("\"speech\"", "\"singer\"");
    let body = user.record("next", &shorter);
    let next = user.plan(&["--diff", "--body", &body.id().to_string()]);
    assert_eq!(
        actions(&next, "replace"),
        ["lychd-migrate.container", "lychd-vessel.container", "lychd-animator-vision.target"]
    );
    assert_eq!(
        actions(&next, "create"),
        ["lychd-singer.container", "lychd-animator-singer.target", "-capabilities.json"]
    );
    assert_eq!(
        actions(&next, "remove"),
        ["lychd-speech.container", "lychd-animator-speech.target", "-capabilities.json"]
    );
    assert_eq!(next["restart"], serde_json::json!(["lychd-migrate.service", "lychd-vessel.service"]));
    assert_eq!(next["stop"], serde_json::json!(["lychd-speech.service"]));
    assert_eq!(next["on_demand"], serde_json::json!(["lychd-singer.service"]));
    let vessel = next["units"]
        .as_array()
        .unwrap()
        .iter()
        .find(|unit| unit["path"].as_str().unwrap().ends_with("lychd-vessel.container"));
    let diff = vessel.unwrap()["diff"].as_str().unwrap();
    assert!(diff.contains(&format!("+Image=sha256:{}", Sha256::of("next"))), "{diff}");
}

#[test]
fn an_image_names_a_registry_by_its_port_and_a_transport_is_none() {
    let user = User::of("members");
    let federation = fs::read_to_string(golden("members").join("federation.json")).unwrap();
    let digest = Sha256::of("image");
    let of = |image: &str| {
        let (before, rest) = federation.split_once("\"image\": \"").unwrap();
        let (_, after) = rest.split_once('"').unwrap();
        format!("{before}\"image\": \"{image}@sha256:{digest}\"{after}")
    };
    user.record("body", &of("registry:5000/x/y"));
    let plan = user.plan(&["--podman", "5.4.2", "--systemd", "257", "--diff"]);
    let image = format!("+Image=registry:5000/x/y@sha256:{digest}");
    assert!(plan["units"].to_string().contains(&image), "{plan:#}");

    for (image, want) in [
        ("dir:5000/x/y", "`dir:` is a transport to podman"),
        ("registry/x/y", "has no registry\n"),
        ("registry:5000x/y", "is not an image reference"),
    ] {
        user.record("body", &of(image));
        let output = user.bind(&["--dry-run", "--podman", "5.4.2"]);
        assert_eq!(output.status.code(), Some(1), "{image}");
        assert!(told(&output).contains(want), "{image}: {}", told(&output));
    }
}

#[test]
fn what_is_not_the_forges_is_never_in_its_way_unseen() {
    let user = User::of("minimal");
    user.record("body", crate::inscription::NO_MEMBERS);
    let place = user.path(".config/containers/systemd");
    file::write(&place.join("lychd-vessel.container"), b"[Container]\nImage=a\n").unwrap();
    file::write(&place.join("lychd/mine.container"), b"[Container]\nImage=a\n").unwrap();
    let output = user.bind(&["--dry-run"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("mine.container` is in the place of a unit of ours"), "{}", told(&output));
    fs::remove_file(place.join("lychd/mine.container")).unwrap();
    let output = user.bind(&["--dry-run"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("instead of the rendered `lychd-vessel.container`"), "{}", told(&output));
    fs::remove_file(place.join("lychd-vessel.container")).unwrap();
    let output = user.bind(&["--dry-run"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    for want in ["create", "lychd.pod", "127.0.0.1:7134 -> 8000", "lychd_db_password", "nothing was written"]
    {
        assert!(shown.contains(want), "{want}\n--- not in ---\n{shown}");
    }

    let toml = user.path(".config/lychd/lychd.toml");
    let mut mode = fs::metadata(&toml).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o666);
    fs::set_permissions(&toml, mode).unwrap();
    let output = user.bind(&["--dry-run"]);
    assert!(output.status.code() == Some(1) && told(&output).contains("chmod 600"), "{}", told(&output));
}
