//! The schemas in `docs/schema/` take what the forge writes, and nothing less or more.

use std::{fs, path::Path};

use jsonschema::{Validator, draft202012};
use lychd_forge::{
    binding::{
        consents::Consent,
        generation::Generations,
        journal::{Journal, Move},
        manifest::Manifest,
    },
    body::{Body, Order, Store, Written},
    digest::Sha256,
    name::Role,
    rebirth::rite::Rite,
    synthesis::value::Substrate,
};
use serde_json::{Value, json};

use crate::transmute::sample;

fn here(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// A schema that is sound itself.
fn schema(name: &str) -> Validator {
    let schema = here(&format!("docs/schema/{name}.schema.json"));
    draft202012::meta::validate(&schema).unwrap();
    draft202012::new(&schema).unwrap()
}

/// Holds a document against a schema, from which nothing may be missing and to which nothing may be added.
pub(crate) fn takes(name: &str, good: &Value) {
    is_exact(&schema(name), good, &[], &[]);
}

/// Places of all objects in a document, as JSON pointers.
fn objects(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.push(at.to_owned());
            for (key, value) in fields {
                objects(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        // One of each kind will do.
        Value::Array(items) => {
            if let Some(first) = items.first() {
                objects(first, &format!("{at}/0"), found);
            }
        }
        _ => {}
    }
}

/// Takes `good`. Refuses it with an unknown key in any object, and without any key of any object, except for
/// objects whose keys are data (`open`) and keys that may be missing (`optional`).
pub(crate) fn is_exact(schema: &Validator, good: &Value, open: &[&str], optional: &[&str]) {
    let errors: Vec<String> =
        schema.iter_errors(good).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new());

    let mut places = Vec::new();
    objects(good, "", &mut places);
    for place in places.iter().filter(|place| !open.contains(&place.as_str())) {
        let with = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
            let mut changed = good.clone();
            change(changed.pointer_mut(place).unwrap().as_object_mut().unwrap());
            schema.is_valid(&changed)
        };
        assert!(!with(&|object| drop(object.insert("unknown".to_owned(), json!(1)))), "`{place}/unknown`");
        for key in good.pointer(place).unwrap().as_object().unwrap().keys() {
            let may_be_missing = optional.contains(&format!("{place}/{key}").as_str());
            assert_eq!(with(&|object| drop(object.remove(key))), may_be_missing, "without `{place}/{key}`");
            assert!(
                !with(&|object| drop(object.insert(key.clone(), json!(-1.5)))),
                "`{place}/{key}` as -1.5"
            );
        }
    }
}

#[test]
fn the_synthesis_schema_is_exact() {
    for (mut synthesis, _) in [sample::small(), sample::on_nixpkgs()] {
        synthesis.members[0].native = true;
        synthesis.policy.strict = true;
        if let Substrate::Debian { locales, .. } = &mut synthesis.substrate {
            *locales = vec!["sr_RS.UTF-8@latin".parse().unwrap()];
        }
        synthesis.inputs.insert("core/pyproject.toml".to_owned(), Sha256::of("manifest"));
        let uv = lychd_forge::tools::uv::tool().unwrap();
        synthesis.tools.insert("uv".to_owned(), uv);
        let good: Value = serde_json::from_str(&synthesis.to_canonical_json()).unwrap();
        let open = [
            "/inputs",
            "/image/environment",
            "/image/labels",
            "/image/collisions",
            "/image/missing_libraries",
            "/images/database/environment",
            "/images/database/labels",
            "/images/database/collisions",
            "/images/database/missing_libraries",
            "/system_packages/0/images",
        ];
        is_exact(
            &schema("synthesis"),
            &good,
            &open,
            &[
                "/members/0/native",
                "/tools/uv",
                "/substrate/without",
                "/substrate/locales",
                "/policy/strict",
                "/image/starts/migrate",
                "/images",
                "/images/database/entry",
                "/images/database/starts/health",
                "/images/database/stop_signal",
                "/images/database/volumes",
                "/system_packages/0/images",
            ],
        );
    }
}

#[test]
fn the_synthesis_schema_takes_what_is_built_and_nothing_between() {
    let (synthesis, _) = sample::small();
    let mut good: Value = serde_json::from_str(&synthesis.to_canonical_json()).unwrap();
    let build = json!({
        "backend": { "object": "flit_core.buildapi", "path": ["."] }, "environment": "0123456789abcdef",
        "native": true, "subdirectory": null,
    });
    let schema = schema("synthesis");
    let mut takes = |changes: Value| {
        let package = good["python_packages"][0].as_object_mut().unwrap();
        for (key, value) in changes.as_object().unwrap() {
            package.insert(key.clone(), value.clone());
        }
        schema.is_valid(&good)
    };
    assert!(takes(json!({ "kind": "sdist", "filename": "a-1.tar.gz", "build": build.clone() })));
    assert!(takes(json!({ "url": "member:core/a-1.tar.gz", "bundled": true })));
    assert!(!takes(json!({ "size": null })));
    assert!(takes(json!({ "kind": "git", "url": "git+https://x.org/a@0", "filename": "a-source" })));
    assert!(!takes(json!({ "bundled": false })));
    assert!(!takes(json!({ "bundled": true, "build": null })));
    assert!(!takes(json!({ "kind": "wheel", "filename": "a-1.whl", "build": build })));
    assert!(!takes(json!({ "build": null })));
    assert!(takes(json!({ "size": 3 })));
    assert!(!takes(json!({ "url": "file:///a-1.whl" })));
}

