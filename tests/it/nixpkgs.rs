//! The flake on nixpkgs: its text, what a current tree makes of it, and its image out of an old tree's dockerTools.
//!
//! Two trees are too large to be kept here; the tests that want them say when they are skipped:
//!
//! - `LYCHD_FORGE_COREPKGS`: ekala-project/corepkgs, a small relative of nixpkgs with python313. Its `pins.nix`
//!   fetches ekala-project/nix-lib; without a network put that beside it and write `{ lib = ./nix-lib; }`.
//! - `LYCHD_FORGE_NIXPKGS_2009`: nixpkgs 20.09, in nixcon/nixcon-video-infra below `nixpkgs/`.

mod forged;
mod host;

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use host::{build, host_body, host_nixpkgs, members_of, stream};
use lychd_forge::{
    diagnostic::Source,
    digest::HashWriter,
    host::{
        environment::{self, program},
        process::Command,
        progress::Silent,
    },
    image::{self, Conf, StoreRoot},
    synthesis::value::{Substrate, Synthesis},
    transmute,
    tree::FileTree,
};
use serde_json::{Value, json};
use tar::EntryType::{Directory, Regular};

use crate::{golden, transmute::sample};

const GENERATED: [&str; 4] = ["flake.nix", "body.nix", "nixpkgs.nix", "flake.lock"];

fn manifest_directory() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A tree that is not ours; tells loudly when there is none.
pub(crate) fn foreign_tree(variable: &str, test: &str) -> Option<PathBuf> {
    let tree = environment::variable(variable).map(PathBuf::from);
    if let Some(tree) = &tree {
        assert!(
            tree.join("default.nix").is_file(),
            "{variable} names no tree of Nix expressions: {}",
            tree.display()
        );
    } else {
        // Past the harness, which keeps what a passing test prints to itself.
        let told = format!("\n*** skipped: {test}: {variable} is not set ***\n\n");
        std::io::stderr().write_all(told.as_bytes()).unwrap();
    }
    tree
}

fn emit((synthesis, sources): &(Synthesis, sample::Sources)) -> FileTree {
    transmute::transmute(synthesis, sources, &transmute::library()).unwrap()
}

fn text(tree: &FileTree, path: &str) -> String {
    String::from_utf8(tree.file(&path.parse().unwrap()).unwrap().to_vec()).unwrap()
}

fn nix(name: &str) -> Command {
    let command = Command::new(program(name).unwrap());
    if name == "nix" {
        command.args(["--extra-experimental-features", "nix-command flakes"])
    } else {
        command
    }
}

fn answer(command: &Command) -> String {
    let output = command.output().unwrap();
    assert!(output.success(), "{}\n{}", command.display(), output.stderr);
    output.text().trim().to_owned()
}

fn evaluate(flake: &Path, attribute: &str, nixpkgs: &Path) -> Command {
    nix("nix")
        .args([
            "eval",
            "--raw",
            "--no-update-lock-file",
            "--no-write-lock-file",
            "--override-input",
            "nixpkgs",
        ])
        .arg(format!("path:{}", nixpkgs.display()))
        .arg(format!("path:{}#{attribute}", flake.display()))
}

#[test]
fn the_flake_on_nixpkgs_is_the_golden_one() {
    let tree = emit(&sample::on_nixpkgs());
    assert_eq!(emit(&sample::on_nixpkgs()), tree, "rendered twice");
    let mut shuffled = sample::on_nixpkgs();
    if let Substrate::Nixpkgs { packages, .. } = &mut shuffled.0.substrate {
        packages.reverse();
    }
    assert_eq!(emit(&shuffled), tree, "the order of vectors does not matter");
    for name in GENERATED {
        let golden = format!("tests/golden/nixpkgs/{name}");
        golden::holds(&golden, &text(&tree, name));
        let file = manifest_directory().join(golden);
        if name != "flake.lock" {
            let parsed =
                nix("nix-instantiate").args(["--parse", "--store", "dummy://"]).arg(&file).output().unwrap();
            assert!(parsed.success(), "{name}: {}", parsed.stderr);
        }
    }
    assert!(tree.file(&"debian.nix".parse().unwrap()).is_none());
}

