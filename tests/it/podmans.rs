//! The golden sets before the generators of podman and the systemd of newer Debians.
#![expect(clippy::disallowed_methods, reason = "a script is run")]

use std::{path::Path, process::Command};

use lychd_forge::{
    binding::{judge::Judge as _, validator::Host},
    runes::podman::PodmanVersion,
};

use crate::{
    inscription::{cases, of_case},
    validator::find_in,
};

/// The suites, and the first podman that each is known to have had.
const SUITES: [(&str, &str); 2] = [("forky", "5.8.0"), ("experimental", "6.1.0")];

#[test]
#[ignore = "podman and systemd of two suites are downloaded; `make test-podmans`"]
fn podmans_of_newer_debians_accept_every_set() {
    let mut judged = 0;
    for (suite, since) in SUITES {
        let directory = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/newer-debian.sh");
        let output = Command::new(script).arg(suite).arg(directory.path()).output().unwrap();
        if !output.status.success() {
            println!("skipped {suite}: {}", String::from_utf8_lossy(&output.stderr).trim());
            continue;
        }
        let host = Host {
            generators: vec![directory.path().join("quadlet")],
            analyze: Some(directory.path().join("systemd-analyze")),
            ..Host::default()
        };
        // Nothing is to be brought: both programs are there.
        let validator = find_in(directory.path(), None, &host).unwrap();
        let ((podman, _), (systemd, _)) = (validator.podman(), validator.systemd());
        println!("{suite}: podman {podman}, systemd {systemd}");
        assert!(podman >= since.parse::<PodmanVersion>().unwrap(), "{suite} has podman {podman}");
        for case in cases() {
            for written_for in ["5.3.0", "5.4.2", &podman.to_string()] {
                let set = of_case(&case, written_for);
                let verdict = validator.check(&set.quadlets, &set.units, &set.generated()).unwrap();
                let told: Vec<String> = verdict.findings.iter().map(ToString::to_string).collect();
                assert_eq!(told, Vec::<String>::new(), "{} for podman {written_for}", case.display());
                judged += 1;
            }
        }
    }
    println!("{judged} sets judged");
}
