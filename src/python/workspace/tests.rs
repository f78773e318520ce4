//! What is decided before uv runs, from manifests as strings.

use toml::Table;

use super::{LockedProject, check, collect, overruled, root_settings, stage};
use crate::{
    codex::Codex,
    crypt::{Checkout, Manifest, Member, SourceTree},
    diagnostic::{Diagnostic, Failure},
    digest::Sha256,
    name::{MemberId, url::HostPolicy},
    python::{
        lock::outline::Outline,
        sources::git::{GitRequest, GitTree},
    },
    tree::FileTree,
};

/// A member called `id` whose `[project]` has a name and version of its own, followed by `rest`.
pub(crate) fn member(id: &str, rest: &str) -> Member {
    let id: MemberId = id.parse().unwrap();
    let name = id.as_str().replace('/', "-");
    let text = format!("[project]\nname = '{name}'\nversion = '1.0'\n{rest}");
    let shown = format!("{id}/pyproject.toml");
    let manifest = Manifest::parse(&id, &shown, text.as_bytes()).unwrap();
    let mut tree = FileTree::new();
    tree.insert_text("pyproject.toml".parse().unwrap(), &text);
    Member {
        id,
        directory: std::path::PathBuf::new(),
        manifest,
        packages: Vec::new(),
        source: SourceTree { tree, nar_sha256: Sha256::of("") },
        checkout: Checkout::default(),
    }
}

fn staged(members: &[Member]) -> Result<FileTree, Vec<Diagnostic>> {
    let hosts = HostPolicy::new(["wheels.example.org".to_owned()]);
    let codex = Codex::default();
    let projects = collect::collect(members, &hosts, &no_git).map_err(|failure| told(&failure))?;
    check::check(&projects, &codex).map_err(|failure: Failure| failure.diagnostics().to_vec())?;
    let settings = root_settings::root_settings(&projects, &hosts)?;
    Ok(stage::federation(&projects, &settings, &codex).unwrap())
}

fn told(failure: &Failure) -> Vec<Diagnostic> {
    failure.diagnostics().to_vec()
}

fn no_git(request: &GitRequest) -> Result<GitTree, Failure> {
    Err(Diagnostic::new(format!("{} is not to be fetched", request.url)).into())
}

