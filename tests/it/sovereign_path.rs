//! The Sovereign Path end to end, with the real Nix, podman, uv and bubblewrap: the example forged in separate
//! stores, on two versions of Nix, and the image used.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

use lychd_forge::{
    diagnostic::Source,
    digest::{HashWriter, Sha256},
    host::progress::Silent,
    image::{self, Conf, Reference, StoreRoot},
};
use serde_json::Value;

use crate::home::{BECOME, FORGE, Home, STRANGER, cache};

/// The example, forged once into a store of its own.
struct Forged {
    home: Home,
    report: Value,
}

impl Forged {
    fn store(&self) -> PathBuf {
        self.home.path("store")
    }

    fn text(&self, key: &str) -> &str {
        self.report[key].as_str().unwrap_or_else(|| panic!("no `{key}` in {}", self.report))
    }
}

static FORGED: LazyLock<Forged> = LazyLock::new(|| {
    let (home, report) = Home::once("forged", |home| {
        let store = home.path("store");
        home.json(&["forge", "--locked", "--no-load", "--nix-store", store.to_str().unwrap()])
    });
    Forged { home, report }
});

fn sha256_of(mut stream: impl std::io::Read) -> Sha256 {
    let mut writer = HashWriter::default();
    std::io::copy(&mut stream, &mut writer).unwrap();
    writer.finish().0
}

fn stdout_sha256(command: &mut Command) -> Sha256 {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let hash = sha256_of(child.stdout.take().unwrap());
    assert!(child.wait().unwrap().success(), "{command:?}");
    hash
}

/// The archive as the emitted executable writes it. It lies in a store of its own, so it runs in a root where
/// that store is at `/nix`.
fn archive_of_executable(store: &Path, executable: &str) -> Sha256 {
    stdout_sha256(
        Command::new("bwrap")
            .arg("--ro-bind")
            .arg(store.join("nix"))
            .args(["/nix", "--proc", "/proc", executable]),
    )
}

#[test]
fn two_stores_give_one_image_and_the_same_bytes() {
    let first = &*FORGED;
    let second = Home::new();
    let store = second.path("store");
    let report =
        second.json(&["forge", "--locked", "--offline", "--no-load", "--nix-store", store.to_str().unwrap()]);
    for key in ["body", "images", "image_id", "synthesis_sha256", "store_path", "layers", "size"] {
        assert_eq!(first.report[key], report[key], "{key}");
    }
    assert!(report["images"]["database"]["size"].as_u64().unwrap() > 100 << 20, "{}", report["images"]);
    let kept = first.home.path("state/bodies").join(first.text("body").trim_start_matches("sha256:"));
    let record: Value = serde_json::from_str(&fs::read_to_string(kept.join("body.json")).unwrap()).unwrap();
    for role in ["vessel", "database"] {
        let path = record["images"][role]["store_path"].as_str().unwrap();
        let executable = archive_of_executable(&first.store(), path);
        assert_eq!(executable, archive_of_executable(&store, path), "{role}: the executables differ");
        let conf = fs::read_to_string(kept.join("images").join(role).join("conf.json")).unwrap();
        let conf = Conf::parse(&Source::new("conf.json", conf)).unwrap();
        let root = StoreRoot::below(&first.store());
        let image = image::prepare(&conf, &root, &first.home.path("layers"), &Silent).unwrap();
        let written = |references: &[Reference]| {
            let mut hash = HashWriter::default();
            image::stream(&image, references, &root, &mut hash).unwrap();
            hash.finish().0
        };
        let native = written(std::slice::from_ref(image.reference()));
        assert_eq!(native, executable, "{role}: the native streamer writes other bytes than the executable");
        // The verb gives the image its own tag as well, and needs no Nix.
        let verb = ["stream", "newest", "--image", role];
        let streamed = stdout_sha256(first.home.command(&verb).env("PATH", ""));
        assert_eq!(streamed, written(&[image.own_reference(), image.reference().clone()]), "{role}");
    }
}

#[test]
fn nothing_changed_means_no_second_build() {
    let forged = &*FORGED;
    let report = forged.home.json(&[
        "forge",
        "--locked",
        "--no-load",
        "--nix-store",
        forged.store().to_str().unwrap(),
    ]);
    assert_eq!(report["image_id"], forged.report["image_id"]);
    assert!(report["seconds"].get("build").is_none(), "{report}");
    assert_eq!(forged.home.json(&["bodies"])["bodies"].as_array().unwrap().len(), 1);
}

