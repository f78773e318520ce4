//! Whole manifests, and what is said of wrong ones.

use std::collections::BTreeSet;

use super::*;
use crate::crypt::image_contract::LYCHD_MIGRATES;

fn parse(member: &str, text: &str) -> Result<Manifest, String> {
    let id: MemberId = member.parse().unwrap();
    Manifest::parse(&id, "m/pyproject.toml", text.as_bytes()).map_err(|failure| failure.to_string())
}

const WHOLE: &str = r#"
[build-system]
requires = ["setuptools>=77", "./not ; a requirement"]
[project]
name = "Some.Thing"
dynamic = ["version"]
requires-python = ">=3.11"
dependencies = ["httpx[http2]>=0.27 ; python_version < '4'"]
optional-dependencies = { fast_path = ["orjson"] }
scripts = { thing = "some.thing:main" }
[dependency-groups]
dev = ["pytest", { include-group = "lint" }]
[tool.uv]
constraint-dependencies = ["idna<4"]
[tool.lychd]
system-dependencies = ["ffmpeg", { name = "libpq", debian = "libpq5", nixpkgs = "python313Packages.libpq" }]
[tool.lychd.assets]
source = "web"
script = "build"
output = "src/public"
[[tool.lychd.rune]]
name = "vision"
image = "docker.io/vllm/vllm-openai:v1"
"#;

#[test]
fn every_part_is_read_with_its_place() {
    let manifest = parse("vision/ocr", &WHOLE.replace(", \"./not ; a requirement\"", "")).unwrap();
    assert_eq!(manifest.project.name.value.as_str(), "some-thing");
    assert_eq!(manifest.project.version, None);
    let httpx = &manifest.project.dependencies[0];
    assert_eq!(
        (httpx.requirement.name.as_str(), httpx.place.to_string().as_str()),
        ("httpx", "m/pyproject.toml:8:17")
    );
    assert_eq!(httpx.text, "httpx[http2]>=0.27 ; python_version < '4'");
    assert_eq!(manifest.project.optional_dependencies.keys().next().unwrap().as_str(), "fast-path");
    let build = manifest.build_system.unwrap();
    assert_eq!(build.backend, "setuptools.build_meta:__legacy__");
    assert_eq!(build.requires[0].text, "setuptools>=77");
    let constraints = manifest.uv.get("constraint-dependencies").unwrap();
    assert_eq!(constraints.as_array().unwrap()[0].place.to_string(), "m/pyproject.toml:14:28");
    let libpq = &manifest.lychd.system_dependencies[1];
    assert_eq!((libpq.name.as_str(), libpq.debian.as_str()), ("libpq", "libpq5"));
    assert_eq!(manifest.lychd.system_dependencies[0].debian.as_str(), "ffmpeg");
    assert_eq!(manifest.lychd.image, None);
    let rune = &manifest.lychd.runes[0];
    assert_eq!(
        (rune.name.value.as_str(), rune.name.place.to_string()),
        ("vision", "m/pyproject.toml:22:8".into())
    );
}

#[test]
fn a_member_is_a_package_when_uv_says_so() {
    let project = "[project]\nname = 'a'\nversion = '1'\n";
    assert_eq!(parse("a", project).unwrap().build_system, None);
    let forced = parse("a", &format!("{project}[tool.uv]\npackage = true\n")).unwrap().build_system.unwrap();
    assert_eq!(forced.requires[0].text, "setuptools>=40.8.0");
    let never = format!("{project}[build-system]\nrequires = []\n[tool.uv]\npackage = false\n");
    assert_eq!(parse("a", &never).unwrap().build_system, None);
}

fn core(rest: &str) -> Result<Lychd, String> {
    parse("core", &format!("[project]\nname = 'x'\nversion = '1'\n{rest}")).map(|core| core.lychd)
}