/// What differs in `body.nix` between the substrates is the names of system packages, what Debian's maintainer scripts
/// run in, and the Synthesis' own.
#[test]
fn the_body_is_the_same_text_on_both_substrates() {
    let strip = |text: &str| -> Vec<String> {
        let system = text.find("system = [").unwrap();
        let end = system + text[system..].find("];").unwrap();
        let text = format!("{}{}", &text[..system], &text[end..]);
        let of_debian = |line: &&str| line.contains("{ system = [") || line.starts_with("  configure = [");
        text.lines().skip(1).filter(|line| !of_debian(line)).map(str::to_owned).collect()
    };
    let debian = strip(&text(&emit(&sample::small()), "body.nix"));
    let nixpkgs = strip(&text(&emit(&sample::on_nixpkgs()), "body.nix"));
    assert!(debian.len() > 80);
    assert_eq!(debian, nixpkgs);
}

/// Nix takes the lock as it is, and an output that does not look at nixpkgs needs no download.
#[test]
fn the_lock_is_complete() {
    let scratch = tempfile::tempdir().unwrap();
    let flake = scratch.path().join("flake");
    transmute::write(&flake, &emit(&sample::on_nixpkgs())).unwrap();
    let before = fs::read_to_string(flake.join("flake.lock")).unwrap();
    let nowhere = ["--option", "substituters", "", "--no-update-lock-file"];
    let path = format!("path:{}", flake.display());
    let metadata = answer(&nix("nix").args(["flake", "metadata", "--json"]).args(nowhere).arg(&path));
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    assert_eq!(metadata["locks"], serde_json::from_str::<Value>(&before).unwrap());
    // Attribute names alone are looked at, lazily.
    let names = nix("nix").args(["eval", "--json", "--apply", "builtins.attrNames"]).args(nowhere);
    assert_eq!(
        answer(&names.arg(format!("{path}#packages.x86_64-linux"))),
        r#"["default","lychd-image","lychd-image-conf"]"#
    );
    assert_eq!(fs::read_to_string(flake.join("flake.lock")).unwrap(), before);
}

#[test]
fn it_instantiates_on_corepkgs() {
    let Some(corepkgs) = foreign_tree("LYCHD_FORGE_COREPKGS", "it_instantiates_on_corepkgs") else { return };
    let scratch = tempfile::tempdir().unwrap();
    let flake = scratch.path().join("flake");
    transmute::write(&flake, &emit(&sample::on_nixpkgs())).unwrap();
    let derivation = answer(&evaluate(&flake, "lychd-image.drvPath", &corepkgs));
    assert!(derivation.ends_with("-stream-lychd.drv"), "{derivation}");
    let conf = answer(&evaluate(&flake, "lychd-image-conf.drvPath", &corepkgs));
    assert!(conf.ends_with("-lychd-conf.json.drv"), "{conf}");

    let closure = answer(&nix("nix-store").args(["--query", "--requisites", &derivation]));
    let has = |name: &str| closure.lines().filter(|line| line.contains(name)).count();
    for name in
        ["-python3-3.13", "-file-5", "-lychd-root.drv", "-system-state.drv", "-numpy-2.3.5.drv", "-patchelf-"]
    {
        assert!(has(name) > 0, "{name} is not in\n{closure}");
    }
    assert!(has("-lychd-core.drv") == 1 && has("-lychd-vision-ocr-2-wheel.drv") == 1, "{closure}");
    assert_eq!((has("busybox-static"), has("_amd64.deb")), (0, 0), "nothing of Debian's");

    // A wheel is patched with the environment in mind, and does not depend on the rest of it.
    let wheel = closure.lines().find(|line| line.ends_with("-numpy-2.3.5.drv")).unwrap();
    let shown: Value = serde_json::from_str(&answer(&nix("nix").args(["show-derivation", wheel]))).unwrap();
    let spec: Value = serde_json::from_str(shown[wheel]["env"]["spec"].as_str().unwrap()).unwrap();
    assert_eq!(spec["elf"]["rpath"], json!(["/app/.venv/lib", "/usr/lib"]));
    assert!(!shown[wheel].to_string().contains("torch"), "{shown}");
}

