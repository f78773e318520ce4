//! What verbs print: whole outputs for people and machines, from values and from runs; and the schemas of `--json`.

pub(crate) mod rebirth;
mod sweep;
mod upkeep;

use std::{path::Path, process::Output, time::Duration};

use assert_cmd::Command;
use lychd_forge::{
    binding::{judge::Origin, plan::Action},
    body::{Bodies, Store},
    diagnostic::{Diagnostic, Failure, Fault, Source},
    digest::Sha256,
    host::file,
    lock::{Change, Kind, Why},
    rebirth::standing::Standing,
    report::{self, Contents, Digest, Line, Page, Report},
};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use crate::{
    bodies::{body, evidence},
    golden,
    schemas::is_exact,
    transmute::sample,
};

const FORGE: &str = env!("CARGO_BIN_EXE_lychd-forge");

/// The schema of a type, held against the committed one and against a value: nothing may be missing from it and
/// nothing added to it, but for keys of objects that are data (`open`) and those that may be missing (`optional`).
fn schema_of<T: JsonSchema + serde::Serialize>(name: &str, value: &T, open: &[&str], optional: &[&str]) {
    let schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    golden::holds(&format!("docs/schema/output/{name}.schema.json"), &text);
    let schema: Value = serde_json::from_str(&text).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    is_exact(&validator, &serde_json::to_value(value).unwrap(), open, optional);
}

/// As the command line prints it, without colour.
fn lines(report: &impl Report) -> String {
    let mut page = Page::default();
    report.write(&mut page);
    let line = |line: &Line| match line {
        Line::Field { label, text } => format!("{label:>12}  {text}\n"),
        Line::Hanging { before, text } => format!("{before}{text}\n"),
        Line::Toned { text, .. } | Line::Text(text) => format!("{text}\n"),
        Line::Raw(text) => text.clone(),
        Line::Remark(text) => format!("(standard error: {text})\n"),
    };
    page.lines().iter().map(line).collect()
}

/// A report with its schema, its JSON and its lines.
fn is_told(name: &str, report: &impl Report, open: &[&str], optional: &[&str]) {
    schema_of(name.split('-').next().unwrap(), report, open, optional);
    let json = serde_json::to_string_pretty(report).unwrap() + "\n";
    golden::holds(&format!("tests/golden/output/{name}.json"), &json);
    golden::holds(&format!("tests/golden/output/{name}.txt"), &lines(report));
}

fn contents() -> Contents {
    Contents::of(&sample::small().0)
}

fn moved() -> Vec<Change> {
    let change = |kind, name: &str, from: &[&str], to: &[&str], why| {
        let versions = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        Change { kind, name: name.to_owned(), from: versions(from), to: versions(to), why }
    };
    vec![
        change(Kind::Member, "scribe", &["1a2b3c4"], &["5d6e7f8"], Why::Sources),
        change(Kind::System, "libpq5", &["17.5-1"], &["17.6-0+deb13u1"], Why::Updated),
        change(Kind::Npm, "ms", &["2.0.0"], &[], Why::Removed),
    ]
}

fn notes() -> Vec<String> {
    vec!["nothing was committed yet in the repository of `core`: it is locked by its hash alone".to_owned()]
}

fn forge(load: Option<report::Load>) -> report::Forge {
    let body = body("image", &evidence("{}"));
    let reference = body.images.vessel.reference.to_string();
    report::Forge {
        body: report::Body::of(&body),
        tags: load.iter().flat_map(|_| ["localhost/lychd:custom".to_owned(), reference.clone()]).collect(),
        run: format!("podman run --rm -p 127.0.0.1:8000:8000 {reference}"),
        stream: "lychd-forge stream 8bade4079ec4 | podman load".to_owned(),
        streams: Vec::new(),
        loaded: load.is_some(),
        load,
        contents: contents(),
        moved: moved(),
        notes: notes(),
        seconds: report::Seconds(vec![
            ("synthesize", Duration::from_millis(2500)),
            ("build", Duration::from_secs(61)),
        ]),
    }
}

