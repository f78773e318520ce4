//! Packages at their places: both streamers write the same bytes, and what they write is the root.
#![expect(clippy::disallowed_methods, reason = "fixtures are written directly")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{fs, path::Path, process::Command};

use lychd_forge::{
    host::progress::Silent,
    image::{self, Image},
};
use serde_json::{Value, json};

use crate::pseudo_store::{PseudoStore, conf, conf_text, store_path};

const STREAMER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/nix/debian/stream.py");

/// Two packages of a distribution, one of them before the merged /usr; two wheels; the root's own files.
fn store() -> PseudoStore {
    let store = PseudoStore::new();
    store.file("base", b"usr/bin/tool", b"#!/bin/sh\n", 0o555);
    store.file("base", b"usr/bin/tool-2", b"#!/bin/sh\n", 0o555);
    store.file("base", b"usr/share/both", b"both\n", 0o444);
    store.file("base", b"var/run/keep", b"", 0o444);
    store.file("base", b"tmp/.keep", b"", 0o444);
    store.link("base", b"lib", b"usr/lib");
    store.file("old", b"lib/x86_64/libold.so.1", b"\x7fELF", 0o444);
    store.link("old", b"lib/x86_64/libold.so", b"libold.so.1");
    store.file("old", b"usr/share/both", b"both\n", 0o444);
    // Component order is not text order.
    for name in [b"usr/share/order/a/z".as_slice(), b"usr/share/order/a-b", b"usr/share/order/a.c"] {
        store.file("old", name, name, 0o444);
    }
    store.file("old", b"usr/share/names/\xff\xfe", b"not UTF-8", 0o444);
    store.file("old", "usr/share/names/äöü".as_bytes(), &[b'x'; 3000], 0o444);
    store.file("old", &[b"usr/share/".as_slice(), &[b'n'; 150]].concat(), b"long", 0o444);
    store.file("one-1.0", b"lib/python3.13/site-packages/one/__init__.py", b"", 0o444);
    store.file("one-1.0", b"bin/one", b"#!/app/.venv/bin/python\n", 0o555);
    store.file("two-1.0", b"lib64/two.so", b"\x7fELF", 0o444);
    store.file("two-1.0", b"lib/python3.13/site-packages/two.py", b"", 0o444);
    store.link("root", b"app/.venv/lib64", b"lib");
    store.link("root", b"var/run", b"/run");
    fs::create_dir_all(store.place("root", b"home/lich")).unwrap();
    store.file("root-plan", b"", plan("/nix/store").to_string().as_bytes(), 0o444);
    store.seal();
    store
}

fn plan(store: &str) -> Value {
    json!({
        "links": { "lib": "usr/lib", "var/run": "run", "app/.venv/lib64": "app/.venv/lib" },
        "sealed": "app",
        "modes": { "tmp": ["1777", 0, 0], "home/lich": ["777", 0, 0], "usr/bin/tool": ["755", 0, 42], "usr/bin/tool-2": ["755", 0, 42] },
        "hard_links": { "usr/bin/tool-2": "usr/bin/tool" },
        "left_out": { (store_path("old").replace("/nix/store", store)): ["usr/share/both"] },
        "shared": { "usr/share/both": ["package base", "package old"] },
        "replaced": {},
        "notes": [],
    })
}

/// The `conf.json` of the image, its store at `store`.
fn text(store: &str) -> String {
    let at = |at: &str, names: &[&str]| -> Vec<Value> {
        names
            .iter()
            .map(|name| json!({ "at": at, "path": store_path(name).replace("/nix/store", store) }))
            .collect()
    };
    let mut value: Value = serde_json::from_str(&conf_text(&[], "none")).unwrap();
    value["customisation_layer"] = Value::Null;
    value["root_plan"] = store_path("root-plan").replace("/nix/store", store).into();
    value["store_layers"] = json!([
        { "comment": "system: base old", "contents": at("/", &["base", "old"]) },
        { "comment": "wheels: one two", "contents": at("/app/.venv", &["one-1.0", "two-1.0"]) },
        { "comment": "root", "contents": at("/", &["root"]) },
    ]);
    value.to_string()
}

fn prepared(store: &PseudoStore, text: &str) -> Image {
    image::prepare(&conf(text), &store.root(), &store.directory().join("cache"), &Silent).unwrap()
}

