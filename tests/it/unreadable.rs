//! What a user may not read is neither taken for missing nor for empty.
//!
//! Nothing is closed to root, so a suite that root runs gives the home and the program to another user.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Command, Output},
};

use lychd_forge::{body::Bodies, host::file, tree::FileTree};

const CODEX: &str = ".config/lychd";
const CRYPT: &str = ".local/share/lychd";
const STATE: &str = ".local/state/lychd-forge";

/// The user that root becomes; nobody has this number.
const GUEST: u32 = 54_321;

/// How a path is closed.
#[derive(Clone, Copy, Debug)]
enum Closed {
    /// By its mode; the user owns it.
    Mode(u32),
    /// It is root's, as `sudo` leaves it. Who is not root has no such path: theirs gets mode 0.
    Root,
}

/// A user with a Codex, a Crypt and a body, and a copy of the program that this user can reach.
struct Guest {
    directory: tempfile::TempDir,
    is_root: bool,
}

impl Guest {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
        let guest = Self { directory, is_root };
        fs::copy(env!("CARGO_BIN_EXE_lychd-forge"), guest.program()).unwrap();
        let write =
            |path: String, text: &str| file::write(&guest.home().join(path), text.as_bytes()).unwrap();
        write(format!("{CODEX}/lychd.toml"), "[extensions]\ncrypt = ['scribe']\n");
        write(format!("{CODEX}/forge.toml"), "[policy]\nallow-hooks = false\n");
        write(format!("{CODEX}/runes/vllm/a.toml"), "name = 'a'\n");
        for (member, name) in
            [("core", "the-core"), ("extensions/scribe", "scribe"), ("extensions/relic", "relic")]
        {
            let text = format!("[project]\nname = '{name}'\nversion = '1'\n");
            write(format!("{CRYPT}/{member}/pyproject.toml"), &text);
        }
        write(format!("{CRYPT}/core/.gitignore"), "target\n");
        write(format!("{CRYPT}/lychd.lock"), "version = 1\n");
        write(format!("{CRYPT}/synthesis/uv.lock"), "");
        write(format!("{CRYPT}/synthesis/debian.lock.json"), "");
        write(".config/containers/systemd/mine.container".to_owned(), "[Container]\n");
        write(".config/systemd/user/mine.service".to_owned(), "[Service]\n");
        write("folder/index.json".to_owned(), "{}");
        let evidence = crate::bodies::evidence(crate::inscription::NO_MEMBERS);
        let body = crate::bodies::body("body", &evidence);
        Bodies::of_state(&guest.home().join(STATE)).record(&body, &evidence).unwrap();
        let core = guest.home().join(CRYPT).join("core");
        let git = Command::new("git").args(["init", "--quiet", "--template="]).arg(core).status().unwrap();
        assert!(git.success());
        if is_root {
            let owner = format!("{GUEST}:{GUEST}");
            let given = Command::new("chown").args(["-R", &owner]).arg(guest.home()).status().unwrap();
            assert!(given.success());
        }
        guest
    }

    fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    fn program(&self) -> PathBuf {
        self.directory.path().join("lychd-forge")
    }

    fn run(&self, arguments: &str) -> Output {
        let mut command = Command::new(self.program());
        command.env_clear().env("HOME", self.home()).env("PATH", std::env::var_os("PATH").unwrap());
        command.args(arguments.split(' ')).current_dir("/");
        if self.is_root {
            command.uid(GUEST).gid(GUEST);
        }
        command.output().unwrap()
    }

    /// Runs the forge while a path is closed, and opens it again.
    fn run_closed(&self, arguments: &str, path: &str, closed: Closed) -> Output {
        let path = self.home().join(path);
        let before = fs::metadata(&path).unwrap();
        match closed {
            Closed::Mode(mode) => fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap(),
            Closed::Root if self.is_root => {
                chown(&path, Some(0), Some(0)).unwrap();
                let mode = if before.is_dir() { 0o700 } else { 0o600 };
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
            Closed::Root => fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap(),
        }
        let output = self.run(arguments);
        chown(&path, Some(before.uid()), Some(before.gid())).unwrap();
        fs::set_permissions(&path, before.permissions()).unwrap();
        output
    }

    /// All that a run must leave alone.
    fn kept(&self) -> [FileTree; 4] {
        [".config", CRYPT, &format!("{STATE}/bodies"), "folder"]
            .map(|below| file::read_tree(&self.home().join(below)).unwrap())
    }
}

