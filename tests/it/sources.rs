//! Packages that are no wheels of a public index: built in the sandbox, out of a repository, from a member's own
//! files, from an index that wants a password. Everything is real: PyPI, uv, git over https, the compiler, Nix.

mod internet;

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    io::{Cursor, Write},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
};

use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::Value;
use sha2::Digest as _;

use internet::{Answer, Internet, Request, git_server};

const FORGE: &str = env!("CARGO_BIN_EXE_lychd-forge");
const HOSTS: [&str; 2] = ["git.lych.test", "index.lych.test"];
const PASSWORD: &str = "correct-horse-battery";

/// A Crypt, a Codex and what lies behind their network.
struct World {
    directory: PathBuf,
    internet: Internet,
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn git(directory: &Path, arguments: &[&str]) {
    let identity =
        ["-c", "user.name=Anna", "-c", "user.email=anna@lych.test", "-c", "protocol.file.allow=always"];
    let output = Command::new("git")
        .args(identity)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

const GIT_MANIFEST: &str = "[build-system]\nrequires = [\"flit-core>=3.9\"]\nbuild-backend = \"flit_core.buildapi\"\n\
                            [project]\nname = \"git-thing\"\nversion = \"2.0\"\ndescription = \"x\"\n";

/// A wheel of one module, by the rules (`PyPA`'s binary distribution format).
fn wheel(name: &str, code: &str) -> Vec<u8> {
    let info = format!("{name}-1.0.dist-info");
    let files = [
        (format!("{name}.py"), code.to_owned()),
        (format!("{info}/METADATA"), format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")),
        (
            format!("{info}/WHEEL"),
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n".to_owned(),
        ),
    ];
    let mut record = String::new();
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, text) in &files {
        let hash = BASE64URL_NOPAD.encode(&sha2::Sha256::digest(text));
        writeln!(record, "{path},sha256={hash},{}", text.len()).unwrap();
        archive.start_file(path, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.start_file(format!("{info}/RECORD"), zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(format!("{record}{info}/RECORD,,\n").as_bytes()).unwrap();
    archive.finish().unwrap().into_inner()
}

/// A source archive of one module, whose metadata are static and whose backend is its own.
fn source_archive(name: &str) -> Vec<u8> {
    let manifest = format!(
        "[build-system]\nrequires = [\"flit-core>=3.9\"]\nbuild-backend = \"own\"\nbackend-path = [\"backends\"]\n\
         [project]\nname = \"{name}\"\nversion = \"1.0\"\ndescription = \"x\"\n"
    );
    let files = [
        ("PKG-INFO", format!("Metadata-Version: 2.2\nName: {name}\nVersion: 1.0\n")),
        ("pyproject.toml", manifest),
        ("backends/own.py", "from flit_core.buildapi import *\n".to_owned()),
        (&format!("{name}.py"), "\"\"\"x\"\"\"\nWHENCE = 'a source archive in a member'\n".to_owned()),
    ];
    let mut archive =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("{name}-1.0/{path}"), text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// The index: one package, for those who know the password.
fn index(request: &Request) -> Option<Answer> {
    let wanted = format!("Basic {}", BASE64.encode(format!("anna:{PASSWORD}").as_bytes()));
    if request.headers.get("authorization") != Some(&wanted) {
        let mut answer = Answer::new("401 Unauthorized", "text/plain", "who are you?");
        answer.headers.push("www-authenticate: Basic realm=\"lych\"".to_owned());
        return Some(answer);
    }
    let bytes = wheel("private_thing", "WHENCE = 'a private index'\n");
    let file = "private_thing-1.0-py3-none-any.whl";
    match request.target.as_str() {
        "/simple/private-thing/" => {
            let hash = data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(&bytes));
            let page = format!(
                "<!DOCTYPE html><html><body><a href=\"/files/{file}#sha256={hash}\">{file}</a></body></html>"
            );
            Some(Answer::new("200 OK", "text/html", page))
        }
        target if target == format!("/files/{file}") => Some(Answer::new("200 OK", "application/zip", bytes)),
        _ => None,
    }
}

impl World {
    fn new(name: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if directory.exists() {
            fs::remove_dir_all(&directory).unwrap();
        }
        fs::create_dir_all(directory.join("repositories")).unwrap();
        let repositories = directory.join("repositories");
        let root = repositories.clone();
        let internet = Internet::new(
            &directory,
            &HOSTS,
            Arc::new(move |request| match request.host.as_str() {
                "git.lych.test" => git_server(&root, request),
                _ => index(request),
            }),
        );
        write(
            &directory.join("netrc"),
            format!("machine index.lych.test\nlogin anna\npassword {PASSWORD}\n"),
        );
        write(
            &directory.join("codex/forge.toml"),
            "[policy]\nhosts = [\"git.lych.test\", \"index.lych.test\"]\n\
             allow-sdist = [\"docopt\", \"markupsafe\", \"local-source\"]\n",
        );
        let world = Self { directory, internet };
        world.repository(
            "thing",
            &[("pyproject.toml", GIT_MANIFEST), ("git_thing.py", "\"\"\"x\"\"\"\nWHENCE = 'a repository'\n")],
        );
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// A repository with one commit; its working tree is beside it.
    fn repository(&self, name: &str, files: &[(&str, &str)]) {
        let tree = self.path("trees").join(name);
        fs::create_dir_all(&tree).unwrap();
        git(&tree, &["init", "--quiet", "--initial-branch", "main"]);
        for (path, text) in files {
            write(&tree.join(path), text);
        }
        git(&tree, &["add", "--all"]);
        git(&tree, &["commit", "--quiet", "--message", "one"]);
        git(&tree, &["tag", "v1"]);
        let bare = self.path("repositories").join(format!("{name}.git"));
        git(&tree, &["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
    }

    fn core(&self, manifest: &str) {
        write(&self.path("crypt/core/pyproject.toml"), manifest);
    }

    fn run(&self, password: bool, arguments: &[&str]) -> Output {
        self.command(password, arguments).output().unwrap()
    }

    fn command(&self, password: bool, arguments: &[&str]) -> Command {
        let mut command = Command::new(FORGE);
        command
            .env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"))
            .env("https_proxy", &self.internet.proxy)
            .env("HTTPS_PROXY", &self.internet.proxy)
            .env("SSL_CERT_FILE", &self.internet.certificates)
            .env_remove("no_proxy")
            .env_remove("NO_PROXY")
            .env_remove("SSL_CERT_DIR")
            .env("HOME", self.path("home"))
            .env_remove("NETRC");
        if password {
            command.env("NETRC", self.path("netrc"));
        }
        for name in ["codex", "crypt", "state"] {
            command.arg(format!("--{name}")).arg(self.path(name));
        }
        command.args(arguments);
        command
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(true, &[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn refused(&self, password: bool, code: i32) -> String {
        let output = self.run(password, &["synthesize"]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{told}");
        told
    }
}

fn manifest(dependencies: &str, rest: &str) -> String {
    format!(
        "[project]\nname = \"organism\"\nversion = \"1.0\"\nrequires-python = \">=3.11\"\ndependencies = [{dependencies}]\n\
         [tool.lychd.image]\ncommand = [\"python\", \"-m\", \"organism\"]\n{rest}"
    )
}

fn sources(text: &str) -> String {
    format!("[tool.uv.sources]\n{text}\n")
}

/// All files below a directory that hold `needle`.
fn holding(directory: &Path, needle: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() && !entry.is_symlink() {
            found.extend(holding(&entry, needle));
        } else if fs::read(&entry)
            .is_ok_and(|bytes| bytes.windows(needle.len()).any(|part| part == needle.as_bytes()))
        {
            found.push(entry);
        }
    }
    found
}

/// What a script prints that sees all that was built, with nothing but the store it was built into.
fn run_python(world: &World, script: &str) -> String {
    let mut packages: BTreeSet<PathBuf> = BTreeSet::new();
    let mut python = None;
    for entry in fs::read_dir(world.path("store/nix/store")).unwrap().map(|entry| entry.unwrap().path()) {
        let inside = Path::new("/nix/store").join(entry.file_name().unwrap());
        if entry.join("lib/python3.13/site-packages").is_dir() {
            packages.insert(inside.join("lib/python3.13/site-packages"));
        }
        if entry.join("pyvenv.cfg").is_file() && entry.to_string_lossy().ends_with("-python3.13") {
            python = Some(inside.join("bin/python3"));
        }
    }
    let output = Command::new("bwrap")
        .arg("--ro-bind")
        .arg(world.path("store/nix"))
        .args(["/nix", "--proc", "/proc", "--clearenv", "--setenv", "PYTHONPATH"])
        .arg(packages.iter().map(|path| path.to_str().unwrap()).collect::<Vec<_>>().join(":"))
        .arg(python.unwrap())
        .args(["-B", "-c", script])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn archives_repositories_files_and_a_private_index_become_one_body() {
    let world = World::new("sources");
    write(
        &world.path("crypt/core/vendor/local_wheel-1.0-py3-none-any.whl"),
        wheel("local_wheel", "WHENCE = 'a wheel in a member'\n"),
    );
    write(&world.path("crypt/core/vendor/local_source-1.0.tar.gz"), source_archive("local_source"));
    let rest = sources(
        "git-thing = { git = \"https://git.lych.test/thing.git\", branch = \"main\" }\n\
         local-wheel = { path = \"vendor/local_wheel-1.0-py3-none-any.whl\" }\n\
         local-source = { path = \"./vendor/local_source-1.0.tar.gz\" }\n\
         private-thing = { index = \"lych\" }",
    ) + "[tool.uv]\nno-binary-package = [\"markupsafe\"]\n\
         [[tool.uv.index]]\nname = \"lych\"\nurl = \"https://index.lych.test/simple\"\nexplicit = true\n\
         [[tool.uv.dependency-metadata]]\nname = \"docopt\"\nversion = \"0.6.2\"\nrequires-dist = []\n";
    world.core(&manifest(
        "\"docopt==0.6.2\", \"markupsafe==3.0.2\", \"git-thing\", \"local-wheel\", \"local-source\", \"private-thing\"",
        &rest,
    ));

    let told = world.refused(false, 1);
    assert!(told.contains("an index wants a login") && told.contains("~/.netrc"), "{told}");

    let store = world.path("store");
    let store = store.to_str().unwrap();
    let report = world.json(&["forge", "--no-load", "--nix-store", store]);
    let synthesis: Value =
        serde_json::from_str(&fs::read_to_string(world.path("state/synthesis/synthesis.json")).unwrap())
            .unwrap();
    let packages: Vec<(&str, &str, bool)> = synthesis["python_packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (one["name"].as_str().unwrap(), one["kind"].as_str().unwrap(), one["build"]["native"] == true)
        })
        .collect();
    let expected = [
        ("docopt", "sdist", false),
        ("git-thing", "git", false),
        ("local-source", "sdist", false),
        ("local-wheel", "wheel", false),
        ("markupsafe", "sdist", true),
        ("private-thing", "wheel", false),
    ];
    assert_eq!(packages, expected);
    let gcc =
        synthesis["system_packages"].as_array().unwrap().iter().find(|one| one["name"] == "gcc").unwrap();
    assert_eq!((&gcc["compiler"], &gcc["image"]), (&Value::Bool(true), &Value::Bool(false)));

    assert_eq!(
        run_python(
            &world,
            "import docopt, git_thing, local_source, local_wheel, private_thing, markupsafe._speedups as native\n\
             import markupsafe\nassert markupsafe._escape_inner is native._escape_inner\n\
             print(docopt.__version__, str(markupsafe.escape('<')), *(m.WHENCE for m in (git_thing, local_source, local_wheel, private_thing)), sep='|')",
        ),
        "0.6.2|&lt;|a repository|a source archive in a member|a wheel in a member|a private index"
    );

    // Locked, without network and password: the same.
    let again = world.run(false, &["synthesize", "--locked", "--offline", "--json"]);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(again["synthesis_sha256"], report["synthesis_sha256"]);

    // Other bytes under the name of a locked file are not taken.
    let local = world.path("crypt/core/vendor/local_wheel-1.0-py3-none-any.whl");
    let locked = fs::read(&local).unwrap();
    write(&local, wheel("local_wheel", "WHENCE = 'something else'\n"));
    let told = world.refused(true, 1);
    let want = "local_wheel-1.0-py3-none-any.whl` is not the file that `synthesis/uv.lock` has";
    assert!(told.contains(want) && told.contains("requested by core"), "{told}");
    write(&local, locked);

    // A folder carries all of it to a host with an empty cache, the repository's tree as well.
    let folder = world.path("folder");
    let folder = folder.to_str().unwrap();
    let carried = world.json(&["fetch", "--locked", "--to", folder]);
    assert_eq!(carried["synthesis_sha256"], report["synthesis_sha256"]);
    let mut there = world.command(false, &["synthesize", "--locked", "--from", folder, "--json"]);
    let there = there.env("XDG_CACHE_HOME", world.path("empty")).output().unwrap();
    assert!(there.status.success(), "{}", String::from_utf8_lossy(&there.stderr));
    let there: Value = serde_json::from_slice(&there.stdout).unwrap();
    assert_eq!(there["synthesis_sha256"], report["synthesis_sha256"]);

    // A branch that moves moves nothing until it is asked to.
    let tree = world.path("trees/thing");
    write(&tree.join("git_thing.py"), "\"\"\"x\"\"\"\nWHENCE = 'elsewhere'\n");
    git(&tree, &["commit", "--quiet", "--all", "--message", "two"]);
    git(&tree, &["push", "--quiet", world.path("repositories/thing.git").to_str().unwrap(), "main"]);
    let kept = world.json(&["synthesize"]);
    assert_eq!(kept["synthesis_sha256"], report["synthesis_sha256"]);
    let moved = world.json(&["synthesize", "--update", "uv"]);
    let moved = moved["moved"].as_array().unwrap();
    let git: Vec<&Value> = moved.iter().filter(|change| change["kind"] == "git").collect();
    assert_eq!(git.len(), 1, "{moved:?}");
    assert_eq!(
        (&git[0]["name"], &git[0]["why"]),
        (&"https://git.lych.test/thing.git (branch main)".into(), &"updated".into())
    );
    assert_ne!(git[0]["from"], git[0]["to"]);

    for secret in [PASSWORD.to_owned(), BASE64.encode(format!("anna:{PASSWORD}").as_bytes())] {
        for place in ["crypt", "state"] {
            assert_eq!(holding(&world.path(place), &secret), Vec::<PathBuf>::new(), "{secret} in {place}");
        }
        assert!(!told.contains(&secret) && !report.to_string().contains(&secret));
    }
}

#[test]
fn repositories_that_cannot_be_carried_are_refused_by_name() {
    let world = World::new("sources-refused");
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
    world.repository("large", &[("pyproject.toml", GIT_MANIFEST), ("model.bin", pointer)]);
    world.repository("bare", &[("setup.py", "raise SystemExit")]);
    world.repository("other", &[("pyproject.toml", &GIT_MANIFEST.replace("git-thing", "other-thing"))]);
    let outer = world.path("trees/outer");
    fs::create_dir_all(&outer).unwrap();
    git(&outer, &["init", "--quiet", "--initial-branch", "main"]);
    git(
        &outer,
        &["submodule", "--quiet", "add", world.path("repositories/thing.git").to_str().unwrap(), "inner"],
    );
    git(&outer, &["commit", "--quiet", "--message", "one"]);
    git(&outer, &["clone", "--quiet", "--bare", ".", world.path("repositories/outer.git").to_str().unwrap()]);
    let source = |which: &str| {
        world.core(&manifest(
            "\"git-thing\"",
            &sources(&format!("git-thing = {{ git = \"https://git.lych.test/{which} }}")),
        ));
    };
    for (which, code, want) in [
        (
            "large.git\"",
            1,
            "`model.bin` of https://git.lych.test/large.git is in git-lfs, which is not fetched",
        ),
        ("outer.git\"", 1, "`inner` of https://git.lych.test/outer.git is a submodule, which is not fetched"),
        ("bare.git\"", 1, "has no `pyproject.toml` there"),
        ("other.git\"", 1, "https://git.lych.test/other.git is `other-thing`, not `git-thing`"),
        ("thing.git\", branch = \"gone\"", 1, "https://git.lych.test/thing.git has no branch gone"),
        ("missing.git\"", 2, "`https://git.lych.test/missing.git` cannot be fetched"),
    ] {
        source(which);
        let told = world.refused(false, code);
        assert!(told.contains(want), "{which}: {told}");
        assert!(told.contains("core/pyproject.toml"), "{which}: {told}");
    }
    // A tag, and a directory of the repository, are taken.
    source("thing.git\", tag = \"v1\"");
    world.json(&["synthesize"]);
    let lock = fs::read_to_string(world.path("crypt/synthesis/git.lock.json")).unwrap();
    assert!(lock.contains("\"reference\": \"tag v1\""), "{lock}");
    let at = lock.find("\"nar_sha256\": \"").unwrap() + "\"nar_sha256\": \"".len();
    let wrong = format!("{}{}{}", &lock[..at], "0".repeat(64), &lock[at + 64..]);
    fs::write(world.path("crypt/synthesis/git.lock.json"), wrong).unwrap();
    let told = world.refused(false, 1);
    assert!(told.contains("has the NAR hash") && told.contains("a commit never changes"), "{told}");
}

#[test]
fn what_policy_does_not_name_is_not_built_and_says_how_it_could_be() {
    let world = World::new("sources-policy");
    world.core(&manifest("\"six\"", "[tool.uv]\nno-binary-package = [\"six\"]\n"));
    let told = world.refused(false, 1);
    assert!(told.contains("must be built from source (`no-binary`)"), "{told}");
    assert!(told.contains("`[policy] allow-sdist = [\"six\"]` in forge.toml lets it be built"), "{told}");
    // Only its code knows what docopt depends on, and it does not run.
    world.core(&manifest("\"docopt==0.6.2\"", ""));
    let told = world.refused(false, 1);
    assert!(told.contains("only running the build of `docopt` could tell what it depends on"), "{told}");
    assert!(told.contains("[[tool.uv.dependency-metadata]]"), "{told}");
    let stated = "[tool.uv]\nno-build = true\n[[tool.uv.dependency-metadata]]\nname = \"docopt\"\nversion = \"0.6.2\"\nrequires-dist = []\n";
    world.core(&manifest("\"docopt==0.6.2\"", stated));
    let told = world.refused(false, 1);
    assert!(told.contains("a member's `no-build` forbids building it"), "{told}");
}
