//! Every file of the example's image lies where Debian and uv would have put it.
#![expect(clippy::disallowed_methods, reason = "the tools are run as a user would")]

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    home::cache,
    sovereign_path::{answer, forged_store, inside_with, mounted, synthesis},
};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/real_places").join(name)
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().unwrap().iter()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn packages_lie_where_dpkg_puts_them() {
    let synthesis = synthesis();
    let debs: Vec<PathBuf> = list(&synthesis, "system_packages")
        .filter(|package| package["image"] == true)
        .map(|package| forged_store().join(text(&package["store_path"]).trim_start_matches('/')))
        .collect();
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let excludes = Path::new(env!("CARGO_MANIFEST_DIR")).join("nix/debian/path-excludes");
    let mut child = Command::new("python3")
        .arg(script("packages.py"))
        .args([mounted(), &excludes, scratch.path()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(serde_json::to_string(&debs).unwrap().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["different"], serde_json::json!([]));
    assert!(told["compared"].as_u64().unwrap() > 4500, "{told}");
}

#[test]
fn the_environment_is_the_one_that_uv_makes() {
    let synthesis = synthesis();
    let store = forged_store().join("nix/store");
    let mut wheels: Vec<String> =
        list(&synthesis, "python_packages").map(|package| text(&package["store_path"]).to_owned()).collect();
    for member in list(&synthesis, "members") {
        let end = format!("-{}-wheel", text(&member["name"]));
        let built = std::fs::read_dir(&store).unwrap().map(|entry| entry.unwrap().path());
        let directory = built.into_iter().find(|path| path.to_str().unwrap().ends_with(&end)).unwrap();
        let wheel = std::fs::read_dir(directory).unwrap().next().unwrap().unwrap().path();
        wheels.push(format!("/nix/store/{}", wheel.strip_prefix(&store).unwrap().display()));
    }
    let uv = std::fs::read_dir(cache().join("lychd-forge/tools"))
        .unwrap()
        .map(|entry| entry.unwrap().path().join("uv"))
        .find(|path| path.exists())
        .unwrap();
    let image = mounted().join("app");
    let scripts = script("");
    let binds = ["--tmpfs", "/app", "--tmpfs", "/mnt", "--dir", "/mnt/image"];
    let mut options: Vec<&std::ffi::OsStr> = binds.iter().map(AsRef::as_ref).collect();
    let nix = forged_store().join("nix");
    for (from, to) in
        [(image.as_path(), "/mnt/image"), (&uv, "/mnt/uv"), (&scripts, "/mnt/scripts"), (&nix, "/mnt/nix")]
    {
        options.extend(["--ro-bind".as_ref(), from.as_os_str(), to.as_ref()]);
    }
    // The environment is what is made here, so it is the system's own.
    let python = format!("/usr/bin/python{}", text(&synthesis["python"]));
    let wheels = wheels.iter().map(|wheel| format!("/mnt{wheel}"));
    let arguments: Vec<String> = [python.as_str(), "/mnt/scripts/environment.py", "/mnt/image", "/mnt/uv"]
        .map(str::to_owned)
        .into_iter()
        .chain(wheels)
        .collect();
    let output = inside_with(&options, &arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&told["different"], &told["extra"]),
        (&serde_json::json!([]), &serde_json::json!([])),
        "{told}"
    );
    assert!(told["compared"].as_u64().unwrap() > 3000, "{told}");
    assert_eq!(told["expected"].as_object().unwrap().len(), 5, "a reason that nothing needs: {told}");
}

/// uv sees every distribution, and `__file__` is the file's own place.
#[test]
fn the_environment_is_a_real_one() {
    let script = r#"
import sys, sysconfig, os, inspect, importlib.util, json
import numpy, pydantic_core, httpx
for module in (numpy, pydantic_core, httpx):
    assert os.path.realpath(module.__file__) == module.__file__, module.__file__
    assert module.__file__.startswith("/app/.venv/lib/python3"), module.__file__
    assert module.__cached__ and os.path.exists(module.__cached__), module
assert "def get" in inspect.getsource(httpx.get)
assert sys.prefix == "/app/.venv" and sys.base_prefix == "/usr", (sys.prefix, sys.base_prefix)
assert sysconfig.get_path("scripts") == "/app/.venv/bin"
assert not os.path.exists("/nix")
config = dict(line.split(" = ") for line in open("/app/.venv/pyvenv.cfg").read().splitlines())
assert config["version_info"] == sys.version.split()[0], config
print(json.dumps(config, sort_keys=True))
"#;
    let config: Value = serde_json::from_str(&answer(&["python", "-c", script])).unwrap();
    assert_eq!(config["home"], "/usr/bin");
    assert_eq!(config["implementation"], "CPython");
    assert_eq!(config["include-system-site-packages"], "false");
    let uv = std::fs::read_dir(cache().join("lychd-forge/tools"))
        .unwrap()
        .map(|entry| entry.unwrap().path().join("uv"))
        .find(|path| path.exists())
        .unwrap();
    let options: Vec<&std::ffi::OsStr> =
        vec!["--tmpfs".as_ref(), "/mnt".as_ref(), "--ro-bind".as_ref(), uv.as_os_str(), "/mnt/uv".as_ref()];
    let run = |verb: &[&str]| {
        let arguments = [&["/mnt/uv", "--no-cache", "--offline"], verb, &["--python", "/app/.venv"]].concat();
        let output = inside_with(&options, &arguments).output().unwrap();
        assert!(output.status.success(), "{verb:?}: {}", String::from_utf8_lossy(&output.stderr));
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (listed, _) = run(&["pip", "list", "--format", "json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let synthesis = synthesis();
    let locked = list(&synthesis, "python_packages").count() + list(&synthesis, "members").count();
    assert_eq!(listed.as_array().unwrap().len(), locked);
    let (_, checked) = run(&["pip", "check"]);
    assert!(checked.contains(&format!("Checked {locked} packages")), "{checked}");
    assert!(checked.contains("All installed packages are compatible"), "{checked}");
}
