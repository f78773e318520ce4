//! The parts of `nix/` that can be tested without Nix: its Python and its seed.

use std::io;
use std::path::Path;
use std::process::{Command, Output};

#[expect(clippy::disallowed_methods, reason = "a test runs the library's own tests as a user would")]
fn run(program: &str, arguments: &[&str]) -> io::Result<Output> {
    Command::new(program).args(arguments).current_dir(Path::new(env!("CARGO_MANIFEST_DIR"))).output()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Threat rows P1 to P6 for wheels, and the scripts that make an image's root.
#[test]
fn the_python_of_the_nix_library_passes_its_tests() {
    let done =
        run("python3", &["-B", "-m", "unittest", "discover", "-s", "nix/tests"]).expect("python3 starts");
    let report = text(&done.stderr);
    assert!(done.status.success(), "{report}");
    let ran =
        report.lines().find_map(|line| line.strip_prefix("Ran ")?.split(' ').next()?.parse::<u32>().ok());
    assert!(ran.is_some_and(|tests| tests >= 80), "{report}");
    assert!(!report.contains("skipped"), "{report}");
}

/// The only machine code of the substrate is what its assembly says, to the byte.
#[test]
fn the_seed_is_its_source() {
    let done = run("sh", &["nix/tests/slice.sh"]).expect("sh starts");
    assert!(done.status.success(), "{}{}", text(&done.stdout), text(&done.stderr));
    assert_eq!(text(&done.stdout), "slice.tgz.uu is slice.S, 278 bytes\n");
}
