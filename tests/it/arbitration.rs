//! The arbitration as a user meets it: before any tool is brought, so with no network and nothing in the cache.

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;

#[test]
fn everything_is_told_before_any_tool_runs() {
    let home = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let write = |name: &str, text: &str| {
        let path = home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("codex/lychd.toml", "[server]\nport = 9100\n");
    write("crypt/core/pyproject.toml", "[project]\nname = 'the-core'\nversion = '1'\n");
    for id in ["a", "b"] {
        write(
            &format!("crypt/extensions/{id}/pyproject.toml"),
            &format!(
                "[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n\
                 [project]\nname = '{id}'\nversion = '1'\n[project.scripts]\nweave = 'x:main'\n\
                 [tool.hatch.build.targets.wheel]\npackages = ['shared']\n\
                 [tool.lychd.assets]\nsource = 'web'\nscript = 'build'\noutput = 'shared/public'\n\
                 [[tool.lychd.rune]]\nname = 'eye'\nimage = 'x/y@sha256:{}'\nport = 9100\nexpose-port = true\n",
                id.repeat(64)
            ),
        );
        write(&format!("crypt/extensions/{id}/shared/__init__.py"), "");
        write(&format!("crypt/extensions/{id}/web/package.json"), "{\"scripts\": {\"build\": \"true\"}}\n");
    }
    let mut forge = Command::new(env!("CARGO_BIN_EXE_lychd-forge"));
    forge.env("XDG_CACHE_HOME", home.path().join("cache"));
    for (option, name) in [("--codex", "codex"), ("--crypt", "crypt"), ("--state", "state")] {
        forge.arg(option).arg(home.path().join(name));
    }
    let output = forge.args(["--offline", "synthesize"]).output().unwrap();
    let report = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{report}");
    for want in [
        "port 9100 of the pod is wanted by rune `eye` of `a` and rune `eye` of `b`",
        "port 9100 of the host is wanted by LychD's web server and rune `eye` of `a` and rune `eye` of `b`",
        "lychd.toml:2:8",
        "more than one rune is called `eye`",
        "the container image `docker.io/x/y` is pinned to more than one digest",
        "the assets of `a` and `b` are both written to `shared/public`",
        "the command `weave` comes from `a` and `b`",
        "the module `shared` comes from `a` and `b`",
        "extensions/b/pyproject.toml:",
        "requested by a, b",
    ] {
        assert!(report.contains(want), "{want}\n--- not in ---\n{report}");
    }
    assert!(!Path::new(&home.path().join("crypt/lychd.lock")).exists(), "a refused federation is not locked");
}