/// What a record names in the store is believed when it gives the image that is recorded.
#[test]
fn a_changed_record_makes_no_other_body() {
    let forged = &*FORGED;
    let home = Home::new();
    let copied = Command::new("cp").arg("-a").arg(forged.home.path("state")).arg(home.path("state")).status();
    assert!(copied.unwrap().success());
    let id = forged.text("body").trim_start_matches("sha256:");
    let record = home.path("state/bodies").join(id).join("body.json");
    let mut json: Value = serde_json::from_str(&fs::read_to_string(&record).unwrap()).unwrap();
    let again = |json: &Value| {
        fs::remove_file(&record).unwrap();
        fs::write(&record, json.to_string()).unwrap();
        home.json(&["forge", "--locked", "--no-load", "--nix-store", forged.store().to_str().unwrap()])
    };
    for key in ["conf", "store_path"] {
        let vessel = json["images"]["vessel"].as_object_mut().unwrap();
        let right = vessel[key].clone();
        // Valid paths of this store, and others than the image's.
        let other = if key == "conf" { "store_path" } else { "conf" };
        vessel[key] = vessel[other].clone();
        let report = again(&json);
        for same in ["body", "image_id", "store_path"] {
            assert_eq!(report[same], forged.report[same], "{key}: {same}");
        }
        assert!(report["seconds"].get("build").is_some(), "{key}: {report}");
        json["images"]["vessel"][key] = right;
    }
    // Nor by a record of more images than are asked for, or of fewer.
    let images = json["images"].clone();
    json["images"]["other"] = images["database"].clone();
    let more = again(&json);
    json["images"] = images;
    json["images"].as_object_mut().unwrap().remove("database");
    for (report, what) in [(more, "more"), (again(&json), "fewer")] {
        for same in ["body", "images", "image_id"] {
            assert_eq!(report[same], forged.report[same], "{what}: {same}");
        }
        assert!(report["seconds"].get("build").is_some(), "{what}: {report}");
    }
}

