//! The federation's workspace with the real uv, our own Python and the real index.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test's helpers look at files and fail loudly"
)]

use std::{
    collections::BTreeMap,
    io::Read as _,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use lychd_forge::{
    archive::Deb,
    codex::Codex,
    crypt::{Checkout, Manifest, Member, SourceTree},
    diagnostic::{Diagnostic, Failure},
    digest::{Integrity, Sha256},
    host::{
        http::{Client, Expected},
        progress::Silent,
    },
    lock::Mode,
    name::{
        Platform,
        url::{ArtifactUrl, HostPolicy},
    },
    python::{
        lock::UvLock,
        sources::git::GitRequest,
        workspace::{self, Locked, Locks, Request},
    },
    tools::{self, Tools},
    tree::FileTree,
};

/// Shared by all tests and by later runs.
fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("forge-cache")
}

fn fetch(url: &ArtifactUrl, sha256: &Sha256, size: Option<u64>) -> Result<PathBuf, Failure> {
    let target = cache().join("artifacts/sha256").join(sha256.to_string());
    if target.exists() {
        return Ok(target);
    }
    let expected = Expected { integrity: Integrity::Sha256(*sha256), size };
    Client::new(HostPolicy::new([]))
        .file_at(url.as_str(), &target, &expected, &mut |_| {})
        .map_err(|error| Failure::unable(Diagnostic::new(error.to_string())))?;
    Ok(target)
}

/// The Debian packages of Python, from today's index.
fn debs() -> Vec<Deb> {
    let wanted = [
        "libc6",
        "libexpat1",
        "libffi8",
        "libpython3.13-minimal",
        "libpython3.13-stdlib",
        "libssl3t64",
        "libzstd1",
        "python3.13-minimal",
        "zlib1g",
    ];
    let architecture = Platform::X86_64Linux.debian_architecture();
    let list = cache().join("packages-trixie");
    if !list.exists() {
        let url = format!("http://deb.debian.org/debian/dists/trixie/main/binary-{architecture}/Packages.xz");
        let policy = HostPolicy::new([]);
        let packed =
            Client::new(policy.clone()).bytes(&policy.check(&url).unwrap(), 64 << 20, &mut |_| {}).unwrap();
        let mut text = String::new();
        lzma_rust2::XzReader::new(packed.as_slice(), true).read_to_string(&mut text).unwrap();
        let is_wanted = |one: &&str| wanted.iter().any(|name| one.starts_with(&format!("Package: {name}\n")));
        let kept: Vec<&str> = text.split("\n\n").filter(is_wanted).collect();
        std::fs::create_dir_all(cache()).unwrap();
        std::fs::write(&list, kept.join("\n\n")).unwrap();
    }
    let text = std::fs::read_to_string(&list).unwrap();
    let debs: Vec<Deb> = text
        .split("\n\n")
        .map(|paragraph| {
            let field = |name: &str| paragraph.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            let url = format!("http://deb.debian.org/debian/{}", field("Filename: "));
            let sha256: Sha256 = field("SHA256: ").parse().unwrap();
            let path = fetch(&HostPolicy::new([]).check(&url).unwrap(), &sha256, None).unwrap();
            Deb { path, sha256 }
        })
        .collect();
    assert_eq!(debs.len(), wanted.len());
    debs
}

pub(crate) fn tools() -> &'static Tools {
    static TOOLS: OnceLock<Tools> = OnceLock::new();
    TOOLS.get_or_init(|| tools::install(&cache(), Platform::X86_64Linux, &debs(), &fetch).unwrap())
}

/// A member from its manifest and its other files.
pub(crate) fn member(id: &str, manifest: &str, files: &[(&str, &str)]) -> Member {
    let id = id.parse().unwrap();
    let name = if id == lychd_forge::name::MemberId::core() {
        "core/pyproject.toml".to_owned()
    } else {
        format!("extensions/{id}/pyproject.toml")
    };
    let mut tree = FileTree::new();
    for (path, text) in files.iter().chain([&("pyproject.toml", manifest)]) {
        tree.insert_text(path.parse().unwrap(), text);
    }
    Member {
        manifest: Manifest::parse(&id, &name, manifest.as_bytes()).unwrap(),
        id,
        directory: PathBuf::new(),
        packages: Vec::new(),
        source: SourceTree { tree, nar_sha256: Sha256::of("") },
        checkout: Checkout::default(),
    }
}

fn lock_with(members: &[Member], codex: &Codex, locks: &Locks, mode: Mode) -> Result<Locked, Failure> {
    let no_git = |_: &GitRequest| Err(Diagnostic::new("no repository here").into());
    let request = Request { members, codex, locks, mode, offline: false, bring_tree: &no_git };
    let cache = cache();
    let federation = workspace::lock_federation(&request, tools(), &cache, &Silent)?;
    workspace::lock_builds(federation, &[])
}

