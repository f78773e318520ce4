//! The whole way from a lock's text; equality with uv is `tests/it/uv_corpus.rs`.

use std::collections::BTreeMap;

use super::*;
use crate::{
    diagnostic::{Failure, Fault, Source},
    name::{MemberId, PackageName, Platform, url::HostPolicy},
    python::{
        lock::UvLock,
        record::{PackageSource, PythonPackage},
    },
};

const HASH: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A lock of one member, `core`, with the lines `core`, and the entries `others`.
fn lock(top: &str, core: &str, others: &str) -> UvLock {
    let text = format!(
        "version = 1\nrevision = 3\nrequires-python = \">=3.12\"\n{top}\n[[package]]\nname = \"core\"\nversion = \"0.1\"\n\
         source = {{ editable = \".\" }}\n{core}\n{others}"
    );
    UvLock::read(&Source::new("uv.lock", text)).unwrap()
}

fn entry(name: &str, wheel: &str, more: &str) -> String {
    format!(
        "[[package]]\nname = \"{name}\"\nversion = \"1.0\"\nsource = {{ registry = \"https://pypi.org/simple\" }}\n\
         wheels = [\n    {wheel},\n]\n{more}\n"
    )
}

fn wheel(name: &str) -> String {
    format!(
        "{{ url = \"https://files.pythonhosted.org/{name}-1.0-py3-none-any.whl\", hash = \"{HASH}\", size = 7 }}"
    )
}

fn target() -> Target {
    Target::new("3.13.5", Platform::X86_64Linux, (2, 41)).unwrap()
}

fn resolve(lock: &UvLock) -> Result<PythonEnvironment, Failure> {
    environment(lock, &target(), &Selection::members(lock), &HostPolicy::new([]))
}

const WANTS_A: &str = "dependencies = [{ name = \"a\" }]";

/// The refusal of a lock whose core wants `a`, written as `entry`.
#[track_caller]
fn refused(entry: &str, words: &str) -> String {
    let failure = resolve(&lock("", WANTS_A, entry)).expect_err(words);
    assert_eq!(failure.exit_code(), 1);
    let text = failure.to_string();
    assert!(text.contains(words), "`{words}` is not in: {text}");
    text
}

#[test]
fn a_wheel_becomes_a_package_of_the_synthesis() {
    let url = format!(
        "{{ url = \"https://files.pythonhosted.org/p/a-1.0%2Bcpu-py3-none-any.whl\", hash = \"{HASH}\" }}"
    );
    let a = entry("a", &url, "dependencies = [{ name = \"b\" }]")
        .replace("version = \"1.0\"", "version = \"1.0+cpu\"");
    let lock = lock("", WANTS_A, &(a + &entry("b", &wheel("b"), "")));
    let environment = resolve(&lock).unwrap();
    let core: PackageName = "core".parse().unwrap();
    let members = BTreeMap::from([(core.clone(), MemberId::core())]);
    let packages: Vec<_> = environment.packages.iter().map(|it| record(it, &members)).collect();
    let json = serde_json::to_value(&packages).unwrap();
    assert_eq!(
        json[0],
        serde_json::json!({
            "name": "a", "version": "1.0+cpu", "purl": "pkg:pypi/a@1.0%2Bcpu", "kind": "wheel",
            "url": "https://files.pythonhosted.org/p/a-1.0%2Bcpu-py3-none-any.whl",
            "filename": "a-1.0+cpu-py3-none-any.whl",
            "sha256": HASH.trim_start_matches("sha256:"),
            "sri": "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "size": 5,
            // nix-store --print-fixed-path sha256 <hash> <name>
            "store_path": STORE_PATH,
            "requested_by": ["core"], "dependencies": ["b"], "completed": false, "bundled": false, "build": null,
        })
    );
    assert_eq!(json[1]["size"], 7);
    assert_eq!(environment.members.len(), 1);
    assert_eq!(environment.members[0].dependencies, ["a".parse().unwrap()].into());
    assert!(environment.members[0].installed && environment.members[0].requested_by.is_empty());
}

