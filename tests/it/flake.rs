//! This repository's own flake: its outputs, its pins, its template and its overlay. Nothing large is built here;
//! `make package` builds the package and what `nix flake check` wants.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use lychd_forge::{host::file, tree::FileTree};
use serde_json::Value;
use tempfile::TempDir;

use crate::nixpkgs::foreign_tree;

const FORGE: &str = env!("CARGO_BIN_EXE_lychd-forge");
/// What of the checkout the flake looks at.
const LOOKED_AT: [&str; 12] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "benches",
    "build.rs",
    "docs",
    "examples/flake",
    "flake.lock",
    "flake.nix",
    "nix",
    "src",
    "templates",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The flake without target/ beside it, so that Nix copies little, and without git.
pub(crate) fn checkout() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in LOOKED_AT {
        let place = directory.path().join(name);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        let copied = Command::new("cp").arg("-R").arg(root().join(name)).arg(&place).status().unwrap();
        assert!(copied.success(), "{name}");
    }
    directory
}

pub(crate) fn nix(arguments: &[&str]) -> Command {
    let mut command = Command::new("nix");
    command.args(["--extra-experimental-features", "nix-command flakes", "--option", "substituters", ""]);
    command.args(arguments);
    command
}

pub(crate) fn text(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(command: &mut Command) -> Value {
    serde_json::from_str(&text(command.output().unwrap())).unwrap()
}

/// An expression over the files of the checkout, without a store.
fn evaluate(expression: &str) -> Output {
    Command::new("nix-instantiate")
        .args(["--eval", "--strict", "--json", "--store", "dummy://", "--expr", expression])
        .current_dir(root())
        .output()
        .unwrap()
}

fn nix_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            nix_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "nix") {
            found.push(path);
        }
    }
}

#[test]
fn every_nix_file_parses() {
    let mut files = vec![root().join("flake.nix")];
    for directory in ["nix", "templates", "tests/nix"] {
        nix_files(&root().join(directory), &mut files);
    }
    assert!(files.len() > 40, "{files:?}");
    for file in files {
        let parsed = Command::new("nix-instantiate")
            .args(["--parse", "--store", "dummy://"])
            .arg(&file)
            .output()
            .unwrap();
        assert!(parsed.status.success(), "{}", String::from_utf8_lossy(&parsed.stderr));
    }
}

#[test]
fn the_flake_shows_its_outputs() {
    let checkout = checkout();
    let flake = format!("path:{}", checkout.path().display());
    let shown = json(&mut nix(&["flake", "show", "--json", &flake]));
    let names = |output: &str| -> Vec<String> {
        shown[output]["x86_64-linux"].as_object().unwrap().keys().cloned().collect()
    };
    let database = ["lychd-image-database", "lychd-image-database-conf"];
    let packages = ["default", "lychd-forge", "lychd-image", "lychd-image-conf"];
    assert_eq!(names("packages"), [packages.as_slice(), &database].concat());
    assert_eq!(names("apps"), ["bind", "default", "lychd-forge", "rebirth"]);
    assert_eq!(names("devShells"), ["default"]);
    assert_eq!(names("checks"), ["image", "package", "unit-tests"]);
    assert_eq!(shown["templates"]["default"]["type"], "template");
    assert_eq!(shown["overlays"]["default"]["type"], "nixpkgs-overlay");
    let lock = fs::read_to_string(checkout.path().join("flake.lock")).unwrap();
    assert_eq!(lock, fs::read_to_string(root().join("flake.lock")).unwrap(), "no input came in");
}

/// All that the package is built from: the toolchain, and every crate of Cargo.lock by the lock's own hash.
#[test]
fn the_package_needs_every_crate_and_no_nixpkgs() {
    let checkout = checkout();
    let flake = format!("path:{}#lychd-forge.drvPath", checkout.path().display());
    let derivation = text(nix(&["eval", "--raw", &flake]).output().unwrap());
    let closure =
        text(Command::new("nix-store").args(["--query", "--requisites", &derivation]).output().unwrap());
    let built: BTreeSet<&str> = closure
        .lines()
        .filter_map(|path| path.strip_suffix(".crate.drv")?.split_once('-').map(|(_, name)| name))
        .collect();
    let locked = locked_crates();
    let named: BTreeSet<String> =
        locked.iter().map(|(name, version, _)| format!("{name}-{version}")).collect();
    assert_eq!(built, named.iter().map(String::as_str).collect());
    for wanted in ["-rustc_1.", "-cargo_1.", "-busybox-static_", "-lychd-forge-crates.drv"] {
        assert!(closure.contains(wanted), "{wanted} is not in\n{closure}");
    }
    assert!(!closure.contains("stdenv"), "{closure}");
}

