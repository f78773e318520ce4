//! Reading `uv.lock` and resolving from it: a real lock of 738 packages, and a made one of 2,000; reading
//! `package-lock.json` and selecting from it, with 2,000 entries.
//! `cargo bench --bench lock`.
#![expect(clippy::unwrap_used, reason = "a broken bench says so at once")]

use std::fmt::Write as _;

use divan::{Bencher, black_box};
use lychd_forge::{
    diagnostic::Source,
    name::{Platform, url::HostPolicy},
    npm::{NodeTarget, lock::NpmLock, select},
    python::{
        install::{Selection, Target, environment},
        lock::UvLock,
    },
};

const REAL: &str = include_str!("../tests/cases/uv/large/uv.lock");
const SIZES: [usize; 3] = [120, 500, 2000];

fn main() {
    divan::main();
}

/// A lock of `count` packages in a chain of small trees, each with a marker, an extra and eight wheels.
fn made(count: usize) -> Source {
    let mut text = String::from("version = 1\nrevision = 5\nrequires-python = \">=3.12\"\n");
    text.push_str(
        "\n[[package]]\nname = \"core\"\nversion = \"1\"\nsource = { virtual = \".\" }\ndependencies = [\n",
    );
    for index in (0..count).step_by(7) {
        writeln!(text, "    {{ name = \"package-{index}\", extra = [\"more\"] }},").unwrap();
    }
    text.push_str("]\n");
    for index in 0..count {
        write!(text, "\n[[package]]\nname = \"package-{index}\"\nversion = \"1.{index}\"\n").unwrap();
        text.push_str("source = { registry = \"https://pypi.org/simple\" }\ndependencies = [\n");
        for next in [index + 1, index + 3].into_iter().filter(|next| *next < count) {
            writeln!(
                text,
                "    {{ name = \"package-{next}\", marker = \"python_full_version < '3.{}'\" }},",
                14 + next % 3
            )
            .unwrap();
        }
        text.push_str("]\nwheels = [\n");
        let tags = ["cp312-cp312", "cp313-cp313"];
        let platforms = [
            "manylinux_2_17_x86_64.manylinux2014_x86_64",
            "manylinux_2_17_aarch64",
            "win_amd64",
            "macosx_11_0_arm64",
        ];
        for (tag, platform) in
            tags.iter().flat_map(|tag| platforms.iter().map(move |platform| (tag, platform)))
        {
            writeln!(
                text,
                "    {{ url = \"https://files.pythonhosted.org/packages/package_{index}-1.{index}-{tag}-{platform}.whl\", hash = \"sha256:{index:064x}\", size = 1000, upload-time = \"2026-01-01T00:00:00Z\" }},"
            )
            .unwrap();
        }
        text.push_str("]\n\n[package.optional-dependencies]\nmore = [\n");
        writeln!(text, "    {{ name = \"package-{}\" }},\n]", (index + 5) % count).unwrap();
    }
    Source::new("uv.lock", text)
}

fn target() -> Target {
    Target::new("3.13.5", Platform::X86_64Linux, (2, 41)).unwrap()
}

fn resolve(lock: &UvLock, target: &Target) -> usize {
    let selection = Selection::members(lock);
    environment(black_box(lock), target, &selection, &HostPolicy::new([])).unwrap().packages.len()
}

#[divan::bench(args = SIZES)]
fn read_made(bencher: Bencher<'_, '_>, count: usize) {
    let text = made(count);
    bencher.bench(|| UvLock::read(black_box(&text)).unwrap());
}

#[divan::bench(args = SIZES)]
fn resolve_made(bencher: Bencher<'_, '_>, count: usize) {
    let (lock, target) = (UvLock::read(&made(count)).unwrap(), target());
    assert_eq!(resolve(&lock, &target), count, "all of it is reached");
    bencher.bench(|| resolve(&lock, &target));
}

#[divan::bench]
fn read_real(bencher: Bencher<'_, '_>) {
    let text = Source::new("uv.lock", REAL);
    bencher.bench(|| UvLock::read(black_box(&text)).unwrap());
}

#[divan::bench]
fn resolve_real(bencher: Bencher<'_, '_>) {
    let (lock, target) = (UvLock::read(&Source::new("uv.lock", REAL)).unwrap(), target());
    bencher.bench(|| resolve(&lock, &target));
}

#[divan::bench]
fn make_target() -> Target {
    target()
}

/// An npm lock of `count` packages; each seventh is asked for by the member, each fifth is for another platform.
fn made_npm(count: usize) -> Source {
    let asked: Vec<String> =
        (0..count).step_by(7).map(|index| format!("\"@scope/package-{index}\": \"^1.0.0\"")).collect();
    let mut text = String::from("{\n  \"lockfileVersion\": 3,\n  \"packages\": {\n");
    write!(text, "    \"core/web\": {{\"version\": \"1.0.0\", \"dependencies\": {{{}}}}}", asked.join(", "))
        .unwrap();
    for index in 0..count {
        let hash = data_encoding::BASE64.encode(&[u8::try_from(index % 251).unwrap(); 64]);
        write!(
            text,
            ",\n    \"node_modules/@scope/package-{index}\": {{\n      \"version\": \"1.{index}.0\",\n      \"resolved\": \"https://registry.npmjs.org/@scope/package-{index}/-/package-{index}-1.{index}.0.tgz\",\n      \"integrity\": \"sha512-{hash}\",\n      \"license\": \"MIT\",\n      \"engines\": {{\"node\": \">=18.12 || ^20\"}},\n      \"optionalDependencies\": {{"
        )
        .unwrap();
        let next: Vec<String> = [index + 1, index + 3]
            .iter()
            .filter(|next| **next < count)
            .map(|next| format!("\"@scope/package-{next}\": \"^1.0.0\""))
            .collect();
        text.push_str(&next.join(", "));
        text.push('}');
        if index % 5 == 3 {
            text.push_str(",\n      \"optional\": true,\n      \"os\": [\"darwin\"]");
        }
        text.push_str("\n    }");
    }
    text.push_str("\n  }\n}\n");
    Source::new("package-lock.json", text)
}

#[divan::bench(args = SIZES)]
fn read_npm(bencher: Bencher<'_, '_>, count: usize) {
    let text = made_npm(count);
    bencher.bench(|| NpmLock::read(black_box(&text)).unwrap());
}

#[divan::bench(args = SIZES)]
fn select_npm(bencher: Bencher<'_, '_>, count: usize) {
    let lock = NpmLock::read(&made_npm(count)).unwrap();
    let roots = [("core/web".parse().unwrap(), "core".parse().unwrap())].into();
    let target = NodeTarget::new(Platform::X86_64Linux, "24.21.0").unwrap();
    bencher.bench(|| select(black_box(&lock), &roots, &target).unwrap().places.len());
}
