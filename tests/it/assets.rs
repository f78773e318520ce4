//! Front ends in Nix's sandbox, without anything of npm's registry but Node and npm themselves.

use std::{fs, path::Path};

use lychd_forge::{digest::nar::nar_sha256, host::file};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::node_modules::STORE;

/// A member with a front end; `build` is the script, in a shell as npm gives it.
fn member(build: &str) -> (TempDir, Value) {
    let home = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let root = home.path().join("member");
    fs::create_dir_all(root.join("web")).unwrap();
    let manifest = json!({
        "name": "web", "version": "3.2.1", "type": "module",
        "scripts": { "prebuild": "echo first > order", "build": build, "postbuild": "echo last >> order && cp order ../static" },
    });
    fs::write(root.join("web/package.json"), manifest.to_string()).unwrap();
    fs::write(root.join("web/build.js"), BUILD).unwrap();
    let hash = nar_sha256(&file::read_tree(&root).unwrap()).unwrap().to_sri_string();
    let workspace = json!({ "source": root, "hash": hash });
    (home, workspace)
}

/// Writes down what it sees, through Node's child processes as well, and what it must not reach.
const BUILD: &str = r#"
import { execFileSync } from "node:child_process";
import dns from "node:dns/promises";
import fs from "node:fs";
import os from "node:os";
const seen = {
  child: execFileSync(process.execPath, ["--print", "6 * 7"]).toString().trim(),
  ci: process.env.CI,
  environment: process.env.NODE_ENV,
  event: process.env.npm_lifecycle_event,
  epoch: process.env.SOURCE_DATE_EPOCH,
  home: os.homedir() === process.env.HOME && fs.statSync(process.env.HOME).isDirectory(),
  host: ["/usr", "/root", "/home"].filter(path => fs.existsSync(path)),
  network: await dns.lookup("registry.npmjs.org").then(() => "there", () => "none"),
  package: `${process.env.npm_package_name}@${process.env.npm_package_version}`,
  style: fs.readFileSync("tailwind.federation.css", "utf8").split("\n").slice(1),
  tool: execFileSync("npm", ["--version"]).toString().trim(),
};
fs.mkdirSync("../static", { recursive: true });
fs.writeFileSync("../static/seen.json", JSON.stringify(seen));
"#;

fn asset(output: &str) -> String {
    format!(
        r#"forge.asset {{
  id = "vision/web"; name = "lych-web"; source = builtins.toPath forge.workspace.source; inherit (forge.workspace) hash;
  root = "extensions/vision/web"; directory = "extensions/vision/web/web"; script = "build"; output = "{output}";
  inherit (forge) toolchain;
  modules = forge.nodeModules {{ packages = [ ]; inherit (forge) toolchain; }};
}}"#
    )
}

fn failure(build: &str, output: &str) -> String {
    let (_home, workspace) = member(build);
    let failed = STORE.try_build(&asset(output), &workspace, &[]);
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(!failed.status.success(), "{said}");
    said
}

#[test]
fn a_script_sees_the_sandbox_alone_and_gives_the_same_bytes_twice() {
    let (_home, workspace) = member("node build.js");
    let built = STORE.build(&asset("static"), &workspace);
    let read = |name: &str| fs::read_to_string(STORE.physical(&built).join(name)).unwrap();
    let seen: Value = serde_json::from_str(&read("seen.json")).unwrap();
    let expected = json!({
        "child": "42", "ci": "1", "environment": "production", "event": "build", "epoch": "1", "home": true,
        "host": [], "network": "none", "package": "web@3.2.1", "style": ["@source \"..\";", ""],
        "tool": "11.19.1",
    });
    assert_eq!(seen, expected);
    assert_eq!(read("order"), "first\nlast\n");
    let again = STORE.try_build(&asset("static"), &workspace, &["--check"]);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
}

#[test]
fn a_script_that_fails_is_told_with_its_last_words() {
    let said = failure("echo the last words >&2; exit 3", "static");
    assert!(said.contains("the last words"), "{said}");
    let told = "the front end of `vision/web` was not built: its script `build` (echo the last words >&2; exit 3) \
                ended with exit code 3";
    assert!(said.contains(told), "{said}");
}

#[test]
fn output_that_is_not_there_is_refused() {
    let said = failure("node build.js", "web/static");
    assert!(said.contains("left no directory `web/static`"), "{said}");
    assert!(Path::new(env!("CARGO_TARGET_TMPDIR")).join("node-store").is_dir());
}

#[test]
fn what_leaks_the_build_is_refused() {
    let said = failure("node build.js && echo $npm_node_execpath $(which node) > ../static/leak", "static");
    assert!(said.contains("not allowed to refer to"), "{said}");
}

/// A package of the registry whose install script replaces its own command by a program.
#[test]
fn install_scripts_run_for_those_that_the_policy_names() {
    let lock: Value = serde_json::from_str(include_str!("../cases/node_modules/scripts.json")).unwrap();
    let command = |scripts: bool| {
        let mut workspace = lock.clone();
        for package in workspace["packages"].as_array_mut().unwrap() {
            package["scripts"] = json!(scripts && package["name"] == "esbuild");
        }
        let tree =
            STORE.build("forge.nodeModules (forge.workspace // { inherit (forge) toolchain; })", &workspace);
        fs::read(STORE.physical(&tree).join("node_modules/esbuild/bin/esbuild")).unwrap()
    };
    assert!(command(false).starts_with(b"#!/nix/store/"));
    assert!(command(true).starts_with(b"\x7fELF"));
}