fn written(lock: &UvLock) -> &str {
    lock.text().text()
}

pub(crate) fn lock(members: &[Member]) -> Result<Locked, Failure> {
    lock_with(members, &Codex::default(), &Locks::default(), Mode::Keep)
}

fn locks_of(locked: &Locked) -> Locks {
    let builds: BTreeMap<String, String> =
        locked.builds.iter().map(|one| (one.id.clone(), written(&one.uv_lock).to_owned())).collect();
    Locks { federation: Some(written(&locked.uv_lock).to_owned()), builds }
}

#[test]
fn members_become_one_lock_and_none_of_their_code_runs() {
    let proof = cache().join("executed");
    let evil = format!("open({:?}, 'w').write('run')\n", proof.display().to_string());
    let core = member(
        "core",
        "[project]\nname = 'organism'\ndynamic = ['version']\nrequires-python = '>=3.12'\ndependencies = ['idna>=3']\n\
         [build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n\
         [dependency-groups]\ndev = ['idna<3']\n",
        &[],
    );
    let relic = member(
        "vision/relic",
        "[project]\nname = 'relic'\nversion = '1.2'\ndependencies = ['organism', 'sniffio']\n\
         [build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n",
        &[("backend.py", &evil), ("setup.py", &evil)],
    );
    let members = [core, relic];
    let locked = lock(&members).unwrap();
    assert!(!proof.exists(), "a member's code ran");
    for text in ["name = \"sniffio\"", "virtual = \"members/core\"", "virtual = \"members/vision__relic\""] {
        assert!(written(&locked.uv_lock).contains(text), "{text}\n{}", written(&locked.uv_lock));
    }
    assert!(!written(&locked.uv_lock).contains("forge-cache"), "host path in {}", written(&locked.uv_lock));
    let [first, second] = locked.projects.as_slice() else { panic!("{:?}", locked.projects) };
    assert_eq!((first.name.as_ref(), first.version.as_deref()), ("organism", None));
    assert_eq!(
        (second.lock_source.as_str(), second.version.as_deref()),
        ("members/vision__relic", Some("1.2"))
    );
    assert_ne!(first.build_environment, second.build_environment);
    let hatch = locked.builds.iter().find(|one| Some(&one.id) == first.build_environment.as_ref()).unwrap();
    assert_eq!(hatch.requires, ["hatchling"]);
    assert!(written(&hatch.uv_lock).contains("name = \"pathspec\""));

    let again = lock_with(&members, &Codex::default(), &locks_of(&locked), Mode::Locked).unwrap();
    assert_eq!(again.uv_lock, locked.uv_lock);
    assert_eq!(again.moved, []);
}