fn locked_crates() -> BTreeSet<(String, String, String)> {
    let lock: toml::Table = fs::read_to_string(root().join("Cargo.lock")).unwrap().parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let field = |package: &toml::Value, name: &str| package[name].as_str().unwrap().to_owned();
    let foreign = packages.iter().filter(|package| package.get("source").is_some());
    foreign
        .map(|package| (field(package, "name"), field(package, "version"), field(package, "checksum")))
        .collect()
}

#[test]
fn each_crate_is_a_download_by_the_locks_hash() {
    let crates = text(evaluate(
        "map (crate: crate.file) (import ./nix/forge/crates.nix { fetchurl = it: it; } ./Cargo.lock)",
    ));
    let crates: Value = serde_json::from_str(&crates).unwrap();
    let found: BTreeSet<(String, String, String)> = crates
        .as_array()
        .unwrap()
        .iter()
        .map(|file| {
            let field = |name: &str| file[name].as_str().unwrap().to_owned();
            (field("name"), field("url"), field("sha256"))
        })
        .collect();
    let expected: BTreeSet<(String, String, String)> = locked_crates()
        .into_iter()
        .map(|(name, version, checksum)| {
            let url = format!("https://static.crates.io/crates/{name}/{version}/download");
            (format!("{name}-{version}.crate"), url, checksum)
        })
        .collect();
    assert!(expected.len() > 300);
    assert_eq!(found, expected);
}

#[test]
fn a_crate_from_elsewhere_or_without_a_hash_is_refused() {
    let registry = "registry+https://github.com/rust-lang/crates.io-index";
    for (entry, expected) in [
        ("source = 'git+https://example.org/x#1'", "is from git+https://example.org/x#1, not from crates.io"),
        (&format!("source = '{registry}'"), "has no checksum"),
    ] {
        let scratch = tempfile::tempdir().unwrap();
        let lock = scratch.path().join("Cargo.lock");
        fs::write(&lock, format!("[[package]]\nname = 'x'\nversion = '1.0.0'\n{entry}\n")).unwrap();
        let refused =
            evaluate(&format!("import ./nix/forge/crates.nix {{ fetchurl = it: it; }} {}", lock.display()));
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains(expected), "{said}");
    }
}