#[test]
fn each_verb_answers_people_and_machines_from_one_value() {
    let synthesize = report::Synthesize {
        synthesis_sha256: Sha256::of("synthesis"),
        contents: contents(),
        moved: moved(),
        notes: notes(),
    };
    is_told("synthesize", &synthesize, &[], &[]);
    let on_nixpkgs =
        report::Synthesize { contents: Contents::of(&sample::on_nixpkgs().0), ..synthesize.clone() };
    is_told("synthesize-nixpkgs", &on_nixpkgs, &[], &[]);

    let synthesis_sha256 = Sha256::of("synthesis");
    let outdated = report::Outdated { equal: false, synthesis_sha256, moved: moved(), notes: notes() };
    is_told("outdated", &outdated, &[], &[]);
    is_told(
        "fetch",
        &report::Fetch::Store {
            synthesis_sha256,
            artifacts: 120,
            fetched: 7,
            moved: moved(),
            notes: notes(),
        },
        &[],
        &[],
    );
    let directory = "/media/stick".into();
    let folder = report::Fetch::Folder {
        synthesis_sha256,
        artifacts: 131,
        size: 412_345_678,
        directory,
        moved: moved(),
        notes: notes(),
    };
    is_told("fetch-to", &folder, &[], &[]);

    let changed = |diff: Option<&str>| {
        vec![report::ChangedFile { path: "body.nix".to_owned(), diff: diff.map(str::to_owned) }]
    };
    let transmute = report::Transmute {
        directory: "/home/lych/flake".into(),
        files: 75,
        equal: false,
        written: true,
        changed: changed(None),
        moved: moved(),
        notes: notes(),
    };
    is_told("transmute", &transmute, &[], &[]);
    let diff = changed(Some("--- a/body.nix\n+++ b/body.nix\n@@ -1 +1 @@\n-a\n+b\n"));
    let check = report::Transmute { written: false, changed: diff, ..transmute };
    is_told("transmute-check", &check, &[], &["/changed/0/diff"]);

    let init = report::Init { created: vec!["/c/forge.toml".into()], kept: vec!["/c/core".into()] };
    is_told("init", &init, &[], &[]);
    let pages = vec!["lychd-forge.1".to_owned()];
    is_told("man", &report::Man { directory: "/usr/share/man/man1".into(), pages }, &[], &[]);

    let open = ["/seconds", "/images"];
    is_told("forge", &forge(Some(report::Load::Thin { layers: 3, size: 12_345_678 })), &open, &[]);
    is_told("forge-present", &forge(Some(report::Load::Present)), &open, &[]);
    is_told("forge-no-load", &forge(None), &open, &[]);

    let state = tempfile::tempdir().unwrap();
    let bodies = Bodies::of_state(state.path());
    let mut known = body("image", &evidence("{}"));
    known.images.vessel.engine_id = Some("0123456789abcdef".parse().unwrap());
    known.store = Some(Store::Below("/home/lych/store".into()));
    bodies.record(&known, &evidence("{}")).unwrap();
    file::write(
        &state.path().join("bodies").join(Sha256::of("newer").to_string()).join("body.json"),
        b"{ \"schema\": \"lychd-forge/body/9\" }",
    )
    .unwrap();
    let (generations, fallen) = ([1, 3].into(), [2].into());
    let stands = Standing { is_active: true, generations, fallen, is_loaded: Some(false) };
    let told = report::Bodies::of(bodies.list().unwrap(), &[(known.id(), stands)].into());
    is_told("bodies", &told, &["/bodies/0/images"], &[]);
}

fn set<T: FromIterator<String>>(all: &[&str]) -> T {
    all.iter().map(|one| (*one).to_owned()).collect()
}

/// A file of a plan.
fn unit(name: &str, action: Action, diff: Option<&str>) -> report::UnitFile {
    report::UnitFile {
        path: format!("/home/lych/.config/containers/systemd/lychd/{name}").into(),
        action,
        sha256: (action != Action::Remove).then(|| Sha256::of(name)),
        diff: diff.map(str::to_owned),
    }
}

