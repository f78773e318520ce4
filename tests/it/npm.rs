//! The federation's npm workspace with the real npm and Node, and the real registry.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail loudly")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Mutex,
};

use lychd_forge::{
    artifact::{Artifact, Effects},
    codex::{Codex, MirrorUrl, Origin},
    crypt::{Manifest, Member, PackageJson, SourceTree},
    diagnostic::Failure,
    digest::Sha256,
    host::{http::Client, progress::Silent},
    lock::Mode,
    name::{Platform, url::HostPolicy},
    npm::{self, Locked, Locks, Request},
    supply::downloads::Downloads,
    tree::FileTree,
};

/// Shared by all tests and by later runs.
fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("forge-cache")
}

/// A member with a front end in `web`, from its `package.json` and its other files.
fn member(id: &str, package: &str, files: &[(&str, &str)]) -> Member {
    let id: lychd_forge::name::MemberId = id.parse().unwrap();
    let shown = if id.is_core() { "core".to_owned() } else { format!("extensions/{id}") };
    let assets = "[tool.lychd.assets]\nsource = 'web'\nscript = 'build'\noutput = 'out'\n";
    let manifest = format!(
        "[project]\nname = '{id}'\nversion = '1.0'\n[build-system]\nrequires = ['hatchling']\n{assets}"
    );
    let mut tree = FileTree::new();
    for (path, text) in files.iter().chain([&("web/package.json", package)]) {
        tree.insert_text(path.parse().unwrap(), text);
    }
    let web = "web".parse().unwrap();
    Member {
        manifest: Manifest::parse(&id, &format!("{shown}/pyproject.toml"), manifest.as_bytes()).unwrap(),
        packages: vec![
            PackageJson::parse(&id, &format!("{shown}/web/package.json"), Some(&web), package.as_bytes())
                .unwrap(),
        ],
        id,
        directory: PathBuf::new(),
        source: SourceTree { tree, nar_sha256: Sha256::of("") },
        checkout: lychd_forge::crypt::Checkout::default(),
    }
}

fn lock_with(members: &[Member], locks: &Locks, mode: Mode, online: bool) -> Result<Locked, Failure> {
    // One forge at a time uses a cache; the command line holds a lock for that.
    static CACHE: Mutex<()> = Mutex::new(());
    let _held = CACHE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mirrors: BTreeMap<Origin, Vec<MirrorUrl>> = BTreeMap::new();
    let client = Client::new(HostPolicy::new([]));
    let artifacts = cache().join("artifacts");
    let source = Downloads { cache: &artifacts, from: None, client: Some(&client), mirrors: &mirrors };
    let bring = |wanted: &[Artifact]| source.all(wanted, &Silent);
    let request = Request {
        members,
        codex: &Codex::default(),
        locks,
        mode,
        platform: Platform::X86_64Linux,
        effects: &Effects {
            codex_directory: Path::new("/"),
            cache: &cache(),
            client: online.then_some(&client),
            bring: &bring,
            now: 0,
            progress: &Silent,
        },
    };
    npm::lock(&request).map(Option::unwrap)
}

fn package(name: &str, dependencies: &str) -> String {
    format!(
        "{{\n\"name\": \"{name}\", \"version\": \"1.0.0\",\n\"scripts\": {{\"build\": \"x\"}},\n\"dependencies\": {{{dependencies}}}\n}}"
    )
}

