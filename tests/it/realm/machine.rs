//! The machine: `tests/realm/realm.sh`, held by a pipe.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio},
    sync::Mutex,
};

/// Seconds that a command in the machine may take.
const LONGEST: &str = "300";

/// A machine that runs as long as this process.
pub(super) struct Machine {
    root: PathBuf,
    held: Mutex<Held>,
}

struct Held {
    wishes: ChildStdin,
    answers: BufReader<ChildStdout>,
    _child: Child,
}

fn script(verb: &str) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/realm/realm.sh"));
    command.arg(verb);
    command
}

impl Machine {
    /// Why this machine cannot boot another.
    pub(super) fn unable() -> Option<String> {
        let output = script("able").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let reason = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        (!reason.is_empty()).then_some(reason)
    }

    /// A new root, booted.
    pub(super) fn boot() -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("realm");
        let built = script("build").arg(&root).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let mut child =
            script("hold").arg(&root).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut held = Held {
            wishes: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            _child: child,
        };
        held.await_ready("boots");
        Self { root, held: Mutex::new(held) }
    }

    /// A directory of the machine's user, as this process sees it.
    pub(super) fn home(&self) -> PathBuf {
        self.root.join("home/lych")
    }

    /// Gives these of its user's directories, and all in them, to that user.
    pub(super) fn give(&self, below: &[&str]) {
        let all = below.iter().map(|name| self.home().join(name));
        let given = Command::new("chown").args(["-R", "1000:1000"]).args(all).status();
        assert!(given.unwrap().success());
    }

    /// Puts a program where its users find it.
    pub(super) fn install(&self, program: &Path) {
        let to = self.root.join("usr/local/bin");
        let installed = Command::new("install").args(["-m", "755", "-t"]).arg(&to).arg(program).status();
        assert!(installed.unwrap().success());
    }

    /// A file of the machine itself, as this process sees it.
    pub(super) fn path(&self, absolute: &str) -> PathBuf {
        self.root.join(absolute.trim_start_matches('/'))
    }

    /// A `reboot`, or a power `cut` and what follows it.
    pub(super) fn wish(&self, wish: &str) {
        let mut held = self.held.lock().unwrap();
        writeln!(held.wishes, "{wish}").unwrap();
        held.await_ready(wish);
    }

    /// A script of the machine's own root.
    pub(super) fn root(&self, text: &str) {
        let mut command = script("root");
        let done = command.arg(&self.root).args(["timeout", LONGEST, "bash", "-euc", text]).output().unwrap();
        assert!(done.status.success(), "{text}\n{}", String::from_utf8_lossy(&done.stderr));
    }

    /// A script of the machine's user, beside that user's systemd.
    pub(super) fn user(&self, text: &str) -> Output {
        self.user_command(text).output().unwrap()
    }

    /// The same for who wants to give it something.
    pub(super) fn user_command(&self, text: &str) -> Command {
        let mut command = script("user");
        command.arg(&self.root).args(["timeout", LONGEST, "bash", "-euc", text]);
        command
    }
}

impl Held {
    fn await_ready(&mut self, what: &str) {
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer, "ready\n", "the realm: {what}");
    }
}