/// A plan with something of everything.
fn plan() -> report::Bind {
    let mount = |service: &str, mount: &str, member: Option<&str>, writable| report::Mount {
        service: service.to_owned(),
        mount: mount.to_owned(),
        member: member.map(str::to_owned),
        writable,
    };
    report::Bind {
        body: Digest(Sha256::of("body")),
        image_id: Digest(Sha256::of("image")).to_string(),
        candidate: Digest(Sha256::of("candidate")),
        generation: None,
        outcome: report::BindOutcome::Staged,
        widens: Vec::new(),
        staged: None,
        running: set(&[]),
        next: "nothing was written: this was a dry run. The candidate would be staged".to_owned(),
        dry_run: true,
        reloaded: false,
        podman: "5.4.2".to_owned(),
        units: vec![
            unit("lychd-vessel.container", Action::Replace, None),
            unit("lychd-old.container", Action::Remove, None),
        ],
        start: set(&["lychd-cache.service"]),
        on_demand: set(&[]),
        restart: set(&["lychd-vessel.service", "lychd-migrate.service"]),
        stop: set(&["lychd-old.service"]),
        images: vec![report::Image {
            service: "lychd-cache".to_owned(),
            image: "docker.io/valkey/valkey:8".to_owned(),
            floating: true,
        }],
        mounts: vec![
            mount("lychd-cache", "lychd-keeper-cache:/var/cache", Some("keeper"), true),
            mount("lychd-coder", "%h/weights:/models:ro", None, false),
            mount("lychd-coder", "/srv/scratch:/scratch", None, true),
        ],
        grants: vec![report::Grant { service: "lychd-cache".to_owned(), what: "writable".to_owned() }],
        secrets: [("lychd_db_password".to_owned(), set(&["lychd-vessel"]))].into(),
        ports: vec![report::Port { host: 7134, pod: 8000 }],
        validated: report::Validated {
            podman: "5.4.2".to_owned(),
            podman_is: Origin::Host,
            systemd: "257".to_owned(),
            systemd_is: Origin::Debian,
        },
        notes: notes(),
    }
}

#[test]
fn a_plan_is_told_to_people_and_machines() {
    let bind = plan();
    is_told("bind", &bind, &["/secrets"], &[]);
    let diff = report::Bind {
        units: vec![
            unit("lychd-vessel.container", Action::Replace, Some("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n")),
            unit("lychd.pod", Action::Unchanged, Some("")),
        ],
        ..bind.clone()
    };
    is_told("bind-diff", &diff, &["/secrets"], &["/units/0/diff"]);
    let inscribed = report::Bind {
        generation: Some(3),
        outcome: report::BindOutcome::Inscribed,
        widens: vec!["port 127.0.0.1:7134 -> 8000".to_owned()],
        staged: Some("/home/magus/.local/state/lychd-forge/candidates/1".into()),
        running: set(&["lychd-vessel.service"]),
        next: "systemctl --user status lychd-vessel".to_owned(),
        dry_run: false,
        reloaded: true,
        notes: Vec::new(),
        ..bind
    };
    is_told("bind-done", &inscribed, &["/secrets"], &[]);
    let recovered = report::Recovered { recovered: report::Way::Undone, generation: Some(3) };
    is_told("recovered", &recovered, &[], &[]);
    is_told("released", &report::Released { generation: 3 }, &[], &[]);
}

#[test]
fn a_failure_is_an_object_with_its_kind_and_place() {
    let source = Source::new("core/pyproject.toml", "[project]\nname = 7\n");
    let other = Source::new("extensions/scribe/pyproject.toml", "[project]\n");
    let wrong = Diagnostic::new("a name must be a string")
        .of_kind(Fault::Conflict)
        .at(source.at(17..18), "not a string")
        .at(other.at(0..9), "and here")
        .requested_by("core")
        .note("a note")
        .help("put it in quotes");
    let refused = Failure::Refused(vec![wrong, Diagnostic::new("something else")]);
    let failed = report::Failed::from(&refused);
    schema_of("failure", &failed, &[], &[]);
    let json = serde_json::to_string_pretty(&failed).unwrap() + "\n";
    golden::holds("tests/golden/output/failure.json", &json);
    let unable =
        report::Failed::from(&Failure::unable(Diagnostic::new("no network").of_kind(Fault::Network)));
    assert_eq!((unable.exit_code, unable.errors[0].kind), (2, Fault::Network));
}