#[test]
fn the_git_lock_schema_is_exact() {
    let good = json!({ "schema": "lychd-forge/git-lock/1", "sources": [{
        "url": "https://git.example.org/a.git", "reference": "branch main",
        "revision": "0123456789abcdef0123456789abcdef01234567", "nar_sha256": "0".repeat(64),
    }] });
    is_exact(&schema("git-lock"), &good, &[], &[]);
}

#[test]
fn the_body_schema_is_exact() {
    let mut body = crate::bodies::body("image", &crate::bodies::evidence("{}"));
    body.tools.insert("podman".to_owned(), "4.3.1".to_owned());
    body.images.vessel.engine_id = Some(body.images.vessel.config_digest.into());
    body.store = Some(Store::Below("/srv/store".into()));
    let written = |body: &Body| serde_json::to_value(Written::of(body, Order::Sequence(7))).unwrap();
    is_exact(&schema("body"), &written(&body), &[], &["/tools/podman"]);
    body.images.vessel.engine_id = None;
    body.store = Some(Store::System);
    let errors = schema("body").iter_errors(&written(&body)).count();
    assert_eq!(errors, 0, "neither loaded nor in a store of its own");
}

#[test]
fn the_debian_lock_schema_is_exact() {
    let good = here("examples/crypt/synthesis/debian.lock.json");
    let platform = "/platforms/x86_64-linux";
    let aliases = format!("{platform}/aliases");
    let open = ["/platforms", aliases.as_str()];
    is_exact(&schema("debian-lock"), &good, &open, &[&aliases]);
}

/// What `bind` keeps, by the types that it is read into.
#[test]
fn the_schemas_of_what_is_inscribed_are_those_of_its_types() {
    fn of<T: schemars::JsonSchema + serde::Serialize>(name: &str, value: &T, open: &[&str]) {
        let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
        let generator = settings.into_generator();
        let text = serde_json::to_string_pretty(&generator.into_root_schema_for::<T>()).unwrap() + "\n";
        crate::golden::holds(&format!("docs/schema/{name}.schema.json"), &text);
        is_exact(&schema(name), &serde_json::to_value(value).unwrap(), open, &[]);
    }
    let golden = crate::inscription::cases().into_iter().find(|case| case.ends_with("members")).unwrap();
    let rendered = crate::inscription::of_case(&golden, "5.4.2");
    let images = [(Role::vessel(), Sha256::of("image").into())];
    let id = Sha256::of("body").to_string().parse().unwrap();
    let layout = crate::inscription::layout();
    let candidate = Manifest::of("/site".as_ref(), (id, images.into()), &rendered, &layout);
    let candidate = candidate.among([("lychd-vessel.service".to_owned(), Sha256::of("unit"))].into(), &[]);
    let first = Generations::of_state("/nowhere".as_ref()).next(None, candidate).unwrap();
    let mut generation = first.clone();
    generation.previous = Some(first.sha256());
    let open =
        ["/loads", "/units", "/support", "/services", "/images", "/secrets", "/mounts", "/body_images"];
    of("candidate", &generation.candidate, &open);
    let below = open.map(|name| format!("/candidate{name}"));
    let open: Vec<&str> = below.iter().map(String::as_str).collect();
    of("generation", &generation, &open);
    let mut journal = Journal::new(&generation.state, 2, Some(generation.sha256()), None);
    journal.moves.push(Move { from: "/a".into(), to: "/b".into() });
    of("journal", &journal, &[]);
    let mut rite = Rite::new("/state".into(), Sha256::of("word"), (41, 42), (600, 60));
    rite.up.insert("lychd-vessel.service".to_owned());
    of("rebirth", &rite, &[]);
    of("snapshot", &crate::output::rebirth::snapshot(7, 12), &["/databases/0/rows"]);
    let consent = json!({
        "schema": "lychd-forge/consent/1", "previous": null, "when": 1_700_000_000, "uid": 1000, "word": "typed",
        "verb": "rebirth", "candidate": Sha256::of("candidate"), "confirmed": Sha256::of("more"), "active": 41,
    });
    of("consent", &serde_json::from_value::<Consent>(consent).unwrap(), &[]);
}

#[test]
fn the_schemas_of_an_inscription_are_exact() {
    let golden = "tests/golden/inscription/members";
    let text = fs::read(crate::inscription::support("members", "capabilities.json")).unwrap();
    let capabilities: Value = serde_json::from_slice(&text).unwrap();
    is_exact(
        &schema("capabilities"),
        &capabilities,
        &["/capabilities", "/runes"],
        &[
            "/capabilities/ocr",
            "/capabilities/stt",
            "/capabilities/tts",
            "/capabilities/vision",
            "/runes/cache",
            "/runes/layout",
            "/runes/speech",
            "/runes/vision",
        ],
    );
    let text =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(golden).join("federation.json")).unwrap();
    let federated = lychd_forge::runes::RuneRecord::parse("federation.json", text).unwrap();
    let written: Value = serde_json::from_str(&federated.to_json()).unwrap();
    is_exact(&schema("federation"), &written, &[], &[]);
    let again = lychd_forge::runes::RuneRecord::parse("federation.json", federated.to_json().into()).unwrap();
    assert_eq!(again.to_json(), federated.to_json());
}
