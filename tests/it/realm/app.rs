//! `nix run .#bind` of a federation's own flake: the organism is bound by what that flake gives, and by nothing else.
#![expect(clippy::disallowed_methods, reason = "the tools are run as a user would")]

use std::{fs, path::Path, process::Command};

use super::{inscription::Bound, realm};
use crate::flake::{checkout, nix, text};

/// The forge's flake with the program of this test run instead of one that is built for minutes; all else is its own.
fn forge_with_this_program() -> tempfile::TempDir {
    let forge = checkout();
    let bin = forge.path().join("nix/forge/prebuilt/bin");
    fs::create_dir_all(&bin).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_lychd-forge"), bin.join("lychd-forge")).unwrap();
    let package = "{ ... }: builtins.path { name = \"lychd-forge\"; path = ./prebuilt; }\n";
    fs::write(forge.path().join("nix/forge/package.nix"), package).unwrap();
    forge
}

#[test]
fn the_organism_is_bound_by_the_app_of_its_own_flake() {
    let Some(realm) = realm("the_organism_is_bound_by_the_app_of_its_own_flake") else { return };
    let forge = forge_with_this_program();
    let federation = tempfile::tempdir().unwrap();
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/init/flake.nix");
    let flake = fs::read_to_string(template).unwrap();
    let here = format!("path:{}", forge.path().display());
    fs::write(federation.path().join("flake.nix"), flake.replace("path:/path/to/lychd-forge", &here))
        .unwrap();

    let app = format!("path:{}#bind", federation.path().display());
    let told = text(nix(&["run", &app, "--", "--help"]).args(["--flake-registry", ""]).output().unwrap());
    assert!(told.contains("Inscribe the units of the active body"), "{told}");
    let program = format!("path:{}#apps.x86_64-linux.bind.program", federation.path().display());
    let program = text(nix(&["eval", "--raw", &program]).output().unwrap());
    let store = program.split('/').take(4).collect::<Vec<_>>().join("/");
    let closure = text(Command::new("nix-store").args(["--query", "--requisites", &store]).output().unwrap());
    let into = realm.machine.path("/nix/store");
    fs::create_dir_all(&into).unwrap();
    let copied = Command::new("cp").args(["-a", "--no-clobber"]).args(closure.lines()).arg(&into).status();
    assert!(copied.unwrap().success());

    // A checkout of the federation; the two lie where they are, so that it is the same organism.
    realm.user("mkdir -p fed; ln -sfn ~/.config/lychd fed/codex; ln -sfn ~/.local/share/lychd fed/crypt");
    let before = realm.inscribed();
    realm.with_gale(true);
    let hash = realm.candidate();
    let output = realm.machine.user(&format!("umask 022; cd fed; {program} --confirm {hash}"));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let bound = realm.inscribed();
    realm.with_gale(false);
    let back: Bound = realm.bind("");
    assert!(output.status.success(), "{told}");
    assert_eq!((bound.number, bound.candidate.id().to_string()), (before.number + 1, hash));
    assert_eq!(back.code, 0, "{back:?}");
    assert_eq!(realm.inscribed().candidate, before.candidate);
}