#[test]
fn the_committed_flake_is_what_the_example_transmutes_to() {
    let home = Home::new();
    let flake = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/flake");
    let output = home
        .command(&["transmute", "--locked", "--check", "--out", flake.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "`make emit` writes it anew\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The repository's own flake is the committed one: the same derivation, and no input to reach.
#[test]
fn the_repository_is_a_flake_of_the_example() {
    let home = Home::new();
    let repository = env!("CARGO_MANIFEST_DIR");
    // What git tracks, and no more: in a chroot Nix itself cannot run git.
    let tracked = home.path("tracked");
    fs::create_dir(&tracked).unwrap();
    let script = r#"cd "$1" && git -c safe.directory="$1" ls-files -z | tar -c --null --no-recursion -T - | tar -x -C "$2""#;
    let copied = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script, "bash", repository])
        .arg(&tracked)
        .output()
        .unwrap();
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    let derivation = |flake: String| {
        let output = Command::new("nix")
            .args(["--extra-experimental-features", "nix-command flakes", "--store"])
            .arg(home.path("store"))
            .args(["eval", "--raw", "--no-update-lock-file"])
            .arg(format!("{flake}#packages.x86_64-linux.lychd-image.drvPath"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{flake}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(
        derivation(format!("path:{}", tracked.display())),
        derivation(format!("path:{repository}/examples/flake"))
    );
}

/// The example's image in a podman of its own, mounted.
static MOUNTED: LazyLock<PathBuf> = LazyLock::new(|| {
    let forged = &*FORGED;
    let root = forged.home.mounted(forged.home.command(&["stream", "newest"]), forged.text("image_id"));
    let [id, own] = ["localhost/lychd:custom", forged.text("reference")]
        .map(|name| forged.home.podman(&["image", "inspect", "--format", "{{.Id}}", name]));
    assert_eq!(format!("sha256:{id}"), forged.text("image_id"), "podman calls the image otherwise");
    assert_eq!(id, own, "its own tag is another image");
    root
});

/// The example's database, in the same podman, mounted: its root and its image's ID.
pub(crate) static DATABASE: LazyLock<(PathBuf, String)> = LazyLock::new(|| {
    let forged = &*FORGED;
    let digest = forged.report["images"]["database"]["config_digest"].as_str().unwrap();
    let stream = forged.home.command(&["stream", "newest", "--image", "database"]);
    // Two loads at a time into one storage are podman's affair, not ours.
    LazyLock::force(&MOUNTED);
    (forged.home.mounted(stream, digest), digest.to_owned())
});

/// `bwrap` with the root of the example's database and its environment.
pub(crate) fn database_root(options: &[&str]) -> Command {
    FORGED.home.image_root(&DATABASE.0, &DATABASE.1, options)
}

/// The configuration of the example's database, as podman tells it.
pub(crate) fn database_config() -> Value {
    FORGED.home.config(&DATABASE.1)
}

/// The directories in which the example was forged.
pub(crate) fn forged_home() -> &'static Home {
    &FORGED.home
}

/// The store that the example was forged into, as `--nix-store` takes it.
pub(crate) fn forged_store() -> PathBuf {
    FORGED.store()
}

/// The root of the example's image.
pub(crate) fn mounted() -> &'static Path {
    &MOUNTED
}

/// The example's Synthesis.
pub(crate) fn synthesis() -> Value {
    let path = FORGED.home.path("state/synthesis/synthesis.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// A program in the image, as a uid that the image does not know, with the image's own environment. Root needs
/// no user namespace for it, which a chroot would forbid.
pub(crate) fn inside(options: &[&str], arguments: &[&str]) -> Command {
    let mut command = image_root(options);
    command.args(["python", "-c", BECOME, STRANGER]).args(arguments);
    command
}

/// A program in the image with more mounts above its root, as root.
pub(crate) fn inside_with(mounts: &[&OsStr], arguments: &[impl AsRef<OsStr>]) -> Command {
    let mut command = image_root(&[]);
    command.args(mounts).args(arguments);
    command
}

/// `bwrap` with the image's root and environment.
fn image_root(options: &[&str]) -> Command {
    FORGED.home.image_root(&MOUNTED, FORGED.text("image_id"), options)
}

pub(crate) fn answer(arguments: &[&str]) -> String {
    answer_with(&[], arguments)
}

fn answer_with(options: &[&str], arguments: &[&str]) -> String {
    let output = inside(options, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_locked_package_can_be_imported() {
    let script = r#"
import importlib, importlib.metadata as metadata, os
assert os.getuid() == 4242
names = sorted({name for name, owners in metadata.packages_distributions().items() if name.isidentifier() and not name.startswith("_")})
for name in names:
    importlib.import_module(name)
found = sorted({d.name.lower().replace("_", "-").replace(".", "-") for d in metadata.distributions()})
print("\n".join(found))
"#;
    let found: Vec<String> = answer(&["python", "-c", script]).lines().map(str::to_owned).collect();
    let synthesis = synthesis();
    let names = |key: &str| -> Vec<String> {
        synthesis[key]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let mut locked = [names("python_packages"), names("members")].concat();
    locked.sort();
    assert!(locked.len() > 20, "{locked:?}");
    assert_eq!(found, locked);
}

#[test]
fn system_libraries_and_programs_answer() {
    let magic = answer(&["python", "-c", "import magic; print(magic.from_buffer(b'%PDF-1.7', mime=True))"]);
    assert_eq!(magic.trim(), "application/pdf");
    let found = answer(&["python", "-c", "import ctypes.util as util; print(util.find_library('magic'))"]);
    assert_eq!(found.trim(), "libmagic.so.1");
    assert!(answer(&["tesseract", "--version"]).starts_with("tesseract 5"));
    let frame = "/tmp/frame.png";
    let script = format!(
        "import subprocess; subprocess.run(['ffmpeg', '-loglevel', 'error', '-f', 'lavfi', '-i', 'testsrc=size=64x64', '-frames:v', '1', '{frame}'], check=True); print(open('{frame}', 'rb').read(4))"
    );
    assert_eq!(answer(&["python", "-c", &script]).trim(), r"b'\x89PNG'");
}

/// Debian Policy 3.8: every package may use these without depending on them.
#[test]
fn essential_programs_are_there() {
    let script = "readlink -f /bin/sh; echo abc | sed s/b/-/ | grep -o a-c; tar --version | head -n 1 | cut -d ' ' -f 2; \
                  find /etc/passwd -type f | xargs -n 1 gzip -c | gzip -t && echo whole; diff /etc/passwd /etc/passwd && \
                  hostname > /tmp/name; flock -n /tmp/lock perl -e 'print 6 * 7, qq(\\n)'";
    let told = answer(&["sh", "-c", script]);
    assert_eq!(told.lines().collect::<Vec<_>>(), ["/usr/bin/dash", "a-c", "(GNU", "whole", "42"], "{told}");
}

#[test]
fn nothing_of_the_application_can_be_written() {
    let script = r#"
import os, stat
root = os.stat("/app").st_mode
for directory, names, files in os.walk("/app"):
    for name in [".", *names, *files]:
        path = os.path.join(directory, name)
        assert os.path.islink(path) or not os.stat(path).st_mode & 0o222, path
home = os.stat("/home/lich").st_mode
assert stat.S_IMODE(os.stat("/tmp").st_mode) & 0o1777, "tmp"
print(oct(stat.S_IMODE(home)))
"#;
    assert_eq!(answer(&["python", "-c", script]).trim(), "0o777");
}

#[test]
fn the_application_serves_a_request() {
    let script = r#"
import json, subprocess, sys, time, urllib.request
command = json.loads(sys.argv[1])
command[command.index("--host") + 1] = "127.0.0.1"
server = subprocess.Popen(command)
try:
    for attempt in range(150):
        try:
            health = json.load(urllib.request.urlopen("http://127.0.0.1:8000/health"))
            break
        except OSError:
            time.sleep(0.2)
    else:
        raise SystemExit("the application did not come up")
    weave = urllib.request.urlopen("http://127.0.0.1:8000/loom/weave.png").read(4)
    print(json.dumps([health["status"], sorted(health["extensions"]), weave.hex()]))
finally:
    server.terminate()
    server.wait()
"#;
    let forged = &*FORGED;
    let _ = &*MOUNTED;
    let command = forged.home.podman(&[
        "image",
        "inspect",
        "--format",
        "{{json .Config.Cmd}}",
        forged.text("image_id"),
    ]);
    let printed = answer_with(&["--unshare-net"], &["python", "-c", script, &command]);
    let answer: Value = serde_json::from_str(printed.lines().last().unwrap_or_default()).unwrap();
    assert_eq!(answer, serde_json::json!(["ok", ["altar", "loom", "scribe"], "89504e47"]));
}

/// Build users of its own: a Nix that ends a build kills all processes of the build's user, those of another
/// root's builds among them.
const BUILD_USERS: &str = r#"chroot "$1" groupadd --gid 31000 nixbld
for n in 1 2 3 4; do chroot "$1" useradd --no-create-home --uid 3100$n --gid nixbld --groups nixbld nixbld$n; done"#;

/// A bare Debian 13 and its Nix 2.26: the same image, the same bytes.
#[test]
#[ignore = "a second forge in a bare Debian 13, minutes; `make test-nix`"]
fn nix_2_26_on_debian_13_gives_the_same_image() {
    let forged = &*FORGED;
    let home = Home::new();
    let root = home.path("trixie");
    let made = Command::new("mmdebstrap")
        .args(["--variant=minbase", "--include=nix-bin,bubblewrap,ca-certificates", "--quiet"])
        .arg(format!("--customize-hook={BUILD_USERS}"))
        .arg("trixie")
        .arg(&root)
        .arg("http://deb.debian.org/debian")
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    fs::copy(FORGE, root.join("lychd-forge")).unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    // The mounts live and die with the namespace. Nix's sandbox needs a root that is a mount of its own.
    let script = r#"
set -eu
root=$1
mkdir -p "$root/example" "$root/cache" "$root/old"
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$EXAMPLE" "$root/example"
mount --bind "$CACHE" "$root/cache"
cd "$root"
pivot_root . old
cd /
umount -l /old
export PATH=/usr/sbin:/usr/bin:/bin HOME=/root XDG_CACHE_HOME=/cache
nix --version >&2
exec /lychd-forge --codex /example/codex --crypt /example/crypt --state /state --offline --json forge --locked --no-load
"#;
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"])
        .arg(&root)
        .env("EXAMPLE", example)
        .env("CACHE", cache())
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    assert!(log.lines().next().is_some_and(|line| line.starts_with("nix (Nix) 2.26")), "{log}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for key in ["body", "images", "image_id", "synthesis_sha256", "store_path"] {
        assert_eq!(forged.report[key], report[key], "{key}");
    }
    let here = archive_of_executable(&forged.store(), forged.text("store_path"));
    assert_eq!(here, archive_of_executable(&root, forged.text("store_path")), "the archives differ");
}