/// What is recorded of a wheel, which has five bytes unless the lock says otherwise.
fn record(package: &EnvironmentPackage, members: &BTreeMap<PackageName, MemberId>) -> PythonPackage {
    let file = package.file.clone().of_size(package.file.size.unwrap_or(5));
    package.record(PackageSource::Wheel(file), package.requesters(members))
}

const STORE_PATH: &str = "/nix/store/ihv7sa7hx5sqkx5d0k9m64sc9m7h7ypg-a-1.0+cpu-py3-none-any.whl";

#[test]
fn requesters_are_the_members_that_reach_a_package() {
    let two = "[[package]]\nname = \"eye\"\nsource = { editable = \"eye\" }\ndependencies = [{ name = \"b\", extra = [\"x\"] }]\n";
    let b = "dependencies = [{ name = \"a\" }]\n[package.optional-dependencies]\nx = [{ name = \"c\" }]";
    let others =
        [two, &entry("a", &wheel("a"), ""), &entry("b", &wheel("b"), b), &entry("c", &wheel("c"), "")]
            .concat();
    let lock =
        lock("[manifest]\nmembers = [\"core\", \"eye\"]", "dependencies = [{ name = \"b\" }]", &others);
    let environment = resolve(&lock).unwrap();
    let by: Vec<(String, String)> = environment
        .packages
        .iter()
        .map(|it| {
            (
                it.name.to_string(),
                it.requested_by.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            )
        })
        .collect();
    let expected = [("a", "core eye"), ("b", "core eye"), ("c", "eye")];
    assert_eq!(by, expected.map(|(name, by)| (name.to_owned(), by.to_owned())));
}

#[test]
fn hashes_must_be_there_and_strong() {
    for (hash, words) in [
        ("md5:d41d8cd98f00b204e9800998ecf8427e", "`md5` is too weak"),
        ("sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709", "`sha1` is too weak"),
        ("", "is not a hash"),
        ("sha256:", "64 lower-case hex"),
        ("sha256:e3b0", "64 lower-case hex"),
        (&HASH.to_uppercase().replace("SHA256", "sha256"), "64 lower-case hex"),
        (&format!("{HASH} "), "64 lower-case hex"),
        (&format!("sha512:{}", "0".repeat(128)), "other than sha256"),
    ] {
        let text = refused(&entry("a", &wheel("a").replace(HASH, hash), ""), words);
        assert!(text.contains("at uv.lock:15:5: wanted by core\n  requested by core"), "{text}");
    }
    let none = wheel("a").replace(&format!("hash = \"{HASH}\", "), "");
    refused(&entry("a", &none, ""), "no hash for `a-1.0-py3-none-any.whl`");
    let found = "{ path = \"a-1.0-py3-none-any.whl\" }";
    refused(&entry("a", found, "").replace("https://pypi.org/simple", "wheels"), "find-links");
}

#[test]
fn hosts_are_judged_for_files_and_indexes() {
    for url in [
        "https://pythonhcsted.org/",
        "https://files.pythonhosted.org@evil.example/",
        "https://files.pythonhosted.org.evil.example/",
        "https://files.pythonhosted.org:8443/",
        "http://files.pythonhosted.org/",
        "file:///",
        "https://169.254.169.254/",
        "https://xn--pyp-jma.org/",
    ] {
        let a = entry("a", &wheel("a").replace("https://files.pythonhosted.org/", url), "");
        refused(&a, "the URL of a 1.0 is refused");
        let a = entry("a", &wheel("a"), "").replace("https://pypi.org/simple", &format!("{url}simple"));
        refused(&a, "the index of a 1.0 is refused");
    }
    let own = entry("a", &wheel("a"), "").replace("pypi.org/simple", "wheels.example.org/simple");
    let lock = lock("", WANTS_A, &own);
    let policy = HostPolicy::new(["wheels.example.org".to_owned()]);
    let found = environment(&lock, &target(), &Selection::members(&lock), &policy).unwrap();
    assert_eq!(
        record(&found.packages[0], &BTreeMap::new()).purl(),
        "pkg:pypi/a@1.0?repository_url=https:%2F%2Fwheels.example.org%2Fsimple"
    );
}

