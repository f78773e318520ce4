//! Crypts of one dependency, from the command line: what of a lock decides nothing, what becomes of one of an older
//! forge, and what is told of a library that is missing.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::sovereign_path::forged_store;

const FORGE: &str = env!("CARGO_BIN_EXE_lychd-forge");

/// A core and nothing else; downloads are shared with the other tests.
struct Crypt {
    home: TempDir,
}

impl Crypt {
    fn new(dependencies: &str) -> Self {
        let home = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let core = home.path().join("crypt/core");
        fs::create_dir_all(core.join("organism")).unwrap();
        fs::write(core.join("organism/__init__.py"), "").unwrap();
        let manifest = format!(
            "[project]\nname = \"organism\"\nversion = \"1.0\"\nrequires-python = \">=3.13\"\ndependencies = [{dependencies}]\n\
             [build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n\
             [tool.lychd.image]\ncommand = [\"python\", \"-m\", \"organism\"]\n"
        );
        fs::write(core.join("pyproject.toml"), manifest).unwrap();
        fs::create_dir(home.path().join("codex")).unwrap();
        fs::write(home.path().join("codex/lychd.toml"), "").unwrap();
        fs::write(home.path().join("codex/forge.toml"), "").unwrap();
        Self { home }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(FORGE);
        command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        for name in ["codex", "crypt", "state"] {
            command.arg(format!("--{name}")).arg(self.path(name));
        }
        command.args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What is told when it is refused.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{told}");
        told
    }

