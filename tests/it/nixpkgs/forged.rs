//! The forge itself on nixpkgs: from a Crypt to a flake and to a body.

use std::{fs, path::Path};

use lychd_forge::host::process::Command;
use serde_json::{Value, json};

use super::{
    answer, evaluate, foreign_tree,
    host::{HOST, whole_host_nixpkgs},
    manifest_directory, nix, run_in,
};

/// The forge as a user runs it, over a copy of the example whose `forge.toml` is this and which has no image of
/// Debian's packages.
fn forge(scratch: &Path, forge_toml: &str, arguments: &[&str]) -> Command {
    let (codex, crypt) = (scratch.join("codex"), scratch.join("crypt"));
    if !crypt.exists() {
        fs::create_dir_all(&codex).unwrap();
        let example = manifest_directory().join("examples/crypt");
        answer(&Command::new("cp").arg("-r").arg(example).arg(&crypt));
        let core = crypt.join("core/pyproject.toml");
        let text = fs::read_to_string(&core).unwrap();
        let database = "[tool.lychd.images.database]\npreset = \"postgresql-17-pgvector\"\n";
        assert!(text.contains(database));
        fs::write(core, text.replace(database, "")).unwrap();
        let lychd = fs::read_to_string(manifest_directory().join("examples/codex/lychd.toml")).unwrap();
        assert!(lychd.contains("image = \"forged\"\n"));
        fs::write(codex.join("lychd.toml"), lychd.replace("image = \"forged\"\n", "")).unwrap();
    }
    fs::write(codex.join("forge.toml"), forge_toml).unwrap();
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    Command::new("env")
        .arg(format!("XDG_CACHE_HOME={}", cache.display()))
        // For the tree over this host's programs; a user's Nix has its own.
        .arg(format!("NIX_CONFIG=sandbox-paths = {HOST}\nsubstituters ="))
        .args([env!("CARGO_BIN_EXE_lychd-forge"), "--quiet", "--codex"])
        .arg(codex)
        .arg("--crypt")
        .arg(crypt)
        .arg("--state")
        .arg(scratch.join("state"))
        .args(arguments)
}

fn forge_toml(nar_hash: &str) -> String {
    format!(
        "[substrate]\nkind = \"nixpkgs\"\n[substrate.nixpkgs]\n\
         ref = \"github:NixOS/nixpkgs/531670d871c0e29724a02f3cbcac170adc65b58c\"\nnar-hash = \"{nar_hash}\"\n"
    )
}

/// From the example's Crypt to a flake on nixpkgs; on corepkgs, which has no tesseract, to an error and a derivation.
#[test]
fn the_example_is_synthesized_for_nixpkgs() {
    let scratch = tempfile::tempdir().unwrap();
    let codex = forge_toml("sha256-ODZkEK9Gy50yg6h98u7KkitZ3oc/uuTFK00bh1CRdNA=");
    let flake = scratch.path().join("flake");
    let transmute = || answer(&forge(scratch.path(), &codex, &["transmute", "--out"]).arg(&flake));
    transmute();
    let kept = fs::read_to_string(scratch.path().join("state/synthesis/synthesis.json")).unwrap();
    let synthesis: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(synthesis["system_packages"], json!([]));
    assert_eq!(synthesis["substrate"]["kind"], "nixpkgs");
    let packages = synthesis["substrate"]["packages"].as_array().unwrap();
    let attribute = |name: &str| {
        packages
            .iter()
            .find(|package| package["name"] == name)
            .map_or(&Value::Null, |found| &found["attribute"])
    };
    assert_eq!(
        [
            attribute("libmagic1"),
            attribute("tesseract-ocr"),
            attribute("ffmpeg"),
            attribute("ca-certificates")
        ],
        ["file", "tesseract", "ffmpeg", "cacert"]
    );
    let lock = fs::read_to_string(scratch.path().join("crypt/synthesis/debian.lock.json")).unwrap();
    assert!(
        lock.contains("\"python3.13-minimal\"") && !lock.contains("\"ca-certificates\""),
        "tools alone are pinned"
    );
    assert!(flake.join("flake.lock").is_file() && !flake.join("debian.nix").exists());
    answer(&forge(scratch.path(), &codex, &["transmute", "--locked", "--check", "--out"]).arg(&flake));

    let Some(corepkgs) =
        foreign_tree("LYCHD_FORGE_COREPKGS", "half of the_example_is_synthesized_for_nixpkgs")
    else {
        return;
    };
    let output = evaluate(&flake, "lychd-image.drvPath", &corepkgs).output().unwrap();
    let want = "has no `tesseract` (for `tesseract-ocr`), requested by scribe at extensions/scribe/pyproject.toml:29:5";
    assert!(output.stderr.contains(want), "{}", output.stderr);
    let manifest = scratch.path().join("crypt/extensions/scribe/pyproject.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("nixpkgs = \"tesseract\"", "nixpkgs = \"libjpeg\"")).unwrap();
    transmute();
    let derivation = answer(&evaluate(&flake, "lychd-image.drvPath", &corepkgs));
    assert!(derivation.ends_with("-stream-lychd.drv"), "{derivation}");
}