/// An edit of the documentation or of a test builds nothing anew; one of the program or the library does.
#[test]
fn the_source_of_the_package_is_what_it_is_built_from() {
    let source = |checkout: &Path| {
        let expression = format!(
            "let source = import {0}/nix/forge/source.nix {{ root = {0}; }}; in \
             {{ path = \"${{source}}\"; top = builtins.attrNames (builtins.readDir source); \
             nix = builtins.attrNames (builtins.readDir (source + \"/nix\")); }}",
            checkout.display()
        );
        json(&mut nix(&["eval", "--impure", "--json", "--expr", &expression]))
    };
    let checkout = checkout();
    let before = source(checkout.path());
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let top = ["Cargo.lock", "Cargo.toml", "LICENSE", "benches", "build.rs", "nix", "src", "templates"];
    assert_eq!(names(&before["top"]), top);
    let library = names(&before["nix"]);
    assert!(library.iter().any(|name| name == "debian") && library.iter().any(|name| name == "image.nix"));
    assert!(
        !library.iter().any(|name| ["README.md", "forge", "tests"].contains(&name.as_str())),
        "{library:?}"
    );
    for name in
        ["README.md", "docs.md", "nix/README.md", "nix/tests/new.py", "templates/init/README.md", "flake.nix"]
    {
        fs::write(checkout.path().join(name), "# new\n").unwrap();
    }
    assert_eq!(source(checkout.path()), before);
    for name in ["src/new.rs", "nix/new.nix", "templates/init/codex/forge.toml"] {
        let file = checkout.path().join(name);
        let old = fs::read(&file).ok();
        fs::write(&file, "# new\n").unwrap();
        assert_ne!(source(checkout.path())["path"], before["path"], "{name}");
        match old {
            Some(old) => fs::write(&file, old).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
    }
}

/// The pins are those of the lock, which the forge itself resolved, and new enough for Cargo.toml.
#[test]
fn the_toolchain_is_what_its_lock_says() {
    let directory = root().join("nix/forge/toolchain");
    let scratch = tempfile::tempdir().unwrap();
    let flake = scratch.path().join("flake");
    let done = Command::new(FORGE)
        .env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"))
        .arg("--codex")
        .arg(directory.join("codex"))
        .arg("--crypt")
        .arg(directory.join("crypt"))
        .arg("--state")
        .arg(scratch.path().join("state"))
        .args(["--quiet", "transmute", "--locked", "--out"])
        .arg(&flake)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    // The first line of a flake names a Synthesis, which the Nix library is part of.
    let pins = |file: &Path| {
        let text = fs::read_to_string(file).unwrap();
        text.split_once('\n').unwrap().1.to_owned()
    };
    let committed = pins(&directory.join("debian.nix"));
    assert!(committed == pins(&flake.join("debian.nix")), "run `make toolchain`");

    let rustc = committed.split_once("\"rustc\" = {").unwrap().1;
    let version = rustc.split('"').nth(1).unwrap();
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let wanted = manifest["package"]["rust-version"].as_str().unwrap();
    let number =
        |text: &str| -> Vec<u32> { text.split('.').take(2).map(|part| part.parse().unwrap()).collect() };
    assert!(number(version) >= number(wanted), "rustc {version}, and Cargo.toml wants {wanted}");
}

/// `nix flake init` gives what `lychd-forge init` writes, beside a README and a flake for the body.
#[test]
fn the_template_is_what_init_writes() {
    let checkout = checkout();
    let scratch = tempfile::tempdir().unwrap();
    let (template, skeleton) = (scratch.path().join("template"), scratch.path().join("skeleton"));
    fs::create_dir(&template).unwrap();
    let flake = format!("path:{}", checkout.path().display());
    text(nix(&["flake", "init", "-t", &flake]).current_dir(&template).output().unwrap());
    let done = Command::new(FORGE)
        .arg("--codex")
        .arg(skeleton.join("codex"))
        .arg("--crypt")
        .arg(skeleton.join("crypt"))
        .arg("init")
        .output()
        .unwrap();
    text(done);
    let own = ["README.md", "flake.nix"];
    let mut written = FileTree::new();
    for (path, entry) in file::read_tree(&template).unwrap().iter() {
        if !own.contains(&path.as_str()) {
            written.insert(path.clone(), entry.clone());
        }
    }
    assert_eq!(written, file::read_tree(&skeleton).unwrap());

    // Its flake is the body's, once there is one, and the forge's at work on it; with one input, and no registry asked.
    let here = flake;
    let flake = fs::read_to_string(template.join("flake.nix")).unwrap();
    assert!(flake.contains("path:/path/to/lychd-forge"), "{flake}");
    fs::write(template.join("flake.nix"), flake.replace("path:/path/to/lychd-forge", &here)).unwrap();
    let of = |attribute: &str| format!("path:{}#{attribute}", template.display());
    let eval = |arguments: &[&str], attribute: &str| {
        nix(&["eval"]).args(arguments).arg(of(attribute)).args(["--flake-registry", ""]).output().unwrap()
    };
    let refused = eval(&["--raw"], "lychd-image.name");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("there is no flake/ yet: run `nix run"), "{said}");
    let copied =
        Command::new("cp").arg("-R").arg(root().join("examples/flake")).arg(template.join("flake")).status();
    assert!(copied.unwrap().success());
    assert_eq!(text(eval(&["--raw"], "lychd-image.name")), "stream-lychd");
    for (attribute, name) in [
        ("checks.x86_64-linux.lychd-image.name", "lychd-image-check"),
        ("devShells.x86_64-linux.default.name", "lychd-shell"),
    ] {
        assert_eq!(text(eval(&["--raw"], attribute)), name);
    }
    let program = text(eval(&["--raw"], "apps.x86_64-linux.bind.program"));
    assert!(program.ends_with("-lychd-forge-bind/bin/lychd-forge-bind"), "{program}");
    let lock = fs::read_to_string(template.join("flake.lock")).unwrap();
    let lock: Value = serde_json::from_str(&lock).unwrap();
    let inputs: Vec<&String> = lock["nodes"].as_object().unwrap().keys().collect();
    assert_eq!(inputs, ["lychd-forge", "root"]);
}