/// An attribute that is not there is told with who wants it, where, and what is near.
#[test]
fn an_unknown_package_is_told_with_near_names() {
    let test = "an_unknown_package_is_told_with_near_names";
    let Some(corepkgs) = foreign_tree("LYCHD_FORGE_COREPKGS", test) else { return };
    let scratch = tempfile::tempdir().unwrap();
    for (attribute, want) in [
        ("dejavu_font", "there is no `dejavu_font`; did you mean `dejavu_fonts`?"),
        ("python313Packages.numpi", "there is no `numpi`; did you mean `numpy`?"),
        ("postgresql_99_wibble", "there is no `postgresql_99_wibble`."),
        ("lib", "is no package of this nixpkgs"),
    ] {
        let (mut synthesis, sources) = sample::on_nixpkgs();
        if let Substrate::Nixpkgs { packages, .. } = &mut synthesis.substrate {
            let place = "extensions/scribe/pyproject.toml:9:24";
            packages.push(sample::nixpkgs_package("wanted", attribute, &["core", "scribe"], &[place]));
        }
        let flake = scratch.path().join("flake");
        transmute::write(&flake, &emit(&(synthesis, sources))).unwrap();
        let output = evaluate(&flake, "lychd-image.drvPath", &corepkgs).output().unwrap();
        assert!(!output.success());
        let who = format!(
            "`{attribute}` (for `wanted`), requested by core, scribe at extensions/scribe/pyproject.toml:9:24"
        );
        for want in [who.as_str(), want] {
            assert!(output.stderr.contains(want), "{want}\n--- not in ---\n{}", output.stderr);
        }
    }
}

fn expected_config() -> Value {
    json!({
        "Cmd": ["granian", "--interface", "asgi", "app:create_app"],
        "Env": [
            "PATH=/app/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8",
            "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
            "LD_LIBRARY_PATH=/usr/lib",
            "HOME=/home/lich",
            "PYTHONDONTWRITEBYTECODE=1",
        ],
        "User": "1001:1001",
        "WorkingDir": "/app",
        "Labels": { "org.opencontainers.image.licenses": "MPL-2.0" },
        "ExposedPorts": { "443/tcp": {}, "8000/tcp": {} },
    })
}

/// The real `dockerTools` of 20.09 streams what `body.nix` says, and podman takes it.
#[test]
fn docker_tools_of_20_09_stream_our_image() {
    let test = "docker_tools_of_20_09_stream_our_image";
    let Some(old) = foreign_tree("LYCHD_FORGE_NIXPKGS_2009", test) else { return };
    let scratch = tempfile::tempdir().unwrap();
    let nixpkgs = host_nixpkgs(scratch.path(), &old, None);
    let (archive, _) = stream(&build(scratch.path(), &host_body(), &nixpkgs), scratch.path());

    let members = members_of(&archive);
    let manifest: Value = serde_json::from_slice(&members["manifest.json"]).unwrap();
    assert_eq!(manifest[0]["RepoTags"], json!(["localhost/lychd:custom"]));
    let name = manifest[0]["Config"].as_str().unwrap();
    let config: Value = serde_json::from_slice(&members[name]).unwrap();
    assert_eq!(config["config"], expected_config());
    assert_eq!((&config["architecture"], &config["os"]), (&json!("amd64"), &json!("linux")));
    let layers = manifest[0]["Layers"].as_array().unwrap();
    assert_eq!(config["rootfs"]["diff_ids"].as_array().unwrap().len(), layers.len());
    assert!(layers.len() > 10, "a layer for each path: {manifest}");

    let storage = scratch.path().join("storage");
    let podman = Command::new(program("podman").unwrap())
        .arg("--root")
        .arg(storage.join("root"))
        .arg("--runroot")
        .arg(storage.join("run"));
    answer(&podman.clone().args(["load", "--input"]).arg(&archive));
    let inspect = ["image", "inspect", "--format", "{{.Id}} {{.User}}", "localhost/lychd:custom"];
    let inspected = answer(&podman.clone().args(inspect));
    assert_eq!(inspected, format!("{} 1001:1001", name.strip_suffix(".json").unwrap()));
    answer(&podman.args(["rmi", "--all"]));
}

