//! The root of an image is what apt makes of the same packages.
#![expect(clippy::disallowed_methods, reason = "the tools are run as a user would")]

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Map, Value, json};

use crate::sovereign_path::{forged_store, mounted, synthesis};

/// Paths that apt has, and how the root of the image of a role differs from its: none that no table excepts.
pub(crate) fn compared(synthesis: &Value, role: &str, root: &Path) -> (u64, Vec<String>) {
    compared_answering("", synthesis, role, root)
}

/// The same with answers for debconf, as debconf-set-selections(1) reads them.
pub(crate) fn compared_answering(
    answers: &str,
    synthesis: &Value,
    role: &str,
    root: &Path,
) -> (u64, Vec<String>) {
    let is = |package: &Value, part: &str| match role {
        "vessel" => package[part] == true,
        further => package["images"][further] == part,
    };
    let debs: Map<String, Value> = synthesis["system_packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| is(package, "image") || is(package, "configure"))
        .map(|package| {
            let path = package["store_path"].as_str().unwrap().trim_start_matches('/');
            let deb = json!({ "path": forged_store().join(path), "image": is(package, "image") });
            (package["name"].as_str().unwrap().to_owned(), deb)
        })
        .collect();
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["nix/debian/path-excludes", "nix/root/not-kept", "tests/it/apt_root/exceptions"];
    let mut child = Command::new("python3")
        .arg(repository.join("tests/it/apt_root/compare.py"))
        .args([root, scratch.path()])
        .args(files.map(|file| repository.join(file)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let given = json!({ "debs": debs, "answers": answers });
    child.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let different = told["different"].as_array().unwrap().iter();
    (told["compared"].as_u64().unwrap(), different.map(|line| line.as_str().unwrap().to_owned()).collect())
}

#[test]
fn the_example_is_the_root_that_apt_makes() {
    let (paths, different) = compared(&synthesis(), "vessel", mounted());
    assert_eq!(different, [""; 0]);
    assert!(paths > 8_000, "{paths}");
}