#[test]
fn what_may_not_be_read_is_told_and_nothing_is_done() {
    use Closed::{Mode, Root};
    let guest = Guest::new();
    let before = guest.kept();
    for arguments in ["--offline synthesize", "bodies", "--offline bind --dry-run"] {
        let told = told(&guest.run(arguments));
        assert!(!told.contains("denied"), "nothing is closed yet, and `{arguments}` says:\n{told}");
    }
    let evidence = crate::bodies::evidence(crate::inscription::NO_MEMBERS);
    let body = format!("{STATE}/bodies/{}", crate::bodies::body("body", &evidence).id());
    let at =
        |base: &str, below: &str| if below.is_empty() { base.to_owned() } else { format!("{base}/{below}") };
    let (codex, crypt, state) =
        (|below| at(CODEX, below), |below| at(CRYPT, below), |below| at(STATE, below));
    let of_body = |below: &str| at(&body, below);
    let lock = "--offline synthesize";
    let (bodies, bind) = ("bodies", "--offline bind --dry-run");
    let cases = [
        // What is run, what is closed and how, and what must be told of.
        (lock, codex(""), Root, codex("lychd.toml")),
        (lock, codex(""), Mode(0o400), codex("lychd.toml")),
        (lock, codex(""), Mode(0o600), codex("lychd.toml")),
        (lock, codex(""), Mode(0), codex("lychd.toml")),
        (lock, ".config".to_owned(), Root, codex("")),
        (lock, codex("lychd.toml"), Root, codex("lychd.toml")),
        (lock, codex("forge.toml"), Mode(0o200), codex("forge.toml")),
        (lock, codex("runes"), Root, codex("runes")),
        (lock, codex("runes"), Mode(0o400), codex("runes/vllm")),
        (lock, codex("runes/vllm"), Mode(0o400), codex("runes/vllm/a.toml")),
        (lock, codex("runes/vllm/a.toml"), Mode(0), codex("runes/vllm/a.toml")),
        ("--offline fetch", codex(""), Root, codex("lychd.toml")),
        ("--offline transmute", codex(""), Root, codex("lychd.toml")),
        ("--offline forge", codex(""), Root, codex("lychd.toml")),
        (bind, codex(""), Root, codex("lychd.toml")),
        ("init", codex(""), Root, codex("")),
        ("init", ".config".to_owned(), Mode(0), codex("")),
        ("init", crypt(""), Root, crypt("core")),
        (lock, crypt(""), Mode(0), crypt("core")),
        (lock, crypt(""), Mode(0o400), crypt("core")),
        (lock, ".local/share".to_owned(), Root, crypt("")),
        (lock, crypt("core"), Mode(0), crypt("core/pyproject.toml")),
        (lock, crypt("core"), Mode(0o600), crypt("core/pyproject.toml")),
        (lock, crypt("core/pyproject.toml"), Root, crypt("core/pyproject.toml")),
        (lock, crypt("core/.gitignore"), Mode(0), crypt("core/.gitignore")),
        (lock, crypt("core/.git"), Mode(0), crypt("core/.git/HEAD")),
        (lock, crypt("core/.git/objects"), Mode(0), crypt("core/.git/objects")),
        (lock, crypt("core/.git/refs"), Mode(0), crypt("core/.git/refs")),
        (lock, crypt("extensions"), Root, "`extensions`".to_owned()),
        (lock, crypt("extensions"), Mode(0o600), crypt("extensions/")),
        (lock, crypt("extensions/scribe"), Mode(0), crypt("extensions/scribe/pyproject.toml")),
        // It is not selected, and its name must be known all the same.
        (lock, crypt("extensions/relic/pyproject.toml"), Root, crypt("extensions/relic/pyproject.toml")),
        (lock, crypt("lychd.lock"), Mode(0), crypt("lychd.lock")),
        (lock, crypt("synthesis"), Mode(0), "`synthesis/uv.lock`".to_owned()),
        (lock, crypt("synthesis/uv.lock"), Root, "`synthesis/uv.lock`".to_owned()),
        (lock, ".local/state".to_owned(), Mode(0), state("state.lock")),
        (
            "--offline synthesize --from folder",
            "folder".to_owned(),
            Mode(0o600),
            "folder/index.json".to_owned(),
        ),
        (bodies, ".local/state".to_owned(), Mode(0), state("bodies")),
        (bodies, state(""), Root, state("bodies")),
        (bodies, state(""), Mode(0o600), state("bodies")),
        (bodies, state("bodies"), Mode(0), state("bodies")),
        (bind, of_body(""), Mode(0), "the body record".to_owned()),
        (bind, of_body("body.json"), Root, "the body record".to_owned()),
        (bind, state(""), Root, state("bodies")),
        (bind, of_body("federation.json"), Mode(0), of_body("federation.json")),
        (bind, ".config/containers".to_owned(), Root, ".config/containers/systemd".to_owned()),
        (bind, ".config/systemd".to_owned(), Mode(0), ".config/systemd/user".to_owned()),
    ];
    for (arguments, path, closed, want) in cases {
        let arguments = arguments.replace("folder", &guest.home().join("folder").display().to_string());
        let output = guest.run_closed(&arguments, &path, closed);
        let told = told(&output);
        let case = format!("`{arguments}` with `{path}` closed by {closed:?}");
        assert_eq!(output.status.code(), Some(2), "{case}:\n{told}");
        assert!(told.contains(&want) && told.contains("Permission denied"), "{case}, not of {want}:\n{told}");
        assert!(output.stdout.is_empty(), "{case}: {}", String::from_utf8_lossy(&output.stdout));
        assert_eq!(guest.kept(), before, "{case}");
    }
}