/// What Python prints in the root of an image, with its layers where the store has them. `env` goes to env(1).
fn run_in(scratch: &Path, conf: &Value, env: &[&str], program: &str) -> String {
    let root = scratch.join("root");
    fs::create_dir_all(root.join("nix/store")).unwrap();
    let layer = Path::new(conf["customisation_layer"].as_str().unwrap()).join("layer.tar");
    answer(&Command::new("tar").arg("-xf").arg(layer).arg("-C").arg(&root));
    let mut bwrap = Command::new("bwrap").arg("--bind").arg(&root).args([
        "/",
        "--ro-bind",
        "/nix/store",
        "/nix/store",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--unshare-all",
        "--clearenv",
    ]);
    for variable in conf["config"]["Env"].as_array().unwrap() {
        let (name, value) = variable.as_str().unwrap().split_once('=').unwrap();
        bwrap = bwrap.args(["--setenv", name, value]);
    }
    answer(&bwrap.arg("/usr/bin/env").args(env).args(["/app/.venv/bin/python", "-c", program]))
}

/// A current `dockerTools` (corepkgs', over 20.09's stdenv) makes the image whole: modes, owners, and the bytes of
/// our own streamer. What is in it runs.
#[test]
fn current_docker_tools_stream_what_our_streamer_does() {
    let test = "current_docker_tools_stream_what_our_streamer_does";
    let Some(old) = foreign_tree("LYCHD_FORGE_NIXPKGS_2009", test) else { return };
    let Some(corepkgs) = foreign_tree("LYCHD_FORGE_COREPKGS", test) else { return };
    let scratch = tempfile::tempdir().unwrap();
    let docker_tools = corepkgs.join("build-support/docker");
    let nixpkgs = host_nixpkgs(scratch.path(), &old, Some(&docker_tools));
    let executable = build(scratch.path(), &host_body(), &nixpkgs);
    let (_, upstream) = stream(&executable, scratch.path());

    let script = fs::read_to_string(&executable).unwrap();
    let conf = script.split_whitespace().find(|word| word.ends_with("-conf.json")).unwrap();
    let conf_text = fs::read_to_string(conf).unwrap();
    let parsed = Conf::parse(&Source::new("conf.json", conf_text.as_str())).unwrap();
    let image =
        image::prepare(&parsed, &StoreRoot::system(), &scratch.path().join("cache"), &Silent).unwrap();
    let mut ours = HashWriter::default();
    image::stream(&image, std::slice::from_ref(image.reference()), &StoreRoot::system(), &mut ours).unwrap();
    assert_eq!(ours.finish().0, upstream, "byte for byte");

    let conf: Value = serde_json::from_str(&conf_text).unwrap();
    assert_eq!(conf["config"], expected_config());
    let layer = Path::new(conf["customisation_layer"].as_str().unwrap()).join("layer.tar");
    let mut modes = BTreeMap::new();
    for entry in tar::Archive::new(fs::File::open(&layer).unwrap()).entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        let path = entry.path().unwrap().display().to_string();
        modes.insert(path.trim_end_matches('/').to_owned(), (header.entry_type(), header.mode().unwrap()));
    }
    for (path, expected) in [
        ("./tmp", (Directory, 0o1777)),
        ("./var/tmp", (Directory, 0o1777)),
        ("./root", (Directory, 0o700)),
        ("./app", (Directory, 0o555)),
        ("./app/.venv", (Directory, 0o555)),
        ("./home/lich", (Directory, 0o777)),
        ("./etc/passwd", (Regular, 0o444)),
        ("./app/.venv/pyvenv.cfg", (Regular, 0o444)),
    ] {
        assert_eq!(modes.get(path), Some(&expected), "{path}");
    }

    let program = "import sys, numpy, idna\nassert sys.base_prefix == '/usr' and sys.prefix == '/app/.venv'\n\
                   print(numpy.linalg.solve(numpy.eye(3) * 2, numpy.ones(3)).sum(), idna.__version__)";
    // Without LD_LIBRARY_PATH: the wheels themselves say where to look.
    assert_eq!(run_in(scratch.path(), &conf, &["-u", "LD_LIBRARY_PATH"], program), "1.5 3.10");
}
