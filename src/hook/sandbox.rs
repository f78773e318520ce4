//! The sandbox: bubblewrap around the forge's own Python. No network, no file but three read-only trees and
//! `/dev/null`, no place to write, no environment, no other process.
//!
//! Python's `-I` would also ignore `PYTHONHASHSEED`, which the two runs need; the environment holds nothing
//! else, so `-s -P` shut the same doors.

use std::path::{Path, PathBuf};

use super::{engine, filter, record::Limits};
use crate::{
    diagnostic::{Diagnostic, Failure},
    host::{
        environment, file,
        process::{Command, Output, Stopped},
    },
    name::MemberId,
    tools::python::{self, Runtime},
    tree::FileTree,
};

/// A sandbox that was seen to work.
#[derive(Debug)]
pub struct Sandbox<'a> {
    stage: &'a Path,
    program: PathBuf,
    runtime: Runtime,
    /// Root in a chroot cannot make a user namespace, and does not need one for the others.
    user_namespace: bool,
    filter: Vec<u8>,
    limits: Limits,
}

/// What one run left behind.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) output: Output,
    pub(super) stopped: Option<Stopped>,
}

/// Directory and hash seed of the two runs.
const RUNS: [(&str, &str); 2] = [("/first/member", "1"), ("/second/place", "4242")];

/// Where the member's files are in the sandbox, for reports.
pub(super) fn directories() -> [&'static str; 2] {
    RUNS.map(|(directory, _)| directory)
}

impl<'a> Sandbox<'a> {
    /// Finds bubblewrap and tries it on the interpreter. Temporary files are put below `stage`.
    ///
    /// # Errors
    /// Unable when there is no sandbox on this host.
    pub fn prepare(stage: &'a Path, interpreter: &Path, limits: Limits) -> Result<Self, Failure> {
        let program = environment::program("bwrap")
            .ok_or_else(|| none(Diagnostic::new("there is no `bwrap` to run hooks in")))?;
        let runtime = python::runtime(interpreter)?;
        let mut sandbox =
            Self { stage, program, runtime, user_namespace: true, filter: filter::program()?, limits };
        let Err(reason) = sandbox.probe()? else { return Ok(sandbox) };
        if environment::is_root() {
            sandbox.user_namespace = false;
            if sandbox.probe()?.is_ok() {
                tracing::info!("no user namespace for hooks: {reason}");
                return Ok(sandbox);
            }
        }
        Err(none(Diagnostic::new("the sandbox for hooks cannot be set up on this host").note(reason)))
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Starts nothing but the loader.
    fn probe(&self) -> Result<Result<(), String>, Failure> {
        let command = self.bubblewrap().arg(inside(&self.runtime.loader)).arg("--version");
        let (output, stopped) = command.output_bounded(&self.filter, &self.limits.bounds())?;
        let works = stopped.is_none() && output.success();
        Ok(if works { Ok(()) } else { Err(output.stderr.trim().to_owned()) })
    }

    fn bubblewrap(&self) -> Command {
        let namespaces: &[&str] = if self.user_namespace {
            &["--unshare-all", "--unshare-user"]
        } else {
            &["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
        };
        let no_environment: [(&str, &str); 0] = [];
        Command::new(&self.program)
            .only_env(no_environment)
            .args(namespaces)
            .args(["--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"])
            .args(["--hostname", "hook", "--seccomp", "0"])
            .arg("--ro-bind")
            .arg(&self.runtime.root)
            .arg("/python")
            .args(["--dev-bind", "/dev/null", "/dev/null"])
    }

    fn command(&self, member: &MemberId, staged: &Path, directory: &str, seed: &str) -> Command {
        let libraries: Vec<String> = self.runtime.libraries.iter().map(|path| inside(path)).collect();
        let python = inside(&self.runtime.python);
        let package =
            format!("lychd_crypt_extension_{}", data_encoding::HEXLOWER.encode(member.as_str().as_bytes()));
        self.bubblewrap()
            .arg("--ro-bind")
            .arg(staged.join("engine"))
            .arg("/forge")
            .arg("--ro-bind")
            .arg(staged.join("member"))
            .arg(directory)
            .args(["--remount-ro", "/", "--setenv", "PYTHONHASHSEED", seed, "--chdir", "/"])
            .arg(inside(&self.runtime.loader))
            .args(["--inhibit-cache", "--argv0", &python, "--library-path", &libraries.join(":"), &python])
            .args(["-s", "-P", "-S", "-B", "/forge/run.py", directory, &package])
            .args(self.limits.words())
    }

    /// Runs a member's hook twice at the same time, in different directories and with different hash seeds.
    pub(super) fn run_twice(&self, member: &MemberId, tree: &FileTree) -> Result<Vec<Run>, Failure> {
        let staged = file::temporary_directory(self.stage)
            .map_err(|error| file::unable("create a directory in", self.stage, &error))?;
        let engine = engine::files();
        for (name, tree) in [("engine", &engine), ("member", tree)] {
            let directory = staged.path().join(name);
            file::write_sealed_tree(&directory, tree)
                .map_err(|error| file::unable("write", &directory, &error))?;
        }
        // `--die-with-parent` means the thread that started it: each waits for its own.
        std::thread::scope(|scope| {
            let runs = RUNS.map(|(directory, seed)| {
                let command = self.command(member, staged.path(), directory, seed);
                scope.spawn(move || {
                    let (output, stopped) = command.output_bounded(&self.filter, &self.limits.bounds())?;
                    Ok(Run { output, stopped })
                })
            });
            let ended = runs.into_iter().map(|run| {
                run.join()
                    .unwrap_or_else(|_| Err(Failure::unable(Diagnostic::new("a hook could not be watched"))))
            });
            ended.collect()
        })
    }
}

/// A path of the runtime in the sandbox.
fn inside(path: &str) -> String {
    format!("/python/{path}")
}

/// No sandbox, no hook.
fn none(diagnostic: Diagnostic) -> Failure {
    Failure::unable(
        diagnostic
            .help(
                "install bubblewrap (`apt-get install bubblewrap`) and allow user namespaces on this host",
            )
            .help(
                "or set `hook = false` under [tool.lychd] in each member's `pyproject.toml`: what the body needs \
                 then stands in `system-dependencies` and `[[tool.lychd.rune]]`",
            )
            .help("or set `allow-hooks = false` under [policy] in forge.toml, which runs no hook"),
    )
}
