//! A user's directories for the forge, and the image that comes out, mounted and used.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const FORGE: &str = env!("CARGO_BIN_EXE_lychd-forge");
/// Any uid that no image knows.
pub(crate) const STRANGER: &str = "4242";

/// Directories of one user; the downloads are shared by all, so that they are fetched once.
pub(crate) struct Home {
    directory: PathBuf,
    _temporary: Option<TempDir>,
}

impl Home {
    pub(crate) fn new() -> Self {
        let temporary = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Self { directory: temporary.path().to_owned(), _temporary: Some(temporary) }
    }

    /// One that a static holds, so that nothing drops it: the next run removes it, mounts and all.
    pub(crate) fn kept(name: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        // Inner mounts come after outer ones, which take them along.
        let stale = mounts.lines().rev().filter_map(|line| line.split(' ').nth(1));
        for mount in stale.filter(|mount| Path::new(mount).starts_with(&directory)) {
            assert!(Command::new("umount").args(["--lazy", mount]).status().unwrap().success(), "{mount}");
        }
        if directory.exists() {
            fs::remove_dir_all(&directory).unwrap();
        }
        fs::create_dir_all(&directory).unwrap();
        Self { directory, _temporary: None }
    }

    /// A kept one, made once for all processes of a run, which `LYCHD_FORGE_TEST_RUN` names; a process without it is a run
    /// of its own.
    pub(crate) fn once(name: &str, forge: impl FnOnce(&Self) -> Value) -> (Self, Value) {
        let Ok(run) = std::env::var("LYCHD_FORGE_TEST_RUN") else {
            let home = Self::kept(name);
            let report = forge(&home);
            return (home, report);
        };
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let mark = directory.join(format!("{name}.run"));
        let lock = fs::File::create(directory.join(format!("{name}.lock"))).unwrap();
        lock.lock().unwrap();
        let report = fs::read_to_string(&mark).ok().and_then(|text| {
            let (of, report) = text.split_once('\n')?;
            (of == run).then(|| serde_json::from_str(report).unwrap())
        });
        if let Some(report) = report {
            return (Self { directory: directory.join(name), _temporary: None }, report);
        }
        let home = Self::kept(name);
        let report = forge(&home);
        fs::write(mark, format!("{run}\n{report}")).unwrap();
        (home, report)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        self.command_for(&example, arguments)
    }

    /// The program for the directories `codex` and `crypt` in `project`.
    pub(crate) fn command_for(&self, project: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(FORGE);
        command
            .env("XDG_CACHE_HOME", cache())
            .arg("--codex")
            .arg(project.join("codex"))
            .arg("--crypt")
            .arg(project.join("crypt"))
            .arg("--state")
            .arg(self.path("state"))
            .args(arguments);
        command
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        json_of(&mut self.command(arguments))
    }

    /// podman with a storage of its own.
    fn podman_command(&self) -> Command {
        let mut command = Command::new("podman");
        command.arg("--root").arg(self.path("podman")).arg("--runroot").arg(self.path("podman-run"));
        command
    }

    /// What podman says.
    pub(crate) fn podman(&self, arguments: &[&str]) -> String {
        let output = self.podman_command().args(arguments).output().unwrap();
        assert!(output.status.success(), "podman {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Loads the archive that `stream` writes; where podman has the files of `image`, of which it may not change one.
    pub(crate) fn mounted(&self, mut stream: Command, image: &str) -> PathBuf {
        let mut child = stream.stdout(Stdio::piped()).spawn().unwrap();
        let mut load = self.podman_command();
        let loaded = load.args(["load", "--quiet"]).stdin(child.stdout.take().unwrap()).output().unwrap();
        assert!(child.wait().unwrap().success());
        assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
        self.podman(&["image", "mount", image]).into()
    }

    /// The configuration of an image, as podman tells it.
    pub(crate) fn config(&self, image: &str) -> Value {
        serde_json::from_str(&self.podman(&["image", "inspect", "--format", "{{json .Config}}", image]))
            .unwrap()
    }

    /// `bwrap` with the root of an image and its own environment.
    pub(crate) fn image_root(&self, root: &Path, image: &str, options: &[&str]) -> Command {
        let config = self.config(image);
        let mut command = Command::new("bwrap");
        command
            .args(["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"])
            .args(options);
        command.arg("--ro-bind").arg(root).args(["/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]);
        command.args(["--chmod", "1777", "/tmp"]);
        command.args(["--clearenv", "--chdir", config["WorkingDir"].as_str().unwrap()]);
        for variable in config["Env"].as_array().unwrap() {
            let (name, value) = variable.as_str().unwrap().split_once('=').unwrap();
            command.args(["--setenv", name, value]);
        }
        command
    }
}

/// The object that a run with `--json` prints.
pub(crate) fn json_of(command: &mut Command) -> Value {
    let output = command.arg("--json").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Downloads of all tests of this kind.
pub(crate) fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// Becomes the uid in `sys.argv[1]`, then the program after it.
pub(crate) const BECOME: &str = r"
import os, sys
uid = int(sys.argv[1])
os.setgroups([])
os.setgid(uid)
os.setuid(uid)
os.execvp(sys.argv[2], sys.argv[2:])
";