/// What the overlay asks of nixpkgs, told by a nixpkgs that answers with the question.
#[test]
fn the_overlay_calls_nixpkgs_with_the_lock() {
    let expression = r#"
      let
        lib = { optionalString = yes: text: if yes then text else ""; licenses.mpl20 = "MPL-2.0"; };
        platform = { canExecute = _: true; };
        final = {
          callPackage = file: arguments: import file ({
            inherit lib;
            stdenv = { buildPlatform = platform; hostPlatform = platform; };
            rustPlatform.buildRustPackage = it: it;
            installShellFiles = "installShellFiles";
          } // arguments);
        };
        package = ((import ./flake.nix).outputs { self = { }; }).overlays.default final { };
      in
      removeAttrs package.lychd-forge [ "src" ] // { lock = builtins.readFile package.lychd-forge.cargoLock.lockFile; cargoLock = null; }
    "#;
    let package: Value = serde_json::from_str(&text(evaluate(expression))).unwrap();
    assert_eq!(package["pname"], "lychd-forge");
    assert_eq!(package["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(package["lock"], fs::read_to_string(root().join("Cargo.lock")).unwrap());
    assert_eq!(package["nativeBuildInputs"][0], "installShellFiles");
    assert_eq!(package["meta"]["mainProgram"], "lychd-forge");
    let install = package["postInstall"].as_str().unwrap();
    for wanted in [
        "for shell in bash zsh fish",
        "installShellCompletion --cmd lychd-forge",
        "installManPage manual/*.1",
    ] {
        assert!(install.contains(wanted), "{wanted} is not in\n{install}");
    }
}

/// The real `buildRustPackage` takes it.
#[test]
fn the_overlay_instantiates_on_corepkgs() {
    let Some(corepkgs) = foreign_tree("LYCHD_FORGE_COREPKGS", "the_overlay_instantiates_on_corepkgs") else {
        return;
    };
    let expression = format!(
        "let flake = (import {}/flake.nix).outputs {{ self = {{ }}; }}; in \
         (import {} {{ overlays = [ flake.overlays.default ]; }}).lychd-forge",
        root().display(),
        corepkgs.display()
    );
    let derivation = text(Command::new("nix-instantiate").args(["--expr", &expression]).output().unwrap());
    assert!(
        derivation.trim().ends_with(&format!("-lychd-forge-{}.drv", env!("CARGO_PKG_VERSION"))),
        "{derivation}"
    );
}

/// What packages install: a page for each verb, and completions that a shell takes.
#[test]
fn the_manual_and_the_completions_can_be_installed() {
    let scratch = tempfile::tempdir().unwrap();
    let forge = |arguments: &[&str]| {
        text(Command::new(FORGE).args(arguments).current_dir(scratch.path()).output().unwrap())
    };
    let written: Value = serde_json::from_str(&forge(&["--json", "man", "--out", "share/man1"])).unwrap();
    let directory = scratch.path().join("share/man1");
    assert_eq!(written["directory"], directory.to_str().unwrap());
    let files: Vec<&str> =
        written["pages"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    assert!(
        files.len() >= 10 && files[0] == "lychd-forge.1" && files.contains(&"lychd-forge-forge.1"),
        "{files:?}"
    );
    assert_eq!(fs::read_dir(&directory).unwrap().count(), files.len());
    let pages: String = files.iter().map(|file| fs::read_to_string(directory.join(file)).unwrap()).collect();
    assert_eq!(pages, forge(&["man"]));
    // again, over what is there
    assert!(forge(&["man", "--out", "share/man1"]).contains(&files.len().to_string()));

    for shell in ["bash", "zsh", "fish"] {
        let script = forge(&["completions", shell]);
        assert!(script.contains("synthesize") && script.contains("lychd-forge"), "{shell}\n{script}");
        fs::write(scratch.path().join(shell), script).unwrap();
    }
    let read = Command::new("bash").arg("-n").arg(scratch.path().join("bash")).status().unwrap();
    assert!(read.success());
}