#[test]
fn the_cores_image_contract_has_lychds_defaults() {
    let image = parse("core", "[project]\nname = 'lychd'\nversion = '1'\n").unwrap().lychd.image.unwrap();
    let plain = image.contract;
    assert_eq!(
        plain.command.join(" "),
        "granian --interface asgi --factory --workers 1 --host 0.0.0.0 --port 8000 lychd.app:create_app"
    );
    assert_eq!((plain.user.name.as_str(), plain.user.uid, image.port.number), ("lich", 1001, 8000));
    assert_eq!(plain.env["HOME"], "/home/lich");
    assert_eq!(plain.env["LITESTAR_APP"], "lychd.app:create_app");
    assert_eq!((image.migrate, plain.stop_signal), (Vec::<String>::new(), None));
    let own = core(
        "[tool.lychd.image]\ncommand = ['serve', '${x}']\n\
         user = { name = 'ghost' }\nenv = { A = '$1' }\nhealth = { http = '/up', port = 80 }\n\
         stop-signal = 'SIGQUIT'\nmigrate = ['x', 'up']\n",
    );
    let image = own.unwrap().image.unwrap();
    let own = image.contract;
    assert_eq!(own.command, ["serve", "${x}"]);
    assert_eq!(
        (own.env["HOME"].as_str(), own.env["A"].as_str(), own.env.get("LITESTAR_APP")),
        ("/home/ghost", "$1", None)
    );
    assert_eq!(own.directories[0], "/home/ghost");
    assert_eq!((own.user.uid, image.port.number, own.ports), (1001, 80, BTreeSet::from([80])));
    assert_eq!(image.port.place.unwrap().to_string(), "m/pyproject.toml:8:33");
    assert_eq!((image.migrate.join(" "), own.stop_signal.unwrap().as_str()), ("x up".to_owned(), "SIGQUIT"));
}

#[test]
fn programs_that_are_written_have_their_places() {
    let places = |rest: &str| {
        let image = core(rest).unwrap().image.unwrap();
        image.programs.iter().map(|(key, place)| format!("{key} {place}")).collect::<Vec<_>>()
    };
    assert_eq!(places(""), [""; 0]);
    assert_eq!(places("[tool.lychd.image]\nmigrate = []\nhealth = { http = '/up' }\n"), [""; 0]);
    let all =
        "[tool.lychd.image]\ncommand = [\n  'serve', 'x']\nmigrate = ['x']\nhealth = { command = ['y'] }\n";
    assert_eq!(
        places(all),
        ["command m/pyproject.toml:6:3", "health m/pyproject.toml:8:23", "migrate m/pyproject.toml:7:12"]
    );
}

#[test]
fn what_of_the_contract_depends_on_another_key_follows_it() {
    let of = |rest: &str| core(rest).unwrap().image.unwrap();
    // LychD's own migration is that of who has LychD's program.
    let lychd = of("scripts = { lychd = 'x.cli:main' }\n");
    assert_eq!(lychd.migrate.join(" "), LYCHD_MIGRATES);
    let none = of("scripts = { lychd = 'x.cli:main' }\n[tool.lychd.image]\nmigrate = []\n");
    assert!(none.migrate.is_empty());
    // The application listens where it is asked for health, else on the first port.
    let asked = of("[tool.lychd.image]\nhealth = { http = '/', port = 9000 }\nports = [9001]\n");
    assert!(asked.contract.command.join(" ").ends_with("--port 9000 x.app:create_app"));
    assert_eq!((asked.port.number, asked.contract.ports), (9000, BTreeSet::from([9000, 9001])));
    let by_command = of("[tool.lychd.image]\nhealth = { command = ['x', 'ok'] }\nports = [9001]\n");
    assert_eq!((by_command.port.number, by_command.contract.ports), (9001, BTreeSet::from([9001])));
    assert_eq!(by_command.contract.health, Some(Health::Command(vec!["x".to_owned(), "ok".to_owned()])));
    // A user alone moves the home; directories that are written stay.
    let written = of("[tool.lychd.image]\nuser = { name = 'ghost' }\ndirectories = ['/srv/x']\n").contract;
    assert_eq!(
        (written.directories, written.env["HOME"].as_str()),
        (vec!["/srv/x".to_owned()], "/home/ghost")
    );
}