#[test]
fn what_has_no_wheel_is_told_with_what_there_is() {
    let windows = wheel("a").replace("py3-none-any", "cp313-cp313-win_amd64");
    let text = refused(
        &entry("a", &windows, ""),
        "a 1.0 has no wheel for CPython 3.13.5 on x86_64-linux with glibc 2.41",
    );
    assert!(text.contains("the lock has a-1.0-cp313-cp313-win_amd64.whl"), "{text}");
    assert!(text.contains("the lock has no source archive of it"), "{text}");
    let sdist = "sdist = { url = \"https://files.pythonhosted.org/a-1.0.tar.gz\", hash = \"x\" }";
    let text = refused(&entry("a", &windows, sdist), "requested by core");
    assert!(text.contains("`[policy] allow-sdist = [\"a\"]` in forge.toml lets"), "{text}");
    // What something is built with is never built itself, so leave to build it would not help.
    let lock = lock("", WANTS_A, &entry("a", &windows, sdist));
    let selection = Selection { to_build_with: true, ..Selection::members(&lock) };
    let failure = environment(&lock, &target(), &selection, &HostPolicy::new([])).unwrap_err();
    assert!(failure.is(Fault::NoWheel));
    let text = failure.to_string();
    assert!(text.contains("what is built with must have a wheel") && !text.contains("allow-sdist"), "{text}");
    let git =
        "[[package]]\nname = \"a\"\nversion = \"1.0\"\nsource = { git = \"https://github.com/x/a#0\" }\n";
    refused(git, "a 1.0 comes from git, which this lock cannot pin");
}

#[test]
fn what_is_not_reached_breaks_nothing() {
    let bad = entry("z", &wheel("z").replace(HASH, "md5:0"), "");
    let git = "[[package]]\nname = \"y\"\nversion = \"1.0\"\nsource = { git = \"ext::sh -c id\" }\n";
    let lock = lock("", WANTS_A, &[&entry("a", &wheel("a"), ""), &bad, git].concat());
    assert_eq!(resolve(&lock).unwrap().packages.len(), 1);
}

#[test]
fn wheels_can_be_forbidden() {
    let lock = lock("", WANTS_A, &entry("a", &wheel("a"), ""));
    let mut selection = Selection::members(&lock);
    selection.building.no_binary.insert("a".parse().unwrap());
    let failure = environment(&lock, &target(), &selection, &HostPolicy::new([])).unwrap_err();
    assert!(failure.to_string().contains("must be built from source (`no-binary`)"), "{failure}");
}

#[test]
fn a_source_archive_is_taken_when_the_policy_names_it_and_no_wheel_may_be() {
    let sdist = format!(
        "sdist = {{ url = \"https://files.pythonhosted.org/p/a-1.0.tar.gz\", hash = \"{HASH}\", size = 5 }}"
    );
    let lock = lock("", WANTS_A, &entry("a", &wheel("a"), &sdist));
    let a: PackageName = "a".parse().unwrap();
    let taken = |building: Building| {
        let selection = Selection { building, ..Selection::members(&lock) };
        environment(&lock, &target(), &selection, &HostPolicy::new([]))
    };
    let allowed = Building { allowed: [a.clone()].into(), ..Building::default() };
    // A wheel that fits is always better than a build.
    assert_eq!(taken(allowed.clone()).unwrap().packages[0].kind, FileKind::Wheel);
    for building in [
        Building { no_binary: [a.clone()].into(), ..allowed.clone() },
        Building { no_binary_at_all: true, ..allowed.clone() },
        Building { no_binary: [a.clone()].into(), no_build_at_all: true, ..allowed.clone() },
    ] {
        let package = taken(building).unwrap().packages.remove(0);
        assert_eq!(
            (&package.kind, package.file.name.as_str()),
            (&FileKind::Sdist { subdirectory: None }, "a-1.0.tar.gz")
        );
        assert_eq!((package.version.as_str(), package.file.size), ("1.0", Some(5)));
    }
    for building in [
        Building { no_binary_at_all: true, no_build_at_all: true, ..allowed.clone() },
        Building { no_binary: [a.clone()].into(), no_build: [a].into(), ..allowed },
    ] {
        let text = taken(building).unwrap_err().to_string();
        assert!(text.contains("a member's `no-build` forbids building it"), "{text}");
    }
}