    /// What a script prints in the newest body's image, which is unpacked layer by layer.
    fn python(&self, script: &str) -> String {
        let (archive, root) = (self.path("archive"), self.path("root"));
        for directory in [&archive, &root] {
            fs::create_dir(directory).unwrap();
        }
        let mut stream =
            self.command(&["stream", "newest", "--quiet"]).stdout(Stdio::piped()).spawn().unwrap();
        let unpack = |from: Stdio, into: &Path| {
            let mut tar = Command::new("tar");
            tar.args(["--extract", "--delay-directory-restore", "--directory"]).arg(into).stdin(from);
            let output = tar.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        unpack(stream.stdout.take().unwrap().into(), &archive);
        assert!(stream.wait().unwrap().success());
        let manifest: Value =
            serde_json::from_str(&fs::read_to_string(archive.join("manifest.json")).unwrap()).unwrap();
        for layer in manifest[0]["Layers"].as_array().unwrap() {
            let layer = fs::File::open(archive.join(layer.as_str().unwrap())).unwrap();
            unpack(layer.into(), &root);
        }
        let output = Command::new("bwrap")
            .arg("--ro-bind")
            .arg(&root)
            .args(["/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--clearenv"])
            .args(["/app/.venv/bin/python", "-c", script])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Its locks of uv: the federation's, and one of a build environment.
    fn uv_locks(&self) -> Vec<PathBuf> {
        let builds = fs::read_dir(self.path("crypt/synthesis/build")).unwrap();
        let builds = builds.map(|entry| entry.unwrap().path());
        builds.chain([self.path("crypt/synthesis/uv.lock")]).collect()
    }
}

/// The text without every `, size = N`.
fn without_sizes(text: &str) -> String {
    let mut parts = text.split(", size = ");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |kept, part| kept + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// Pygments is large enough to have a layer of its own, which is what the size decides.
#[test]
fn a_lock_with_sizes_and_one_without_give_one_body() {
    let crypt = Crypt::new("\"pygments==2.19.2\", \"idna==3.10\"");
    let with = crypt.json(&["synthesize"]);
    let flake = crypt.path("flake");
    let flake = flake.to_str().unwrap();
    crypt.json(&["transmute", "--locked", "--out", flake]);
    let body = fs::read_to_string(crypt.path("flake/body.nix")).unwrap();
    assert!(body.contains("{ wheels = [ \"pygments\" ]; }"), "{body}");

    for lock in crypt.uv_locks() {
        let text = fs::read_to_string(&lock).unwrap();
        assert_ne!(text, without_sizes(&text), "{}", lock.display());
        fs::write(&lock, without_sizes(&text)).unwrap();
    }
    let without = crypt.json(&["synthesize", "--locked"]);
    assert_eq!(with["synthesis_sha256"], without["synthesis_sha256"]);
    // What was brought to be measured is there for the next time.
    let same = crypt.json(&["transmute", "--locked", "--offline", "--check", "--out", flake]);
    assert_eq!(same["equal"], true, "{same}");
}

#[test]
fn a_size_that_is_not_the_file_s_own_is_refused() {
    let crypt = Crypt::new("\"idna==3.10\"");
    crypt.json(&["synthesize"]);
    let lock = crypt.path("crypt/synthesis/uv.lock");
    let text = fs::read_to_string(&lock).unwrap();
    assert_eq!(text.matches("size = 70442 ").count() + text.matches("size = 70442,").count(), 1, "{text}");
    fs::write(&lock, text.replace("size = 70442", "size = 70443")).unwrap();
    let folder = crypt.path("folder");
    let told = crypt.refused(&["fetch", "--locked", "--to", folder.to_str().unwrap()]);
    assert!(told.contains("idna") && told.contains("70443"), "{told}");
}

#[test]
fn a_debian_lock_of_an_older_forge_is_written_anew_with_the_versions_it_has() {
    let crypt = Crypt::new("\"idna==3.10\"");
    let made = crypt.json(&["synthesize"]);
    let lock = crypt.path("crypt/synthesis/debian.lock.json");
    let text = fs::read_to_string(&lock).unwrap();
    let old = text.replace("debian-lock/2", "debian-lock/1");
    assert_ne!(old, text);
    fs::write(&lock, &old).unwrap();
    let told = crypt.refused(&["synthesize", "--locked", "--offline"]);
    for want in ["`synthesis/debian.lock.json` is of an older forge", "written anew", "without --locked"] {
        assert!(told.contains(want), "{told}");
    }
    assert_eq!(fs::read_to_string(&lock).unwrap(), old);
    assert_eq!(crypt.json(&["synthesize"])["synthesis_sha256"], made["synthesis_sha256"]);
    assert_eq!(fs::read_to_string(&lock).unwrap(), text);

    // What the image does without is no part of the lock; it is told, and so is where it cannot be.
    let forge_toml = |without: &str| {
        fs::write(crypt.path("codex/forge.toml"), format!("[substrate.debian]\nwithout = [\"{without}\"]\n"))
            .unwrap();
    };
    forge_toml("bash");
    let told = crypt.refused(&["synthesize", "--locked", "--offline"]);
    assert!(told.contains("somebody asks for `bash`") && told.contains("forge.toml:2:12"), "{told}");
    forge_toml("readline-common");
    let fewer = crypt.json(&["synthesize", "--locked", "--offline"]);
    assert_eq!(fewer["without"]["names"], serde_json::json!(["readline-common"]));
    assert_eq!(fewer["without"]["saved"]["packages"], 1, "{fewer}");
    let kept = fs::read_to_string(crypt.path("state/synthesis/synthesis.json")).unwrap();
    let kept: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept["substrate"]["without"], fewer["without"]["names"]);
    let mut packages = kept["system_packages"].as_array().unwrap().iter();
    let left = packages.find(|package| package["name"] == "readline-common").unwrap();
    assert_eq!((&left["image"], &left["configure"]), (&false.into(), &true.into()));
}

/// Numba's threading back ends are libraries that it tries, and does without.
#[test]
fn a_missing_library_is_told_with_the_lines_that_help() {
    let crypt = Crypt::new("\"numba==0.62.1\"");
    let store = crypt.path("store");
    let forge = ["forge", "--no-load", "--nix-store", store.to_str().unwrap()];
    let told = crypt.refused(&forge);
    for want in [
        "of wheel numba (requested by core) needs libtbb.so.12, which no package of the image",
        "help: `system-dependencies = [\"libgomp1\", \"libtbb12\"]` under [tool.lychd] in core/pyproject.toml brings them\n",
        "help: `missing-libraries = { numba = [\"libgomp.so.1.0.0\", \"libtbb.so.12\"] }` under [policy] in forge.toml",
    ] {
        assert!(told.contains(want), "{want}\n--- not in ---\n{told}");
    }
    let waiver = "[policy]\nmissing-libraries = { numba = [\"libgomp.so.1.0.0\", \"libtbb.so.12\"] }\n";
    fs::write(crypt.path("codex/forge.toml"), waiver).unwrap();
    crypt.json(&forge);
    assert_eq!(crypt.python("import numba; print(numba.njit(lambda x: x + 1)(41))"), "42");
}

#[test]
fn a_locale_that_debian_does_not_have_ends_the_build_with_those_that_are_near() {
    let crypt = Crypt::new("");
    let toml = "[substrate.debian]\nlocales = [\"en_GB.UTF-8\", \"de_XX.UTF-8\"]\n";
    fs::write(crypt.path("codex/forge.toml"), toml).unwrap();
    let told = crypt.refused(&["forge", "--no-load", "--nix-store", forged_store().to_str().unwrap()]);
    assert!(told.contains("error: Debian has no locale de_XX.UTF-8, which `locales` in"), "{told}");
    let (_, near) = told.split_once("; near ones: ").unwrap();
    assert!(near.starts_with("de_DE.UTF-8, de_"), "{told}");
    assert!(!told.contains("no locale en_GB"), "{told}");
}

/// All was brought by then, and nothing was built.
#[test]
fn a_program_that_no_package_has_is_told_before_the_build() {
    let crypt = Crypt::new("\"uvicorn==0.35.0\"");
    let (manifest, store) = (crypt.path("crypt/core/pyproject.toml"), crypt.path("store"));
    let written = fs::read_to_string(&manifest).unwrap();
    let (start, _) = written.split_once("[tool.lychd.image]").unwrap();
    let told = |contract: &str| {
        fs::write(&manifest, format!("{start}{contract}")).unwrap();
        let told = crypt.refused(&["forge", "--no-load", "--nix-store", store.to_str().unwrap()]);
        let names = fs::read_dir(store.join("nix/store")).unwrap().map(|entry| entry.unwrap().file_name());
        let names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        assert!(names.iter().any(|name| name.ends_with("-uvicorn-0.35.0-py3-none-any.whl")), "{names:?}");
        assert!(!names.iter().any(|name| name.contains(".drv")), "{names:?}");
        told
    };
    let slip = told("[tool.lychd.image]\ncommand = [\"uvicornn\", \"organism:app\"]\n");
    let want = "error: the image has no program `uvicornn`, which `command` starts";
    for want in [want, "core/pyproject.toml:10:12", "requested by core", "did you mean `uvicorn`?"] {
        assert!(slip.contains(want), "{want}\n--- not in ---\n{slip}");
    }
    fs::write(crypt.path("crypt/core/organism/__init__.py"), "app = None\n").unwrap();
    let none = told("");
    let line =
        "`command = [\"uvicorn\", \"organism:app\", \"--host\", \"0.0.0.0\", \"--port\", \"8000\"]` under";
    for want in ["`granian` with `organism.app:create_app`, and `organism` has no module `app`", line] {
        assert!(none.contains(want), "{want}\n--- not in ---\n{none}");
    }
    fs::write(crypt.path("crypt/core/organism/app.py"), "").unwrap();
    let none = told("");
    assert!(none.contains("LychD's own starts `granian`, which no package of the body has"), "{none}");
}

/// A setting of the kernel is another one in a root where another file lies above it.
#[test]
fn a_kernel_that_lets_no_maintainer_script_run_is_told_before_anything_is_brought() {
    let crypt = Crypt::new("\"idna==3.10\"");
    fs::write(crypt.path("zero"), "0\n").unwrap();
    let store = crypt.path("store");
    let plain = crypt.command(&["forge", "--no-load", "--nix-store", store.to_str().unwrap()]);
    let mut command = Command::new("bwrap");
    command.args(["--dev-bind", "/", "/", "--ro-bind"]).arg(crypt.path("zero"));
    command.arg("/proc/sys/user/max_user_namespaces");
    command.arg(plain.get_program()).args(plain.get_args());
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    for want in ["user.max_user_namespaces is 0", "sysctl -w user.max_user_namespaces=", "maintainer-scripts"]
    {
        assert!(told.contains(want), "{want}\n--- not in ---\n{told}");
    }
    assert!(!told.contains("artifacts") && !store.exists(), "{told}");
}

/// Where no script can run: what they say in plain words, and what programs of the packages make, is there. What is
/// lost is told of each package, and a strict policy does not let it pass.
#[test]
fn maintainer_scripts_can_be_read_instead_of_run() {
    let crypt = Crypt::new("");
    let told = |scripts: &str| {
        let toml = format!("[substrate.debian]\nmaintainer-scripts = \"{scripts}\"\n");
        fs::write(crypt.path("codex/forge.toml"), toml).unwrap();
        let store = forged_store();
        let forged = crypt.json(&["forge", "--no-load", "--nix-store", store.to_str().unwrap()]);
        let script = "import os; print(os.readlink('/etc/alternatives/awk'), os.path.getsize('/etc/ssl/certs/ca-certificates.crt') > 100000, \
            any(name.endswith('.0') for name in os.listdir('/etc/ssl/certs')), os.path.exists('/etc/profile'))";
        let answer = crypt.python(script);
        for directory in ["archive", "root"] {
            fs::remove_dir_all(crypt.path(directory)).unwrap();
        }
        let lost = forged["notes"].as_array().unwrap().iter().filter_map(Value::as_str);
        let lost: Vec<String> =
            lost.filter(|note| note.contains(" did not run")).map(str::to_owned).collect();
        (forged["image_id"].clone(), answer, lost)
    };
    let (read, run) = (told("read"), told("run"));
    assert_ne!(read.0, run.0);
    let base = "the maintainer script of base-files did not run, also for the triggers /usr/lib32";
    assert!(read.2.iter().any(|note| note.starts_with(base) && note.contains("chown")), "{:?}", read.2);
    assert!(!read.2.iter().any(|note| note.contains("of zlib1g ")), "it has none: {:?}", read.2);
    assert_eq!(run.2, [""; 0]);
    let strict = "[substrate.debian]\nmaintainer-scripts = \"read\"\n[policy]\nstrict = true\n";
    fs::write(crypt.path("codex/forge.toml"), strict).unwrap();
    let refused = crypt.refused(&["forge", "--no-load", "--nix-store", forged_store().to_str().unwrap()]);
    let count =
        format!("{} maintainer scripts did not run and are not made up for, of base-files, ", read.2.len());
    assert!(refused.contains(&count) && refused.contains("the maintainer script of tzdata"), "{refused}");
    assert_eq!(read.1, "/usr/bin/mawk True False False");
    assert_eq!(run.1, "/usr/bin/mawk True True True");
}

/// A trial tells what would move, as a table of what is locked and what would be, and writes nothing at all.
#[test]
fn what_would_move_is_told_before_locks_do() {
    let crypt = Crypt::new("\"six==1.16.0\"");
    let first = crypt.run(&["synthesize", "--dry-run", "--json"]);
    assert_eq!(first.status.code(), Some(1), "{}", String::from_utf8_lossy(&first.stderr));
    let told: Value = serde_json::from_slice(&first.stdout).unwrap();
    let six = |told: &Value| {
        let moved = told["moved"].as_array().unwrap();
        moved.iter().find(|one| one["name"] == "six").map(|one| (one["from"].clone(), one["to"].clone()))
    };
    assert_eq!(six(&told), Some((serde_json::json!([]), serde_json::json!(["1.16.0"]))));
    assert!(!crypt.path("crypt/synthesis").exists() && !crypt.path("state/synthesis").exists());

    let locked = crypt.json(&["synthesize"]);
    assert_eq!(locked["synthesis_sha256"], told["synthesis_sha256"]);
    let same = crypt.run(&["synthesize", "--dry-run"]);
    let shown = String::from_utf8_lossy(&same.stderr);
    assert!(same.status.success() && shown.contains("Nothing would move"), "{shown}");

    let manifest = crypt.path("crypt/core/pyproject.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("six==1.16.0", "six")).unwrap();
    let locks = || crypt.uv_locks().into_iter().map(|path| fs::read(path).unwrap()).collect::<Vec<_>>();
    let before = locks();
    for words in [["outdated", "--quiet"], ["fetch", "--update=uv"]] {
        let dry = if words[0] == "fetch" { ["--dry-run"].as_slice() } else { &[] };
        let outdated = crypt.run(&[&words, dry].concat());
        assert_eq!(outdated.status.code(), Some(1), "{}", String::from_utf8_lossy(&outdated.stderr));
        let table = String::from_utf8_lossy(&outdated.stdout);
        assert!(table.starts_with("OF ") && table.contains("1.16.0  "), "{table}");
        assert_eq!(locks(), before, "{words:?}");
    }
}
