//! The air gap: a folder made where there is a network, and a body forged from it where there is none, with an
//! empty cache and an empty store.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

/// A Codex, and a Crypt with a core that needs a wheel to run and one to be built with.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap());
        home.write("codex/forge.toml", "");
        home.write(
            "crypt/core/pyproject.toml",
            "[build-system]\nrequires = ['flit_core==3.12.0']\nbuild-backend = 'flit_core.buildapi'\n\
             [project]\nname = 'gap'\nversion = '1.0'\ndescription = 'x'\ndependencies = ['idna==3.10']\n\
             [tool.lychd.image]\ncommand = ['python', '-m', 'gap']\n",
        );
        home.write("crypt/core/gap.py", "def create_app(): ...\n");
        home.write("crypt/extensions/page/pyproject.toml", "[project]\nname = 'page'\nversion = '1.0'\n");
        home.write(
            "crypt/extensions/page/package.json",
            r#"{"name": "page", "version": "1.0.0", "private": true, "dependencies": {"ms": "2.1.3"}}"#,
        );
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs the forge; `cut` takes the network away and gives a cache of its own.
    fn run(&self, cut: bool, arguments: &[&str]) -> Output {
        let forge = env!("CARGO_BIN_EXE_lychd-forge");
        let mut command = Command::new(if cut { "unshare" } else { forge });
        if cut {
            // The network that is left has no interface but the one to itself, and that is down.
            command.args(["--net", forge]).env("XDG_CACHE_HOME", self.path("cache"));
        } else {
            command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        }
        for (option, name) in [("--codex", "codex"), ("--crypt", "crypt"), ("--state", "state")] {
            command.arg(option).arg(self.path(name));
        }
        command.arg("--json").args(arguments).output().unwrap()
    }

    fn json(&self, cut: bool, arguments: &[&str]) -> Value {
        let output = self.run(cut, arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(true, arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        text
    }
}

#[test]
fn a_body_is_forged_from_the_folder_without_a_network() {
    let interfaces = Command::new("unshare").args(["--net", "cat", "/proc/self/net/dev"]).output().unwrap();
    let interfaces = String::from_utf8(interfaces.stdout).unwrap();
    let names: Vec<&str> =
        interfaces.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim()).collect();
    assert_eq!(names, ["lo"], "the network is not cut off");

    let home = Home::new();
    let folder = home.path("folder");
    let folder = folder.to_str().unwrap();
    let locked = home.refused(&["synthesize", "--from", folder]);
    assert!(locked.contains("no `synthesis/uv.lock` and `synthesis/debian.lock.json`"), "{locked}");

    // What the substrate needs is pinned in the example already: no index is read for it.
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/crypt/synthesis/debian.lock.json");
    home.write("crypt/synthesis/debian.lock.json", &fs::read_to_string(example).unwrap());
    let made = home.json(false, &["fetch", "--to", folder]);
    let index: Value =
        serde_json::from_str(&fs::read_to_string(Path::new(folder).join("index.json")).unwrap()).unwrap();
    crate::schemas::takes("air-gap", &index);
    let files = index["artifacts"].as_array().unwrap();
    assert_eq!(made["artifacts"], files.len());
    for name in
        ["idna 3.10", "flit-core 3.12.0", "ms 2.1.3", "busybox-static", "uv-0.13.8", "npm ", "node", "libc6 "]
    {
        let has = |entry: &Value| entry["label"].as_str().unwrap().starts_with(name);
        assert!(files.iter().any(has), "{name}");
    }
    assert_eq!(home.json(false, &["fetch", "--to", folder])["artifacts"], made["artifacts"]);

    let store = home.path("store");
    let store = store.to_str().unwrap();
    let forge = ["forge", "--locked", "--no-load", "--nix-store", store, "--from", folder];
    let body = home.json(true, &forge);
    assert_eq!(body["synthesis_sha256"], made["synthesis_sha256"]);
    assert!(body["seconds"]["build"].is_number(), "{body}");
    // The body is in the store: nothing is asked of the folder again.
    assert_eq!(home.json(true, &forge)["image_id"], body["image_id"]);

    let entry = files.iter().find(|entry| entry["label"] == "idna 3.10").unwrap();
    let wheel = entry["path"].as_str().unwrap();
    fs::remove_file(Path::new(folder).join(wheel)).unwrap();
    fs::remove_dir_all(home.path("cache")).unwrap();
    let other = home.path("other-store");
    let fetch = ["fetch", "--locked", "--nix-store", other.to_str().unwrap(), "--from", folder];
    let missing = home.refused(&fetch);
    assert!(missing.contains(&format!("is damaged: `{wheel}` is missing")), "{missing}");
    assert!(missing.contains("requested by core"), "{missing}");
    fs::write(Path::new(folder).join(wheel), "not a wheel").unwrap();
    let damaged = home.refused(&fetch);
    assert!(damaged.contains(&format!("is damaged: `{wheel}` has sha256")), "{damaged}");
    for store in [store, other.to_str().unwrap()] {
        let _ = Command::new("chmod").args(["-R", "u+w", store]).status();
    }
}