/// A record that may not be read is in the list of bodies, and hides no other.
#[test]
fn a_closed_record_is_listed_as_such() {
    let guest = Guest::new();
    let evidence = crate::bodies::evidence(crate::inscription::NO_MEMBERS);
    let record = format!("{STATE}/bodies/{}", crate::bodies::body("body", &evidence).id());
    for (path, closed) in [(record.clone(), Closed::Mode(0)), (format!("{record}/body.json"), Closed::Root)] {
        let output = guest.run_closed("bodies", &path, closed);
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        let listed = String::from_utf8(output.stdout).unwrap();
        assert!(listed.contains("unreadable") && listed.contains("Permission denied"), "{listed}");
    }
}

#[test]
fn who_keeps_it_closed_is_told() {
    let guest = Guest::new();
    let codex = guest.home().join(CODEX);
    let told = told(&guest.run_closed("--offline synthesize", CODEX, Closed::Root));
    let (owner, mode) = if guest.is_root { (0, "0700") } else { (owner(&codex), "0000") };
    let runs = if guest.is_root { GUEST } else { owner };
    for want in [
        format!("cannot read `{}/lychd.toml`: Permission denied", codex.display()),
        format!(
            "`{}` belongs to user {owner} and has mode {mode}, and the forge runs as user {runs}",
            codex.display()
        ),
    ] {
        assert!(told.contains(&want), "{want}\n--- not in ---\n{told}");
    }
}

fn owner(path: &Path) -> u32 {
    fs::metadata(path).unwrap().uid()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
