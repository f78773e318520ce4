//! Any ASGI application is a core: as `uv init --app` writes it (no package, so its tree is in the image) and as
//! `uv init --package` does. Each is started in its image by the image's own command, and asked.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use serde_json::{Value, json};

use crate::{
    home::{Home, STRANGER},
    plain_image::Plain,
};

/// Starts the command after it, and prints what it answers at port 8000.
const ASKED: &str = r#"
import subprocess, sys, time, urllib.request
with subprocess.Popen(sys.argv[1:], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as server:
    for attempt in range(600):
        try:
            print(urllib.request.urlopen("http://127.0.0.1:8000/").read().decode())
            break
        except OSError:
            assert server.poll() is None, "it has ended"
            time.sleep(0.1)
    server.terminate()
"#;

/// What of members is installed, and whether Python finds `sys.argv[1:]` from anywhere, with bytecode that it takes.
const FOUND: &str = r#"
import importlib, importlib.metadata, os, sys
os.chdir("/")
print(*sorted({one.name for one in importlib.metadata.distributions()} & {"flat", "words"}))
print(*(place for place in sys.path if place.startswith("/app") and "/.venv/" not in place))
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    print(module.__file__, os.path.exists(module.__cached__))
"#;

/// The image of a federation in `tests/cases/inputs`, which gets its locks in a copy.
fn forged(name: &str) -> Plain {
    let home = Home::new();
    let project = home.path("project");
    let input = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/inputs").join(name);
    assert!(Command::new("cp").arg("-a").arg(input).arg(&project).status().unwrap().success());
    Plain::forged(home, &project)
}

/// What the image's own command answers to whoever.
fn asked(plain: &Plain) -> Value {
    let config = plain.home.config(&plain.image);
    let command: Vec<&str> =
        config["Cmd"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let arguments = [&["python", "-c", ASKED], command.as_slice()].concat();
    serde_json::from_str(&plain.answer_as(STRANGER, &["--unshare-net"], &arguments)).unwrap()
}

#[test]
fn asgi_application_that_is_no_package_answers_out_of_its_tree() {
    let plain = forged("fastapi-app");
    assert_eq!(asked(&plain), json!({ "says": "the sea" }));

    let found = plain.answer_as(STRANGER, &[], &["python", "-c", FOUND, "main", "words"]);
    let want = ["", "/app /app/extensions/words", "/app/main.py True", "/app/extensions/words/words.py True"];
    assert_eq!(found.lines().collect::<Vec<_>>(), want);
    assert_eq!(plain.answer_as(STRANGER, &[], &["./say"]), "the sea\n", "what can be run can be run");
    let verbose = "import subprocess, sys; print(subprocess.run([sys.executable, '-v', '-c', 'import main'], stderr=subprocess.PIPE, text=True).stderr)";
    let taken = plain.answer_as(STRANGER, &[], &["python", "-c", verbose]);
    assert!(taken.contains("code object from '/app/__pycache__/main.cpython-313.pyc'"), "{taken}");

    let mode = |path: &str| {
        let mode = fs::symlink_metadata(plain.root.join(path)).unwrap().permissions().mode();
        format!("{:o}", mode & 0o7777)
    };
    for (path, want) in [
        ("app", "555"),
        ("app/main.py", "444"),
        ("app/say", "555"),
        ("app/pyproject.toml", "444"),
        ("app/extensions", "555"),
        ("app/extensions/words", "555"),
        ("app/extensions/words/words.py", "444"),
        ("app/__pycache__", "555"),
    ] {
        assert_eq!(mode(path), want, "{path}");
    }

    let told = |index: usize| &plain.report["distributions"][index];
    assert_eq!([&told(0)["name"], &told(0)["place"]], ["flat", "/app"]);
    assert_eq!([&told(1)["name"], &told(1)["place"]], ["words", "/app/extensions/words"]);
}

#[test]
fn asgi_application_that_is_a_package_answers_out_of_the_environment() {
    let plain = forged("fastapi-package");
    assert_eq!(asked(&plain), json!({ "says": "the land" }));
    let found = plain.answer_as(STRANGER, &[], &["python", "-c", FOUND, "flat"]);
    let want = ["flat", "", "/app/.venv/lib/python3.13/site-packages/flat/__init__.py True"];
    assert_eq!(found.lines().collect::<Vec<_>>(), want);
    assert_eq!(plain.answer_as(STRANGER, &[], &["flat"]), "Hello from flat!\n");
    assert_eq!(plain.report["distributions"][0]["place"], Value::Null);
    assert!(!plain.root.join("app/pyproject.toml").exists());
}