#[test]
fn a_core_may_have_further_images() {
    let lychd = core(
        "[tool.lychd.images.database]\npreset = 'postgresql-17-pgvector'\n\
         system-dependencies = ['postgresql-17-cron']\nenv = { PGDATA = '/srv/data' }\n\
         [tool.lychd.images.cache]\nsystem-dependencies = ['redis-server']\n\
         command = ['redis-server']\nhealth = { http = '/', port = 8001 }\n",
    );
    let [cache, database] = &lychd.unwrap().images[..] else { panic!("two images") };
    let names = |image: &FurtherImage| -> Vec<String> {
        image.system_dependencies.iter().map(|one| one.name.to_string()).collect()
    };
    assert_eq!((cache.role.as_str(), database.role.as_str()), ("cache", "database"));
    assert_eq!(
        names(database),
        [
            "postgresql-17",
            "postgresql-17-pgvector",
            "gzip",
            "util-linux",
            "xz-utils",
            "zstd",
            "postgresql-17-cron"
        ]
    );
    assert_eq!(database.system_dependencies[0].place.to_string(), "m/pyproject.toml:5:10");
    let of = &database.contract;
    assert_eq!((of.command.join(" "), of.ports.clone()), ("postgres".to_owned(), BTreeSet::from([5432])));
    assert_eq!((of.env["PGDATA"].as_str(), of.user.name.as_str()), ("/srv/data", "postgres"));
    assert!(of.env["PATH"].starts_with("/usr/lib/postgresql/17/bin:"));
    let own = core(
        "[tool.lychd.images.database]\npreset = 'postgresql-17-pgvector'\nports = [5433]\nvolumes = ['/srv/data']\n",
    );
    let own = &own.unwrap().images[0].contract;
    assert_eq!(own.ports, BTreeSet::from([5433]), "what is written stands for what the preset says");
    assert!(!own.directories.contains(&"/srv/data".to_owned()), "{:?}", own.directories);
    assert_eq!((cache.entry, cache.contract.user.name.as_str()), (None, "lich"));
    assert_eq!((cache.contract.ports.clone(), cache.contract.env.len()), (BTreeSet::from([8001]), 0));
}

#[test]
fn everything_wrong_is_told_at_once() {
    let error = parse("vision/ocr", &WHOLE.replace("\"ffmpeg\"", "\"-r/etc/passwd\"")).unwrap_err();
    for want in [
        "`./not ; a requirement` in `requires` of [build-system] is not a requirement",
        "  at m/pyproject.toml:3:31\n  requested by vision/ocr",
        "`-r/etc/passwd` is not a Debian package name",
    ] {
        assert!(error.contains(want), "{want}\n--- not in ---\n{error}");
    }
}

/// Each text with what is said of it.
fn refused(cases: &[(&str, String, &str)]) {
    for (member, text, want) in cases {
        let error = parse(member, text).expect_err(text);
        assert!(error.contains(want), "{text}\n{want}\n--- not in ---\n{error}");
    }
}

fn with(rest: &str) -> String {
    format!("[project]\nname = 'a'\nversion = '1'\n{rest}")
}

#[test]
fn hostile_and_mistaken_manifests_are_refused() {
    let cases: &[(&str, String, &str)] = &[
        ("a", "[tool.uv]\n".into(), "has no [project] table"),
        ("a", "[project]\nversion = '1'\n".into(), "[project] has no `name`"),
        ("a", "[project]\nname = 'a'\n".into(), "[project] has no `version`"),
        ("a", "[project]\nname = '../../etc'\nversion = '1'\n".into(), "`name` in [project]"),
        ("a", "[project]\nname = 'a'\nversion = '1; x'\n".into(), "`version` in [project]"),
        ("a", with("requires-python = '3.13'\n"), "Did you mean `==3.13`?\n  at m/pyproject.toml:4:19"),
        ("a", with("dynamic = ['dependencies']\n"), "`dependencies` in [project] is dynamic"),
        ("a", with("dependencies = ['a @ https://${HOME}/a.whl']\n"), "`$` is not allowed"),
        ("a", with("dependancies = ['a']\n"), "did you mean `dependencies`?"),
        ("a", with("dependencies = 'a'\n"), "must be an array of strings, not a string"),
        ("a", with("scripts = { '../x' = 'a:b' }\n"), "is not a command name"),
        ("a", with("scripts = { x = \"os:system('id')\" }\n"), "must be `module:function`"),
        ("a", with("[build-system]\nrequires = []\nbuild-backend = 'a;b'\n"), "not an import path"),
        (
            "a",
            with("[build-system]\nrequires = []\nbackend-path = ['../x']\n"),
            "not a directory of the source tree",
        ),
        ("a", with("[build-system]\nrequire = []\n"), "did you mean `requires`?"),
        ("a", with("[tool.lychd]\nsystem_dependencies = []\n"), "did you mean `system-dependencies`?"),
        ("a", with("[tool.lychd]\nsystem-dependencies = [{ debian = 'x1' }]\n"), "has no `name`"),
        (
            "a",
            with("[tool.lychd]\nsystem-dependencies = [{ name = 'xy', nixpkgs = 'a${b}' }]\n"),
            "not an attribute path",
        ),
        ("a", with("[tool.lychd.assets]\nsources = 'x'\n"), "did you mean `source`?"),
        ("a", with("[[tool.lychd.rune]]\nports = 1\n"), "did you mean `port`?"),
        (
            "a",
            with("[tool.lychd.assets]\nsource = 'w'\nscript = 'b'\noutput = 'o'\n"),
            "a front end needs a package that carries it, and this member is none\n  at m/pyproject.toml:4:",
        ),
    ];
    refused(cases);
}