/// A run below `home`, whose own path is shown as `HOME`.
struct Run {
    output: Output,
    home: String,
}

impl Run {
    fn of(home: &Path, arguments: &[&str]) -> Self {
        let output = Command::new(FORGE)
            .env_clear()
            .env("HOME", home)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .args(arguments)
            .output()
            .unwrap();
        Self { output, home: home.to_str().unwrap().to_owned() }
    }

    fn text(&self, bytes: &[u8]) -> String {
        String::from_utf8(bytes.to_vec()).unwrap().replace(&self.home, "HOME")
    }

    /// Code, standard output and standard error, whole.
    fn whole(&self) -> String {
        let (out, err) = (self.text(&self.output.stdout), self.text(&self.output.stderr));
        format!(
            "exit code {}\n--- standard output\n{out}--- standard error\n{err}",
            self.output.status.code().unwrap()
        )
    }
}

#[test]
fn whole_outputs_of_runs() {
    let home = tempfile::tempdir().unwrap();
    let told = |name: &str, arguments: &[&str]| {
        golden::holds(
            &format!("tests/golden/output/runs/{name}.txt"),
            &Run::of(home.path(), arguments).whole(),
        );
    };
    told("bodies-none", &["bodies"]);
    told("bodies-none-json", &["bodies", "--json"]);
    told("init", &["init"]);
    told("init-again-json", &["init", "--json"]);
    told("usage", &["forge", "--frobnicate"]);
    told("usage-json", &["forge", "--frobnicate", "--json"]);
    told("no-body", &["bind", "--dry-run"]);
    told("no-body-json", &["bind", "--dry-run", "--json"]);
    told("stream-is-data-json", &["stream", "2fd2e5f06975", "--json"]);

    let codex = home.path().join(".config/lychd/forge.toml");
    std::fs::write(&codex, "[policy]\nallow-hoks = false\n\n[image]\npython = 3\n").unwrap();
    told("wrong-codex", &["synthesize", "--offline"]);
    told("wrong-codex-json", &["synthesize", "--offline", "--json"]);
    std::fs::remove_file(&codex).unwrap();
    // A place that is counted in bytes may lie within a character.
    let package = home.path().join(".local/share/lychd/core/package.json");
    std::fs::write(&package, "{\"name\": é}").unwrap();
    told("wrong-json", &["synthesize", "--offline"]);
    std::fs::remove_file(&package).unwrap();
    std::fs::write(home.path().join(".local/share/lychd/core/pyproject.toml"), "[project]\nname = 7\n")
        .unwrap();
    told("wrong-manifest-quiet-json", &["forge", "--offline", "--no-load", "--quiet", "--json"]);
}

/// The example without any dependency of its members: what its locks had is told as gone.
#[test]
fn packages_that_are_no_longer_needed_are_not_told_as_new() {
    let home = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for name in ["codex", "crypt"] {
        let tree = file::read_tree(&example.join(name)).unwrap();
        file::write_tree(&home.path().join(name), &tree).unwrap();
    }
    for member in ["core", "extensions/altar", "extensions/loom", "extensions/scribe"] {
        let path = home.path().join("crypt").join(member).join("pyproject.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = text.split_once("\ndependencies = [").unwrap();
        let (_, after) = rest.split_once("]\n").unwrap();
        let needs = if member == "core" { "" } else { "\"lych-core\"" };
        file::write(&path, format!("{before}\ndependencies = [{needs}]\n{after}").as_bytes()).unwrap();
    }
    let output = Command::new(FORGE)
        .env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"))
        .args(["synthesize", "--json", "--codex"])
        .arg(home.path().join("codex"))
        .arg("--crypt")
        .arg(home.path().join("crypt"))
        .arg("--state")
        .arg(home.path().join("state"))
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["packages"]["python"], 0);
    let python: Vec<&Value> =
        report["moved"].as_array().unwrap().iter().filter(|change| change["kind"] == "python").collect();
    assert!(python.len() > 20 && python.iter().all(|change| change["why"] == "removed"), "{python:?}");
    assert!(told.contains(&format!("{} packages no longer needed", python.len())), "{told}");
    assert!(!told.contains("newly locked"), "{told}");
}