#[test]
fn members_become_one_workspace_that_needs_no_network_again() {
    let members = [
        member("core", &package("@lych/core", "\"ms\": \"2.1.3\""), &[]),
        member(
            "altar",
            &package("altar", "\"@lych/core\": \"*\", \"ms\": \"2.0.0\", \"escape-html\": \"1.0.3\""),
            &[],
        ),
    ];
    let first = lock_with(&members, &Locks::default(), Mode::Keep, true).unwrap();
    let environment = &first.environment;
    let told: Vec<String> = environment
        .packages
        .iter()
        .map(|one| {
            format!(
                "{} {} {:?} {:?}",
                one.name,
                one.version,
                one.places,
                one.requested_by.iter().map(ToString::to_string).collect::<Vec<_>>()
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "escape-html 1.0.3 {\"node_modules/escape-html\"} [\"altar\"]",
            "ms 2.0.0 {\"extensions/altar/web/node_modules/ms\"} [\"altar\"]",
            "ms 2.1.3 {\"node_modules/ms\"} [\"altar\", \"core\"]",
        ]
    );
    let links: Vec<String> =
        environment.links.iter().map(|link| format!("{} -> {}", link.place, link.target)).collect();
    assert_eq!(links, ["node_modules/@lych/core -> core/web", "node_modules/altar -> extensions/altar/web"]);
    assert_eq!(environment.assets.len(), 2);
    assert_eq!(first.locks.completed, None);
    let again = lock_with(&members, &first.locks, Mode::Locked, false).unwrap();
    assert_eq!(
        (again.environment, again.locks, again.moved.len()),
        (first.environment, first.locks.clone(), 0)
    );

    let other = [members[0].clone(), member("altar", &package("altar", "\"ms\": \"2.1.1\""), &[])];
    let error = lock_with(&other, &first.locks, Mode::Locked, true).unwrap_err().to_string();
    for want in [
        "`synthesis/package-lock.json` does not fit the manifests any more",
        "escape-html 1.0.3 removed",
        "ms 2.0.0 -> 2.1.1",
        "without --locked",
    ] {
        assert!(error.contains(want), "{error}");
    }
    let moved: Vec<String> = lock_with(&other, &first.locks, Mode::Keep, true)
        .unwrap()
        .moved
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(moved, ["escape-html 1.0.3 removed (npm)", "ms 2.0.0 -> 2.1.1 (npm)"]);
}

#[test]
fn the_first_lock_takes_the_core_s_versions_and_completes_what_it_lacks() {
    let own = r#"{"name": "@lych/core", "version": "1.0.0", "lockfileVersion": 3, "packages": {
        "": {"name": "@lych/core", "version": "1.0.0", "dependencies": {"ms": "^2.0.0"}},
        "node_modules/ms": {"version": "2.1.1"}
    }}"#;
    let members =
        [member("core", &package("@lych/core", "\"ms\": \"^2.0.0\""), &[("web/package-lock.json", own)])];
    let locked = lock_with(&members, &Locks::default(), Mode::Keep, true).unwrap();
    let ms = &locked.environment.packages[0];
    assert_eq!(
        (ms.version.as_str(), ms.completed, ms.source.to_string().as_str()),
        ("2.1.1", true, "https://registry.npmjs.org/ms/-/ms-2.1.1.tgz")
    );
    assert!(
        locked.notes.contains(&"`core/web/package-lock.json` gave the versions of 1 packages".to_owned()),
        "{:?}",
        locked.notes
    );
    let record = locked.locks.completed.as_ref().unwrap();
    assert!(record.contains(&ms.integrity.to_sri_string()), "{record}");
    let again = lock_with(&members, &locked.locks, Mode::Locked, false).unwrap();
    assert_eq!(again.environment, locked.environment, "`completed` too");

    let lost = Locks { completed: None, ..locked.locks.clone() };
    let error = lock_with(&members, &lost, Mode::Keep, false).unwrap_err();
    assert_eq!(error.exit_code(), 1);
    let error = error.to_string();
    assert!(
        error.contains("1 package of `synthesis/package-lock.json` lack an address or a hash, and --offline"),
        "{error}"
    );
    assert!(error.contains("ms 2.1.1") && error.contains("requested by core"), "{error}");

    let newest = lock_with(&members, &locked.locks, Mode::Update, true).unwrap();
    assert_ne!(newest.environment.packages[0].version, "2.1.1");
    assert_eq!(newest.locks.completed, None);
}

#[test]
fn what_cannot_be_locked_is_told_by_member_file_and_line() {
    let refused = |members: &[Member]| {
        let failure = lock_with(members, &Locks::default(), Mode::Keep, true).unwrap_err();
        assert_eq!(failure.exit_code(), 1, "{failure}");
        failure.to_string()
    };
    let one = |package: &str| [member("altar", package, &[])];
    let peers = refused(&one(&package("altar", "\"react\": \"19.0.0\", \"react-dom\": \"18.3.1\"")));
    assert!(peers.contains("what `altar` wants leads to versions of `react` that cannot be one"), "{peers}");
    assert!(
        peers.contains("at extensions/altar/web/package.json:4:27: `altar` wants `react` 19.0.0"),
        "{peers}"
    );
    let none = refused(&one(&package("altar", "\"ms\": \"^99.0.0\"")));
    assert!(
        none.contains("no version in the npm registry is `ms@^99.0.0`") && none.contains("package.json:4:24"),
        "{none}"
    );
    let engine =
        package("altar", "").replace("\"scripts\"", "\"engines\": {\"node\": \"<20\"},\n\"scripts\"");
    let engine = refused(&one(&engine));
    assert!(
        engine.contains("no pinned Node is `<20`\n  at extensions/altar/web/package.json:3:21"),
        "{engine}"
    );
    let stranger = [
        member("core", &package("ms", ""), &[]),
        member("altar", &package("altar", "\"ms\": \"^2.0.0\""), &[]),
    ];
    let stranger = refused(&stranger);
    assert!(stranger.contains("`ms` is a package of `core`, and one of the registry as well"), "{stranger}");
    let old = Locks { lock: Some("{\"lockfileVersion\": 1}".to_owned()), completed: None };
    let error = lock_with(&one(&package("altar", "")), &old, Mode::Keep, true).unwrap_err().to_string();
    assert!(error.contains("upgrades it") && error.contains("remove it to lock anew"), "{error}");
}