#[test]
fn hostile_and_mistaken_contracts_of_images_are_refused() {
    let cases: &[(&str, String, &str)] = &[
        ("a", with("[tool.lychd.image]\n"), "an extension cannot have [tool.lychd.image]"),
        ("core", with("[tool.lychd.image]\ncommand = []\n"), "`command` in [tool.lychd.image] is empty"),
        ("core", with("[tool.lychd.image]\ncommand = [\"a\\nRUN x\"]\n"), "control characters"),
        ("core", with("[tool.lychd.image]\nuser = { name = 'root' }\n"), "not an account name"),
        ("core", with("[tool.lychd.image]\nuser = { uid = 0 }\n"), "between 1000 and 65533"),
        ("core", with("[tool.lychd.image]\nenv = { 'A=B' = 'x' }\n"), "cannot be a key"),
        ("core", with("[tool.lychd.image]\nenv = { A = \"x\\ny\" }\n"), "without control characters"),
        ("core", with("[tool.lychd.image]\nlabels = { 'a b' = 'x' }\n"), "cannot be a key"),
        ("core", with("[tool.lychd.image]\ndirectories = ['/a/../b']\n"), "not a plain absolute path"),
        ("core", with("[tool.lychd.image]\ndirectories = ['/app/data']\n"), "`/app` is the body's own"),
        ("core", with("[tool.lychd.image]\nhealth = { http = 'x\"y' }\n"), "not a plain path"),
        ("core", with("[tool.lychd.image]\nhealth = { port = 1 }\n"), "has no `http` and no `command`"),
        (
            "core",
            with("[tool.lychd.image]\nhealth = { command = ['x'], port = 1 }\n"),
            "`port` goes with a question over HTTP\n  at m/pyproject.toml:5:36",
        ),
        (
            "core",
            with("[tool.lychd.image]\nhealth = { command = [] }\n"),
            "`command` in `health` of [tool.lychd.image] is empty",
        ),
        (
            "core",
            with("[tool.lychd.image]\nstop-signal = 'INT'\n"),
            "`INT` is not a signal by which a container can be asked to end",
        ),
        (
            "core",
            with("[tool.lychd.image]\nports = [0]\n"),
            "an integer between 1 and 65535\n  at m/pyproject.toml:5:10",
        ),
        ("core", with("[tool.lychd.image]\nports = ['8000']\n"), "an integer between 1 and 65535"),
        (
            "core",
            with("[tool.lychd.image]\nvolumes = ['/usr/x']\n"),
            "`volumes` in [tool.lychd.image]: `/usr` is the body's own",
        ),
        (
            "core",
            with("[tool.lychd.image]\nmigrate = [\"a\\nb\"]\n"),
            "`migrate` in [tool.lychd.image]: a word is empty",
        ),
        (
            "a",
            with("[tool.lychd.images.x]\ncommand = ['x']\n"),
            "an extension cannot have [tool.lychd.images]",
        ),
        (
            "core",
            with("[tool.lychd.images.vessel]\ncommand = ['x']\n"),
            "the image `vessel` is the application's own",
        ),
        ("core", with("[tool.lychd.images.a-conf]\ncommand = ['x']\n"), "an image cannot be called `a-conf`"),
        ("core", with("[tool.lychd.images.A]\ncommand = ['x']\n"), "`A` is not a name of an image"),
        (
            "core",
            with("[tool.lychd.images.x]\n"),
            "[tool.lychd.images.x] has no `command`\n  at m/pyproject.toml:4:20",
        ),
        (
            "core",
            with("[tool.lychd.images.x]\npreset = 'postgres'\n"),
            "`preset` in [tool.lychd.images.x]: `postgres` is not known",
        ),
        (
            "core",
            with("[tool.lychd.images]\nx = 'y'\n"),
            "`x` in [tool.lychd.images] must be a table, not a string",
        ),
        (
            "core",
            with("[tool.lychd.images.x]\ncommand = ['x']\nhealth = { http = '/' }\n"),
            "`health` of [tool.lychd.images.x] has no `port`\n  at m/pyproject.toml:6:10",
        ),
        (
            "core",
            with("[tool.lychd.images.x]\ncommand = ['x']\nmigrate = ['x']\n"),
            "unknown key `migrate` in [tool.lychd.images.x]",
        ),
        (
            "core",
            with("[tool.lychd.image]\nhealth = { http = '/', port = 0 }\n"),
            "must be between 1 and 65535\n  at m/pyproject.toml:5:",
        ),
    ];
    refused(cases);
}