#[test]
fn one_name_has_one_entry_in_an_environment() {
    let other = entry("a", &wheel("a"), "").replace(
        "{ registry = \"https://pypi.org/simple\" }",
        "{ url = \"https://files.pythonhosted.org/a-1.0-py3-none-any.whl\" }",
    );
    let edge = |source: &str| format!("{{ name = \"a\", version = \"1.0\", source = {source} }}");
    let edges = [
        edge("{ registry = \"https://pypi.org/simple\" }"),
        edge("{ url = \"https://files.pythonhosted.org/a-1.0-py3-none-any.whl\" }"),
    ];
    let lock =
        lock("", &format!("dependencies = [{}]", edges.join(", ")), &(entry("a", &wheel("a"), "") + &other));
    let failure = resolve(&lock).unwrap_err().to_string();
    assert!(
        failure.contains("two `a` in one environment") && failure.contains("requested by core"),
        "{failure}"
    );
}

#[test]
fn a_url_is_not_brought_in_by_a_package_of_an_index() {
    let exotic = entry("b", &wheel("b"), "").replace(
        "{ registry = \"https://pypi.org/simple\" }",
        "{ url = \"https://files.pythonhosted.org/b-1.0-py3-none-any.whl\" }",
    );
    refused(
        &(entry("a", &wheel("a"), "dependencies = [{ name = \"b\" }]") + &exotic),
        "comes from a URL that no member asks for",
    );
}

#[test]
fn the_lock_must_be_made_for_the_target() {
    let old = Target::new("3.11.2", Platform::X86_64Linux, (2, 36)).unwrap();
    let plain = lock("", "", "");
    let all = Selection::members(&plain);
    let failure = closure(&plain, &old, &all).unwrap_err().to_string();
    assert!(failure.contains("the lock requires Python >=3.12, not 3.11.2"), "{failure}");
    let windows = lock("supported-markers = [\"sys_platform == 'win32'\"]", "", "");
    let failure = closure(&windows, &target(), &all).unwrap_err().to_string();
    assert!(failure.contains("`supported-markers` exclude CPython 3.13.5"), "{failure}");
    let forked = lock("resolution-markers = [\"sys_platform == 'win32'\"]", "", "");
    let failure = closure(&forked, &target(), &all).unwrap_err().to_string();
    assert!(failure.contains("no fork of the lock covers"), "{failure}");
}

#[test]
fn cycles_end() {
    let a = entry("a", &wheel("a"), "dependencies = [{ name = \"b\" }]");
    let b = entry("b", &wheel("b"), "dependencies = [{ name = \"a\" }, { name = \"core\" }]");
    let environment = resolve(&lock("", WANTS_A, &(a + &b))).unwrap();
    assert_eq!(environment.packages.len(), 2);
}

#[test]
fn extras_switched_on_by_two_members_may_conflict() {
    let eye = "[[package]]\nname = \"eye\"\nsource = { editable = \"eye\" }\ndependencies = [{ name = \"core\", extra = [\"x\"] }]\n";
    let ear = eye.replace("eye", "ear").replace("\"x\"", "\"y\"");
    let extras = "[package.optional-dependencies]\nx = [{ name = \"a\" }]\ny = [{ name = \"b\" }]\n";
    let top = "conflicts = [[{ package = \"core\", extra = \"x\" }, { package = \"core\", extra = \"y\" }]]\n\
               [manifest]\nmembers = [\"core\", \"ear\", \"eye\"]";
    let others = [eye, &ear, &entry("a", &wheel("a"), ""), &entry("b", &wheel("b"), "")].concat();
    let failure = resolve(&lock(top, extras, &others)).unwrap_err().to_string();
    assert!(failure.contains("extra `core[x]` and extra `core[y]` incompatible"), "{failure}");
    assert!(failure.contains("uv.lock:18:17: switches on extra `core[x]`"), "{failure}");
    assert!(failure.contains("uv.lock:22:17: switches on extra `core[y]`"), "{failure}");
}