fn archive(store: &PseudoStore, text: &str) -> Vec<u8> {
    let image = prepared(store, text);
    let mut bytes = Vec::new();
    image::stream(&image, std::slice::from_ref(image.reference()), &store.root(), &mut bytes).unwrap();
    bytes
}

/// Each layer's entries as Python's `tarfile` reads them: a line each.
fn entries(archive: &Path) -> Vec<Vec<String>> {
    let script = r"
import json, sys, tarfile
layers = []
with tarfile.open(sys.argv[1]) as archive:
    for path in json.load(archive.extractfile('manifest.json'))[0]['Layers']:
        with tarfile.open(fileobj=archive.extractfile(path)) as layer:
            layers.append([f'{m.type.decode()} {m.mode:o} {m.uid}:{m.gid} {m.uname}:{m.gname} {m.mtime} {ascii(m.name)[1:-1]}' + (f' -> {m.linkname}' if m.linkname else '') for m in layer])
print(json.dumps(layers))
";
    let done = Command::new("python3").args(["-c", script]).arg(archive).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn both_streamers_write_the_same_bytes_and_they_are_the_root() {
    let store = store();
    let native = archive(&store, &text("/nix/store"));

    // The script opens the paths that it is told, so it is told where they are.
    let physical = store.root().physical().to_str().unwrap().to_owned();
    let place = store.directory().join("conf.json");
    let here = text(&physical).replace("-root-plan", "-root-plan-here");
    fs::write(&place, here.replace("\"store_dir\":\"/nix/store\"", &format!("\"store_dir\":\"{physical}\"")))
        .unwrap();
    let plan_here = format!("{}-here", store.place("root-plan", b"").display());
    fs::write(plan_here, plan(&physical).to_string()).unwrap();
    let done = Command::new("python3").args(["-I", "-X", "utf8", STREAMER]).arg(&place).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let written = store.directory().join("native.tar");
    fs::write(&written, &native).unwrap();
    assert!(done.stdout == native, "{:#?}", entries(&written));

    let long = "n".repeat(150);
    let want = [
        vec![
            "5 755 0:0 root:root 1 .".to_owned(),
            "2 777 0:0 root:root 1 lib -> usr/lib".into(),
            "5 755 0:0 root:root 1 run".into(),
            "0 644 0:0 root:root 1 run/keep".into(),
            "5 1777 0:0 root:root 1 tmp".into(),
            "0 644 0:0 root:root 1 tmp/.keep".into(),
            "5 755 0:0 root:root 1 usr".into(),
            "5 755 0:0 root:root 1 usr/bin".into(),
            "0 755 0:42 root: 1 usr/bin/tool".into(),
            "1 755 0:42 root: 1 usr/bin/tool-2 -> usr/bin/tool".into(),
            "5 755 0:0 root:root 1 usr/lib".into(),
            "5 755 0:0 root:root 1 usr/lib/x86_64".into(),
            "2 777 0:0 root:root 1 usr/lib/x86_64/libold.so -> libold.so.1".into(),
            "0 644 0:0 root:root 1 usr/lib/x86_64/libold.so.1".into(),
            "5 755 0:0 root:root 1 usr/share".into(),
            "0 644 0:0 root:root 1 usr/share/both".into(),
            "5 755 0:0 root:root 1 usr/share/names".into(),
            r"0 644 0:0 root:root 1 usr/share/names/\xe4\xf6\xfc".into(),
            r"0 644 0:0 root:root 1 usr/share/names/\udcff\udcfe".into(),
            format!("0 644 0:0 root:root 1 usr/share/{long}"),
            "5 755 0:0 root:root 1 usr/share/order".into(),
            "5 755 0:0 root:root 1 usr/share/order/a".into(),
            "0 644 0:0 root:root 1 usr/share/order/a/z".into(),
            "0 644 0:0 root:root 1 usr/share/order/a-b".into(),
            "0 644 0:0 root:root 1 usr/share/order/a.c".into(),
            "5 755 0:0 root:root 1 var".into(),
        ],
        vec![
            "5 755 0:0 root:root 1 .".to_owned(),
            "5 555 0:0 root:root 1 app".into(),
            "5 555 0:0 root:root 1 app/.venv".into(),
            "5 555 0:0 root:root 1 app/.venv/bin".into(),
            "0 555 0:0 root:root 1 app/.venv/bin/one".into(),
            "5 555 0:0 root:root 1 app/.venv/lib".into(),
            "5 555 0:0 root:root 1 app/.venv/lib/python3.13".into(),
            "5 555 0:0 root:root 1 app/.venv/lib/python3.13/site-packages".into(),
            "5 555 0:0 root:root 1 app/.venv/lib/python3.13/site-packages/one".into(),
            "0 444 0:0 root:root 1 app/.venv/lib/python3.13/site-packages/one/__init__.py".into(),
            "0 444 0:0 root:root 1 app/.venv/lib/python3.13/site-packages/two.py".into(),
            "0 444 0:0 root:root 1 app/.venv/lib/two.so".into(),
        ],
        vec![
            "5 755 0:0 root:root 1 .".to_owned(),
            "5 555 0:0 root:root 1 app".into(),
            "5 555 0:0 root:root 1 app/.venv".into(),
            "2 777 0:0 root:root 1 app/.venv/lib64 -> lib".into(),
            "5 755 0:0 root:root 1 home".into(),
            "5 777 0:0 root:root 1 home/lich".into(),
            "5 755 0:0 root:root 1 var".into(),
            "2 777 0:0 root:root 1 var/run -> /run".into(),
        ],
    ];
    let found = entries(&written);
    assert_eq!(found.len(), want.len());
    for (found, want) in found.iter().zip(&want) {
        assert_eq!(found, want);
    }
}

#[test]
fn a_package_built_elsewhere_to_the_same_content_is_the_same_image() {
    let store = store();
    let first = prepared(&store, &text("/nix/store"));
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(store.place("one-1.0", b"")).arg(store.place("other-name", b""));
    assert!(copy.status().unwrap().success());
    let second =
        prepared(&store, &text("/nix/store").replace(&store_path("one-1.0"), &store_path("other-name")));
    assert_eq!(first.config_digest(), second.config_digest());

    // What the plan says is part of what a layer is: nothing remembered is believed under another.
    let plan = plan("/nix/store").to_string().replace("1777", "1755");
    store.file("root-plan", b"", plan.as_bytes(), 0o644);
    let third = prepared(&store, &text("/nix/store"));
    let diff_ids = |image: &Image| image.layers().iter().map(image::Layer::diff_id).collect::<Vec<_>>();
    let (first, third) = (diff_ids(&first), diff_ids(&third));
    assert_ne!(first[0], third[0]);
    assert_eq!(first[1..], third[1..]);
}

#[test]
fn what_cannot_be_placed_is_refused() {
    let store = store();
    let refused = |text: &str| {
        let conf = match image::Conf::parse(&lychd_forge::diagnostic::Source::new("conf.json", text)) {
            Ok(conf) => conf,
            Err(failure) => return failure.to_string(),
        };
        image::prepare(&conf, &store.root(), &store.directory().join("cache"), &Silent)
            .unwrap_err()
            .to_string()
    };
    let good = text("/nix/store");
    for (from, to, want) in [
        ("\"at\":\"/app/.venv\"", "\"at\":\"/app/../etc\"", "is no absolute path"),
        ("\"at\":\"/app/.venv\"", "\"at\":\"app\"", "is no absolute path"),
        ("\"at\":\"/app/.venv\",", "", "a content is an object without `path` and `at`"),
        ("\"comment\":\"root\",", "", "neither a list of store paths nor packages at their places"),
        ("\"root_plan\":", "\"plan\":", "no key `root_plan`"),
        ("-root-plan", "-base", "directory"),
    ] {
        assert!(good.contains(from), "{from}");
        let told = refused(&good.replace(from, to));
        assert!(told.contains(want), "{to}: {told}");
    }
    // A hard link to what is not there, or comes later.
    for (name, first) in [("usr/bin/tool", "usr/bin/tool-2"), ("usr/bin/tool-2", "usr/bin/gone")] {
        let mut plan = plan("/nix/store");
        plan["hard_links"] = json!({ (name): first });
        store.file("root-plan", b"", plan.to_string().as_bytes(), 0o644);
        let told = refused(&good);
        assert!(told.contains("which does not come before it in the layer"), "{told}");
    }
    // Two packages with one path, of which the plan knows nothing.
    let mut plan = plan("/nix/store");
    plan["left_out"] = json!({});
    store.file("root-plan", b"", plan.to_string().as_bytes(), 0o644);
    let told = refused(&good);
    assert!(
        told.contains("usr/share/both` is in the image at a path that another package of the layer has"),
        "{told}"
    );
}