fn refused(members: &[Member]) -> String {
    staged(members).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn document(tree: &FileTree, path: &str) -> Table {
    std::str::from_utf8(tree.file(&path.parse().unwrap()).unwrap()).unwrap().parse().unwrap()
}

#[test]
fn only_static_metadata_is_staged_and_never_as_a_package() {
    let core = member(
        "core",
        "dependencies = ['relic[fast]', 'idna']\n[project.optional-dependencies]\nunused = ['six']\n\
         [tool.uv.sources]\nrelic = { path = '../extensions/relic', editable = true }\n\
         [build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n\
         [dependency-groups]\ndev = ['pytest']\n",
    );
    let relic = member("relic", "[project.optional-dependencies]\nfast = ['uvloop']\nslow = ['six']\n");
    let tree = staged(&[core, relic]).unwrap();
    let paths: Vec<&str> = tree.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["members/core/pyproject.toml", "members/relic/pyproject.toml", "pyproject.toml"]);
    insta::assert_snapshot!(document(&tree, "members/core/pyproject.toml"), @r#"
    [project]
    dependencies = ["relic[fast]", "idna"]
    name = "core"
    version = "1.0"

    [tool.uv]
    package = false

    [tool.uv.sources.relic]
    workspace = true
    "#);
    insta::assert_snapshot!(document(&tree, "members/relic/pyproject.toml"), @r#"
    [project]
    dependencies = []
    name = "relic"
    version = "1.0"

    [project.optional-dependencies]
    fast = ["uvloop"]

    [tool.uv]
    package = false
    "#);
    insta::assert_snapshot!(document(&tree, "pyproject.toml"), @r#"
    [project]
    dependencies = ["core", "relic"]
    name = "lychd-forge-federation"
    requires-python = "==3.13.*"
    version = "0"

    [tool.uv]
    environments = ["sys_platform == 'linux' and implementation_name == 'cpython' and platform_python_implementation == 'CPython' and platform_machine == 'x86_64'"]
    package = false
    required-environments = ["sys_platform == 'linux' and platform_machine == 'x86_64'"]

    [tool.uv.sources.core]
    workspace = true

    [tool.uv.sources.relic]
    workspace = true

    [tool.uv.workspace]
    members = ["members/core", "members/relic"]
    "#);
}

#[test]
fn settings_that_disagree_are_a_conflict_with_both_places() {
    let all = "[tool.uv]\nresolution = 'highest'\noverride-dependencies = ['idna==3.6', 'six']\n\
               [[tool.uv.index]]\nname = 'own'\nurl = 'https://wheels.example.org/a'\nexplicit = true\n";
    let core = member("core", all);
    let relic =
        member("relic", &all.replace("highest", "lowest").replace("3.6", "3.7").replace("org/a", "org/b"));
    insta::assert_snapshot!(refused(&[core.clone(), relic]), @r#"
    `core` and `relic` disagree on `resolution`
      at core/pyproject.toml:5:14: core wants this
      at relic/pyproject.toml:5:14: relic wants this
      requested by core, relic
      help: uv takes one value for the whole federation: make the two equal
    `core` and `relic` disagree on the override of `idna`
      at core/pyproject.toml:6:26: core wants this
      at relic/pyproject.toml:6:26: relic wants this
      requested by core, relic
      help: uv takes one value for the whole federation: make the two equal
    `core` and `relic` disagree on the index `own`
      at core/pyproject.toml:7:1: core wants this
      at relic/pyproject.toml:7:1: relic wants this
      requested by core, relic
      help: uv takes one value for the whole federation: make the two equal
    "#);
    let same = member("relic", all);
    let root = document(&staged(&[core, same]).unwrap(), "pyproject.toml");
    assert_eq!(root["tool"]["uv"]["override-dependencies"].as_array().unwrap().len(), 2);
    assert_eq!(root["tool"]["uv"]["index"].as_array().unwrap().len(), 1);
}

#[test]
fn sources_without_a_wheel_and_indexes_on_unknown_hosts_are_refused() {
    for (rest, want) in [
        (
            "dependencies = ['x']\n[tool.uv.sources]\nx = { git = 'https://example.org/x' }\n",
            "is not allowed",
        ),
        ("dependencies = ['x']\n[tool.uv.sources]\nx = { git = 'ssh://git@pypi.org/x' }\n", "uses `ssh:`"),
        ("dependencies = ['x']\n[tool.uv.sources]\nx = { git = 'file:///tmp/x' }\n", "uses `file:`"),
        (
            "dependencies = ['x']\n[tool.uv.sources]\nx = { git = 'https://u:secret@pypi.org/x' }\n",
            "a user name",
        ),
        (
            "dependencies = ['x']\n[tool.uv.sources]\nx = { git = 'https://pypi.org/x', rev = 'abc' }\n",
            "not a full revision",
        ),
        (
            "dependencies = ['x']\n[tool.uv.sources]\nx = { git = 'https://pypi.org/x', branch = '-u' }\n",
            "name of a branch",
        ),
        (
            "dependencies = ['x']\n[tool.uv.sources]\nx = { git = 'https://pypi.org/x', branch = 'a', tag = 'b' }\n",
            "takes one of",
        ),
        (
            "dependencies = ['x']\n[tool.uv.sources]\nx = { git = 'https://pypi.org/x', lfs = true }\n",
            "`lfs` of a git source",
        ),
        (
            "dependencies = ['x']\n[tool.uv.sources]\nx = { git = 'https://pypi.org/x', subdirectory = '../y' }\n",
            "no plain relative path",
        ),
        (
            "dependencies = ['x']\n[tool.uv.sources]\nx = { git = 'https://pypi.org/x' }\n",
            "https://pypi.org/x is not to be fetched",
        ),
        ("[tool.uv.sources]\nx = { path = 'dist/x.whl' }\n", "leads to no project"),
        ("[tool.uv.sources]\nx = { path = '/etc' }\n", "leads to no project"),
        ("[tool.uv.sources]\nx = { path = '../../../x', editable = true }\n", "leads to no project"),
        ("[tool.uv.sources]\nx = { workspace = true }\n", "no member of the federation"),
        ("[tool.uv.sources]\nx = { url = 'http://pypi.org/x.whl' }\n", "not https"),
        ("dependencies = ['x @ git+https://pypi.org/x']\n", "not https"),
        ("dependencies = ['x @ file:///etc/x.whl']\n", "not https"),
        ("dependencies = ['x @ https://pythonhcsted.org/x.whl']\n", "is not allowed"),
        ("[[tool.uv.index]]\nurl = 'https://evil.example/simple'\n", "is not allowed"),
        ("[tool.uv]\nindex-url = 'https://user:secret@pypi.org/simple'\n", "has a user name"),
        ("[tool.uv]\nextra-index-url = ['http://pypi.org/simple']\n", "not https"),
        ("[tool.uv]\nno-build-package = ['../x']\n", "takes names of packages"),
        ("[tool.uv]\noverride-dependencies = ['x @ https://pypi.org/x.whl']\n", "must name versions"),
        ("[tool.uv.workspace]\nmembers = ['../*']\n", "workspace pattern"),
    ] {
        let told = refused(&[member("core", rest)]);
        assert!(told.contains(want) && told.contains("core/pyproject.toml:"), "{rest}: {told}");
    }
}

#[test]
fn members_that_cannot_be_together_are_told_before_uv_runs() {
    let core = || member("core", "requires-python = '>=3.12'\n");
    let told =
        refused(&[core(), member("relic", "requires-python = '>=3.14'\ndependencies = ['core>=2']\n")]);
    assert!(told.contains("`relic` needs Python >=3.14, the image has 3.13"), "{told}");
    assert!(told.contains("`relic` wants core >=2, but it is 1.0\n  at relic/pyproject.toml:5:17"), "{told}");
    let told = refused(&[member("a/b", ""), member("a-b", "")]);
    assert!(told.contains("same distribution name `a-b`"), "{told}");
    let told = refused(&[member("a/b", ""), member("a__b", "")]);
    assert!(told.contains("same place in the staged workspace"), "{told}");
    assert!(refused(&[member("lychd-forge-build", "")]).contains("belongs to the forge"));
}

#[test]
fn an_extension_cannot_quietly_stand_in_for_a_released_package() {
    let (asked, idna) = ("dependencies = ['idna']\n", member("idna", ""));
    let told = refused(&[member("core", asked), idna.clone()]);
    assert!(
        told.contains("`idna` is a member here, and may be a released package as well\n  at core/"),
        "{told}"
    );
    let core = member("core", &format!("{asked}[tool.uv.sources]\nidna = {{ workspace = true }}\n"));
    let hosts = HostPolicy::new([]);
    let members = [core, idna];
    let projects = collect::collect(&members, &hosts, &no_git).unwrap();
    let edges = |name: &str, source: &str| {
        format!(
            "[[package]]\nname = '{name}'\nsource = {{ {source} }}\ndependencies = [{{ name = 'idna' }}]\n"
        )
    };
    let outline = |text: &String| Outline::read(text).unwrap();
    check::check_lock(&outline(&edges("core", "virtual = 'members/core'")), &projects).unwrap();
    let refused =
        check::check_lock(&outline(&edges("httpx", "registry = 'https://pypi.org/simple'")), &projects)
            .unwrap_err();
    assert!(refused.to_string().contains("which the released package `httpx` depends on"), "{refused}");
}

#[test]
fn each_project_has_a_compiler_for_its_own_tree_alone() {
    let hatchling = "[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n";
    let mut core = member(
        "core",
        &format!(
            "dependencies = ['fast', 'slow']\n[tool.uv.workspace]\nmembers = ['packages/*']\n\
             [tool.uv.sources]\nfast = {{ workspace = true }}\nslow = {{ workspace = true }}\n{hatchling}"
        ),
    );
    for (path, text) in [
        ("packages/fast/pyproject.toml", "[project]\nname = 'fast'\nversion = '1'\n"),
        ("packages/fast/tests/data/one.C", ""),
        ("packages/slow/pyproject.toml", "[project]\nname = 'slow'\nversion = '1'\n"),
        ("packages/slow/one.c.txt", ""),
    ] {
        core.source.tree.insert_text(path.parse().unwrap(), text);
    }
    let members = [core, member("relic", hatchling)];
    let projects = collect::collect(&members, &HostPolicy::new([]), &no_git).unwrap();
    let native: Vec<(&str, bool)> =
        projects.iter().map(|one| (one.name().as_ref(), one.is_native(&members))).collect();
    assert_eq!(native, [("core", true), ("fast", true), ("slow", false), ("relic", false)]);
    let built = |project| LockedProject::of(project, Some("0123456789abcdef".to_owned()), &members).native;
    assert!(built(&projects[1]) && !built(&projects[2]));
    assert!(!LockedProject::of(&projects[1], None, &members).native, "what is no package is not built");
}

#[test]
fn one_members_override_is_held_against_what_another_requires() {
    let judge = |core: &str, relic: &str, lock: &str| {
        let members = [member("core", core), member("relic", relic)];
        let projects = collect::collect(&members, &HostPolicy::new([]), &no_git).unwrap();
        overruled::overruled(&Outline::read(lock).unwrap(), &projects, stage::image(&Codex::default()))
    };
    let locked = "[[package]]\nname = 'idna'\nversion = '3.6'\nsource = { registry = 'x' }\n";
    let (wants, overrides) =
        ("dependencies = ['idna>=3.7']\n", "[tool.uv]\noverride-dependencies = ['idna==3.6']\n");
    let told = judge(wants, overrides, locked).unwrap_err();
    assert_eq!(told.exit_code(), 1);
    insta::assert_snapshot!(told, @r"
    `relic` overrides `idna` against what `core` requires
      at relic/pyproject.toml:5:26: relic overrides it for every member
      at core/pyproject.toml:4:17: core wants this
      requested by relic, core
      help: narrow the one or widen the other, so that one version of `idna` is right for both
    ");
    // What it itself requires it may overrule. An extra counts where somebody asks for it.
    assert_eq!(judge("", &format!("{wants}{overrides}"), locked).unwrap().len(), 1);
    let extra = "[project.optional-dependencies]\nfast = ['idna>=3.7']\n";
    assert!(judge(extra, overrides, locked).is_ok());
    assert!(judge(&format!("dependencies = ['core[fast]']\n{extra}"), overrides, locked).is_err());
    // It stands in the place of the whole requirement.
    for whole in ["idna[all]>=3", "idna @ https://files.pythonhosted.org/idna-3.6-py3-none-any.whl"] {
        assert!(judge(&format!("dependencies = ['{whole}']\n"), overrides, locked).is_err(), "{whole}");
    }
    let quoted = judge("dependencies = ['idna>=3 ; os_name != \"nt\"']\n", overrides, locked).unwrap();
    assert!(quoted[0].contains("`core` wants `idna>=3 ; os_name != \"nt\"` ("), "{quoted:?}");
    let notes = judge("dependencies = ['idna>=3']\n", overrides, locked).unwrap();
    assert_eq!(
        notes,
        [
            "relic/pyproject.toml:5:26: `relic` overrides `idna==3.6` for every member; `core` wants `idna>=3` (core/pyproject.toml:4:17)"
        ]
    );
    // What is excluded is nowhere in the lock.
    let excludes = "[tool.uv]\nexclude-dependencies = ['idna']\n";
    assert!(
        judge(wants, excludes, "[[package]]\nname = 'x'\n")
            .unwrap_err()
            .to_string()
            .contains("`relic` excludes `idna` against")
    );
    assert!(
        judge("dependencies = ['idna; sys_platform == \"win32\"']\n", excludes, "[[package]]\nname = 'x'\n")
            .is_ok()
    );
    let needed =
        judge("dependencies = ['idna; python_version >= \"3.8\"']\n", excludes, "[[package]]\nname = 'x'\n");
    assert!(needed.is_err());
}

#[test]
fn a_member_that_wants_another_uv_is_told_of() {
    let notes = |wanted: &str| {
        let members = [member("core", &format!("[tool.uv]\nrequired-version = '{wanted}'\n"))];
        let hosts = HostPolicy::new([]);
        let projects = collect::collect(&members, &hosts, &no_git).unwrap();
        root_settings::root_settings(&projects, &hosts).unwrap().notes
    };
    let own = crate::tools::uv::VERSION;
    for fits in [own, ">=0.5", &format!("=={own}")] {
        assert_eq!(notes(fits), [""; 0], "{fits}");
    }
    assert_eq!(
        notes("==0.4.30"),
        [format!(
            "core/pyproject.toml:5:20: `core` wants uv ==0.4.30, and the forge locks with its own {own}"
        )]
    );
}

#[test]
fn the_sources_of_the_bodys_groups_are_staged_with_them() {
    let core = member(
        "core",
        "[tool.uv]\ndefault-groups = ['a']\n[dependency-groups]\na = ['idna']\nb = ['idna']\n\
         [[tool.uv.index]]\nname = 'one'\nurl = 'https://wheels.example.org/a'\nexplicit = true\n\
         [tool.uv.sources]\nidna = [{ index = 'one', group = 'a' }, { index = 'one', group = 'b' }]\n",
    );
    let staged = document(&staged(&[core]).unwrap(), "members/core/pyproject.toml");
    assert_eq!(staged["project"]["dependencies"].to_string(), "[\"idna\"]");
    assert_eq!(staged["tool"]["uv"]["sources"]["idna"].to_string(), "[{ index = \"one\" }]");
}

#[test]
fn what_an_extension_says_of_all_packages_is_told() {
    let hosts = HostPolicy::new(["wheels.example.org".to_owned()]);
    let members = [
        member("core", ""),
        member(
            "relic",
            "[tool.uv]\nresolution = 'lowest'\nexclude-newer-package = { idna = '2020-01-01' }\n",
        ),
    ];
    let projects = collect::collect(&members, &hosts, &no_git).unwrap();
    assert_eq!(
        root_settings::root_settings(&projects, &hosts).unwrap().notes,
        [
            "relic/pyproject.toml:5:14: `resolution` of `relic` holds for every member",
            "relic/pyproject.toml:6:25: `exclude-newer-package` of `relic` holds for every member",
        ]
    );
    let scoped = "[tool.uv]\noverride-dependencies = [{ package = { name = 'a' }, dependencies = ['b'] }]\n";
    let told = refused(&[member("core", scoped)]);
    assert!(
        told.contains("for the dependencies of one package is not taken\n  at core/pyproject.toml:5:26"),
        "{told}"
    );
}

#[test]
fn a_further_project_of_a_member_speaks_for_itself_alone() {
    let mut core = member(
        "core",
        "dependencies = ['inner']\n[tool.uv.workspace]\nmembers = ['inner']\n[tool.uv.sources]\ninner = { workspace = true }\n",
    );
    let inner = "[project]\nname = 'inner'\nversion = '1'\n[dependency-groups]\nmore = ['idna']\n[tool.uv]\ndefault-groups = ['more']\n\
                 [[tool.uv.index]]\nname = 'one'\nurl = 'https://wheels.example.org/a'\ndefault = true\n\
                 [[tool.uv.index]]\nurl = 'https://wheels.example.org/b'\n";
    core.source.tree.insert_text("inner/pyproject.toml".parse().unwrap(), inner);
    let tree = staged(&[core]).unwrap();
    let staged = document(&tree, "members/core/inner/pyproject.toml");
    assert_eq!(staged["project"]["dependencies"].to_string(), "[]");
    let root = document(&tree, "pyproject.toml");
    assert_eq!(
        root["tool"]["uv"]["index"].to_string(),
        "[{ explicit = true, name = \"one\", url = \"https://wheels.example.org/a\" }]"
    );
}

#[test]
fn git_sources_of_the_bodys_groups_are_wanted() {
    let core = member(
        "core",
        "[tool.uv]\ndefault-groups = ['a']\n[dependency-groups]\na = ['idna']\nb = ['six']\n[tool.uv.sources]\n\
         idna = { git = 'https://pypi.org/idna', tag = 'v1', group = 'a' }\nsix = { git = 'https://pypi.org/six', tag = 'v1', group = 'b' }\n",
    );
    let told = refused(&[core]);
    assert!(
        told.contains("https://pypi.org/idna is not to be fetched") && !told.contains("pypi.org/six"),
        "{told}"
    );
}