/// `--nixpkgs DIR` says where the pinned tree is, never which one it is.
#[test]
fn another_tree_than_the_pinned_one_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let tree = scratch.path().join("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("default.nix"), "_: { }\n").unwrap();
    let codex = forge_toml("sha256-ODZkEK9Gy50yg6h98u7KkitZ3oc/uuTFK00bh1CRdNA=");
    let run = |codex: &str| {
        forge(scratch.path(), codex, &["forge", "--no-load", "--nixpkgs"]).arg(&tree).output().unwrap().stderr
    };
    let told = run(&codex);
    assert!(
        told.contains("is not the nixpkgs that is pinned") && told.contains("its hash is sha256-"),
        "{told}"
    );
    let told = run("");
    assert!(told.contains("`--nixpkgs` has no meaning for a body on the embedded substrate"), "{told}");
    // The right hash takes it as far as Nix, which finds no package in it.
    let hash = answer(&nix("nix").args(["hash", "path", "--sri"]).arg(&tree));
    let told = run(&forge_toml(&hash));
    assert!(told.contains("this nixpkgs has no") && told.contains("which every image needs"), "{told}");
}

/// All of it: a Crypt of `init`, its locks, nixpkgs from a directory, a member built by its backend, native wheels
/// patched, upstream's layers, our stream; and the application answers.
#[test]
fn the_forge_forges_a_body_on_nixpkgs() {
    let test = "the_forge_forges_a_body_on_nixpkgs";
    let Some(old) = foreign_tree("LYCHD_FORGE_NIXPKGS_2009", test) else { return };
    let Some(corepkgs) = foreign_tree("LYCHD_FORGE_COREPKGS", test) else { return };
    let scratch = tempfile::tempdir().unwrap();
    let tree = whole_host_nixpkgs(scratch.path(), &old, &corepkgs.join("build-support/docker"));
    let hash = answer(&nix("nix").args(["hash", "path", "--sri"]).arg(&tree));
    let codex = format!(
        "[image]\npython = \"3.11\"\n{}[substrate.debian]\nsuites = [\"bookworm\", \"bookworm-security\"]\n",
        forge_toml(&hash)
    );
    fs::create_dir_all(scratch.path().join("crypt")).unwrap();
    fs::create_dir_all(scratch.path().join("codex")).unwrap();
    answer(&forge(scratch.path(), &codex, &["init"]));
    let made =
        answer(&forge(scratch.path(), &codex, &["forge", "--json", "--no-load", "--nixpkgs"]).arg(&tree));
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!(made["substrate"], "nixpkgs");
    assert!(
        made["packages"]["python"].as_u64().unwrap() > 10 && made["layers"].as_u64().unwrap() > 20,
        "{made}"
    );

    let body = scratch
        .path()
        .join("state/bodies")
        .join(made["body"].as_str().unwrap().trim_start_matches("sha256:"))
        .join("body.json");
    let body: Value = serde_json::from_str(&fs::read_to_string(body).unwrap()).unwrap();
    let conf = fs::read_to_string(body["images"]["vessel"]["conf"].as_str().unwrap()).unwrap();
    let program = "
import asyncio, importlib.metadata, granian, msgspec
from body.app import create_app
sent = []
async def receive():
    return {'type': 'http.request', 'body': b'', 'more_body': False}
async def send(message):
    sent.append(message)
scope = {'type': 'http', 'asgi': {'version': '3.0'}, 'http_version': '1.1', 'method': 'GET', 'scheme': 'http',
         'path': '/health', 'raw_path': b'/health', 'query_string': b'', 'root_path': '', 'headers': [],
         'client': ('127.0.0.1', 1), 'server': ('127.0.0.1', 2), 'state': {}}
asyncio.run(create_app()(scope, receive, send))
print(sent[0]['status'], sent[1]['body'].decode())";
    let answered = run_in(scratch.path(), &serde_json::from_str(&conf).unwrap(), &[], program);
    assert_eq!(answered, r#"200 {"status":"ok"}"#);
}