#[test]
fn a_conflict_is_told_in_the_members_terms() {
    let core = member(
        "core",
        "[project]\nname = 'organism'\nversion = '1'\ndependencies = [\n  'pydantic>=2.10',\n]\n",
        &[],
    );
    let relic = member(
        "relic",
        "[project]\nname = 'relic-tools'\nversion = '1'\ndependencies = ['sniffio', 'pydantic<2']\n",
        &[],
    );
    let bystander =
        member("loom", "[project]\nname = 'loom'\nversion = '1'\ndependencies = ['pydantic']\n", &[]);
    let failure = lock(&[core, bystander, relic]).unwrap_err();
    assert_eq!(failure.exit_code(), 1);
    insta::assert_snapshot!(failure, @r#"
    `core` and `relic` want versions of `pydantic` that cannot be one
      at core/pyproject.toml:5:3: `core` wants `pydantic>=2.10`
      at extensions/relic/pyproject.toml:4:28: `relic` wants `pydantic<2`
      requested by core, relic
      note: uv says:
        No solution found when resolving dependencies
        Because core (organism) depends on pydantic>=2.10 and relic (relic-tools) depends on pydantic<2, we can conclude that core (organism) and relic (relic-tools) are incompatible.
        And because the federation requires core (organism) and relic (relic-tools), we can conclude that the federation's requirements are unsatisfiable.
      help: loosen one of these requirements, or leave one of the members out
    "#);
}

#[test]
fn a_conflict_through_a_third_package_names_who_brings_it() {
    let core = member("core", "[project]\nname = 'core'\nversion = '1'\ndependencies = ['idna>=3.7']\n", &[]);
    let relic = member(
        "relic",
        "[project]\nname = 'relic'\nversion = '1'\ndependencies = ['requests==2.25.1']\n",
        &[],
    );
    let failure = lock(&[core, relic]).unwrap_err();
    insta::assert_snapshot!(failure, @r#"
    what `core` and `relic` need leads to versions of `idna` that cannot be one
      at core/pyproject.toml:4:17: `core` wants `idna>=3.7`
      at extensions/relic/pyproject.toml:4:17: `relic` wants `requests==2.25.1`
      requested by core, relic
      note: uv says:
        No solution found when resolving dependencies
        Because requests==2.25.1 depends on idna>=2.5,<3 and relic depends on requests==2.25.1, we can conclude that relic depends on idna>=2.5,<3.
        And because core depends on idna>=3.7, we can conclude that core and relic are incompatible.
        And because the federation requires core and relic, we can conclude that the federation's requirements are unsatisfiable.
      help: loosen one of these requirements, or leave one of the members out
    "#);
}

#[test]
fn what_has_no_wheel_is_refused_and_never_run() {
    let core =
        member("core", "[project]\nname = 'core'\nversion = '1'\ndependencies = ['docopt==0.6.2']\n", &[]);
    let members = [core];
    let failure = lock(&members).unwrap_err();
    insta::assert_snapshot!(failure, @r#"
    `docopt` has no wheel in a version that fits
      at core/pyproject.toml:4:17: `core` wants `docopt==0.6.2`
      requested by core
      note: uv says:
        No solution found when resolving dependencies
        Because docopt==0.6.2 has no usable wheels and core depends on docopt==0.6.2, we can conclude that core's requirements are unsatisfiable.
        And because the federation requires core, we can conclude that the federation's requirements are unsatisfiable.
        hint: Wheels are required for `docopt` because building from source is disabled for all packages (i.e., with `--no-build`)
      help: allow a version that has wheels; `[policy] allow-sdist = ["docopt"]` in forge.toml lets it be built from source
    "#);
    let mut codex = Codex::default();
    codex.policy.allow_sdist.insert("docopt".parse().unwrap());
    let failure = lock_with(&members, &codex, &Locks::default(), Mode::Keep).unwrap_err();
    let told = failure.to_string();
    assert!(told.starts_with("only running the build of `docopt` could tell what it depends on"), "{told}");
    assert!(told.contains("Permission denied"), "the build's Python started: {told}");

    let stated = "[project]\nname = 'core'\nversion = '1'\ndependencies = ['docopt==0.6.2']\n\
                  [[tool.uv.dependency-metadata]]\nname = 'docopt'\nversion = '0.6.2'\n";
    let members = [member("core", stated, &[])];
    let locked = lock_with(&members, &codex, &Locks::default(), Mode::Keep).unwrap();
    assert!(written(&locked.uv_lock).contains("docopt-0.6.2.tar.gz"), "{}", written(&locked.uv_lock));
}

#[test]
fn locked_versions_stay_until_an_update_is_asked_for() {
    let with = |asked: &str| {
        [member(
            "core",
            &format!("[project]\nname = 'core'\nversion = '1'\ndependencies = ['{asked}']\n"),
            &[],
        )]
    };
    let old = locks_of(&lock(&with("idna==3.6")).unwrap());
    let refused = lock_with(&with("idna"), &Codex::default(), &old, Mode::Locked).unwrap_err();
    assert!(refused.to_string().contains("does not fit the manifests"), "{refused}");
    let kept = lock_with(&with("idna"), &Codex::default(), &old, Mode::Keep).unwrap();
    assert_eq!(kept.moved, []);
    let moved = lock_with(&with("idna"), &Codex::default(), &old, Mode::Update).unwrap().moved;
    assert!(moved.len() == 1 && moved[0].to_string().starts_with("idna 3.6 -> 3."), "{moved:?}");
    let broken = Locks { federation: Some("<<<<<<< ours".to_owned()), ..Locks::default() };
    assert!(lock_with(&with("idna"), &Codex::default(), &broken, Mode::Keep).is_err());
}

#[test]
fn the_first_lock_takes_its_versions_from_the_cores_own_lock() {
    let project =
        |asked: &str| format!("[project]\nname = 'core'\nversion = '1'\ndependencies = [{asked}]\n");
    let own = lock(&[member("core", &project("'idna==3.6', 'six==1.15.0'"), &[])])
        .unwrap()
        .uv_lock
        .text()
        .text()
        .to_owned();
    let core = member("core", &project("'idna', 'six>=1.16'"), &[("uv.lock", &own)]);
    let members = [core];
    let first = lock(&members).unwrap();
    assert!(
        written(&first.uv_lock).contains("name = \"idna\"\nversion = \"3.6\""),
        "{}",
        written(&first.uv_lock)
    );
    let [kept, moved] = first.notes.as_slice() else { panic!("{:?}", first.notes) };
    assert_eq!(kept, "`core/uv.lock` gave the versions of 1 packages");
    assert!(moved.starts_with("but six 1.15.0 -> 1."), "{moved}");
    assert!(first.moved.iter().all(|one| one.from.is_empty()), "{:?}", first.moved);

    let (codex, none) = (Codex::default(), Locks::default());
    let newest = lock_with(&members, &codex, &none, Mode::Update).unwrap();
    assert!(
        !written(&newest.uv_lock).contains("version = \"3.6\"") && newest.notes.is_empty(),
        "{}",
        written(&newest.uv_lock)
    );
    let later = lock_with(&members, &codex, &locks_of(&newest), Mode::Keep).unwrap();
    assert_eq!((later.uv_lock, later.notes), (newest.uv_lock, Vec::new()));
    let broken = [member("core", &project("'idna'"), &[("uv.lock", "<<<<<<< ours")])];
    assert!(lock(&broken).unwrap_err().to_string().starts_with("`core/uv.lock` is no lock"));
}

#[test]
fn an_index_with_other_bytes_than_are_locked_is_refused() {
    let with = |asked: &str| {
        [member("core", &format!("[project]\nname = 'core'\nversion = '1'\ndependencies = [{asked}]\n"), &[])]
    };
    let locked = lock(&with("'idna==3.6'")).unwrap().uv_lock.text().text().to_owned();
    let start = locked.find("sha256:").unwrap() + "sha256:".len();
    let mut other = locked;
    other.replace_range(start..start + 64, &"0".repeat(64));
    let old = Locks { federation: Some(other), ..Locks::default() };
    let told =
        lock_with(&with("'idna==3.6', 'six'"), &Codex::default(), &old, Mode::Keep).unwrap_err().to_string();
    assert!(told.starts_with("the index has other bytes than `synthesis/uv.lock`"), "{told}");
    assert!(told.contains("of idna 3.6, https://pypi.org/simple"), "{told}");
}

#[test]
fn a_members_own_workspace_is_flattened_and_its_root_settings_are_lifted() {
    let core = member(
        "core",
        "[project]\nname = 'core'\nversion = '1'\ndependencies = ['inner', 'idna']\n\
         [tool.uv]\noverride-dependencies = ['idna==3.6']\nconstraint-dependencies = ['sniffio<1.3.1']\n\
         [tool.uv.workspace]\nmembers = ['packages/*']\n\
         [tool.uv.sources]\ninner = { workspace = true }\n",
        &[
            (
                "packages/inner/pyproject.toml",
                "[project]\nname = 'inner'\nversion = '1'\ndependencies = ['sniffio']\n",
            ),
            (
                "packages/unused/pyproject.toml",
                "[project]\nname = 'unused'\nversion = '1'\ndependencies = ['six']\n",
            ),
        ],
    );
    let relic = member(
        "relic",
        "[project]\nname = 'relic'\nversion = '1'\ndependencies = ['core', 'helper', 'six']\n\
         [tool.uv.sources]\ncore = { path = '../../core', editable = true }\nhelper = { path = 'helper' }\nsix = { index = 'named' }\n\
         [[tool.uv.index]]\nname = 'named'\nurl = 'https://pypi.org/simple'\nexplicit = true\n",
        &[("helper/pyproject.toml", "[project]\nname = 'helper'\nversion = '1'\n")],
    );
    let locked = lock(&[core, relic]).unwrap();
    for text in [
        "virtual = \"members/core/packages/inner\"",
        "virtual = \"members/relic/helper\"",
        "name = \"idna\"\nversion = \"3.6\"",
        "name = \"sniffio\"\nversion = \"1.3.0\"",
    ] {
        assert!(written(&locked.uv_lock).contains(text), "{text}\n{}", written(&locked.uv_lock));
    }
    assert!(
        !written(&locked.uv_lock).contains("members/core/packages/unused"),
        "{}",
        written(&locked.uv_lock)
    );
    assert_eq!(locked.projects.len(), 4);
}

#[test]
fn an_index_that_does_not_answer_is_no_refusal() {
    let core =
        member("core", "[project]\nname = 'core'\nversion = '1'\ndependencies = ['zope-interface']\n", &[]);
    let empty = tempfile::tempdir().unwrap();
    let (codex, locks) = (Codex::default(), Locks::default());
    let no_git = |_: &GitRequest| Err(Diagnostic::new("no repository here").into());
    let (mode, members) = (Mode::Keep, &[core]);
    let request = Request { members, codex: &codex, locks: &locks, mode, offline: true, bring_tree: &no_git };
    let locked = workspace::lock_federation(&request, tools(), empty.path(), &Silent);
    let failure = locked.err().unwrap();
    assert_eq!(failure.exit_code(), 2, "{failure}");
}
