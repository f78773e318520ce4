//! What a repository on disk has committed, asked of the `git` program as an object reader alone.
//!
//! A repository is foreign data, and its own configuration can name programs. So nothing here looks at the index
//! or the work tree (file system monitors, clean filters), runs hooks, or reaches a remote (a promised object that
//! is missing would be fetched over whatever transport the repository names). The repository is given by its
//! directory, never searched for upwards, and configuration of the user or the system is not read.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    environment, file,
    process::{Bounds, Command, Output},
};
use crate::{
    diagnostic::{Diagnostic, Failure, Fault},
    digest::object_id::ObjectId,
};

/// What keeps a repository's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// git.
    Git,
    /// Jujutsu beside git (a colocated repository): its commits are git's, and git's `HEAD` is the parent of the
    /// commit that is being worked on.
    Jj,
}

/// What is at the top of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// No repository of its own; it may lie in a larger one.
    Nothing,
    /// A repository in which nothing was committed yet.
    Unborn,
    /// A repository at a commit.
    Commit(Commit),
}

/// The commit that a repository is at, with all its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// What keeps it.
    pub system: System,
    /// Its full id.
    pub revision: ObjectId,
    /// Files and links, by path; those of submodules as well.
    pub files: BTreeMap<String, Committed>,
    /// Submodules of it that are not checked out.
    pub absent: BTreeSet<String>,
}

/// One committed file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// What it is.
    pub kind: Kind,
    /// The blob of its content; of a link, of its target.
    pub blob: ObjectId,
}

/// What a commit says a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File {
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// A symbolic link.
    Link,
}

/// Submodules in submodules, at most.
const DEPTH: usize = 8;
/// Submodules in all, at most.
const SUBMODULES: usize = 200;
/// Files of a commit, at most; a source tree holds fewer.
const FILES: usize = 200_000;
/// What git may take for one answer: a repository can hold pipes, and trees that name each other a million times.
const BOUNDS: Bounds = Bounds { wall: Duration::from_mins(1), stdout: 64 << 20, stderr: 64 << 10 };

/// Looks for a repository whose top is `directory`, and reads what it is at. `shown` names it.
///
/// # Errors
/// Refused when the repository cannot be read as one, or is Jujutsu's without git beside it; unable when there is
/// no git on this host.
pub fn head(directory: &Path, shown: &str) -> Result<Found, Failure> {
    let colocated = file::exists(&directory.join(".jj"))?;
    let own = directory.join(".git");
    let Some(kind) = file::kind(&own)? else {
        if colocated {
            return Err(Diagnostic::new(format!("`{shown}` is a Jujutsu repository without git beside it"))
                .help("`jj git colocation enable` there puts git beside it")
                .into());
        }
        return Ok(Found::Nothing);
    };
    let program = environment::program("git").ok_or_else(|| {
        Failure::unable(
            Diagnostic::new(format!("`{shown}` is a git repository, and there is no `git` on PATH"))
                .of_kind(Fault::Program)
                .help("install git"),
        )
    })?;
    let git = Git { program, shown, submodules: Cell::new(0) };
    if kind == file::Kind::Directory {
        let head = own.join("HEAD");
        match file::open(&head) {
            Err(error) if file::is_wrong(&error) => {
                return Err(git.unusual(&format!("has a `HEAD` that is no file: {error}")));
            }
            // Of one that is missing git has its own words.
            opened => drop(file::if_there(&head, opened)?),
        }
        // Of what it may not read git says that it is no repository.
        for name in ["objects", "refs"].map(|name| own.join(name)) {
            file::if_there(&name, file::names(&name))?;
        }
    }
    let Some(revision) = git.revision(directory)? else { return Ok(Found::Unborn) };
    let mut commit = Commit {
        system: if colocated { System::Jj } else { System::Git },
        revision,
        files: BTreeMap::new(),
        absent: BTreeSet::new(),
    };
    git.list(directory, "", &revision, &mut commit, DEPTH)?;
    Ok(Found::Commit(commit))
}

struct Git<'a> {
    program: PathBuf,
    shown: &'a str,
    submodules: Cell<usize>,
}

/// Whether no part of the path is a link: one to `.` would make a repository its own submodule.
fn is_inside(repository: &Path, path: &str) -> Result<bool, Failure> {
    let mut at = repository.to_owned();
    for part in path.split('/') {
        at.push(part);
        if matches!(part, "" | "." | "..") || file::kind(&at)? == Some(file::Kind::Link) {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Git<'_> {
    fn run(&self, repository: &Path, arguments: &[&str]) -> Result<Output, Failure> {
        let mut variables = vec![
            ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
            ("GIT_CONFIG_GLOBAL".into(), "/dev/null".into()),
            ("GIT_CONFIG_SYSTEM".into(), "/dev/null".into()),
            ("GIT_NO_LAZY_FETCH".into(), "1".into()),
            // No transport has this name.
            ("GIT_ALLOW_PROTOCOL".into(), "none".into()),
            ("GIT_TERMINAL_PROMPT".into(), "0".into()),
            ("LC_ALL".into(), "C".into()),
        ];
        variables.extend(environment::variable("PATH").map(|path| ("PATH".into(), path)));
        Command::new(&self.program)
            .args(["--no-pager", "--no-optional-locks", "--no-replace-objects", "--literal-pathspecs"])
            .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"])
            // Given, a directory is not searched for, nor asked whose it is: nothing of it is trusted.
            .arg("--git-dir")
            .arg(repository.join(".git"))
            .args(arguments)
            .current_dir(Path::new("/"))
            .only_env::<std::ffi::OsString, std::ffi::OsString>(variables)
            .output_bounded(b"", &BOUNDS)
            .and_then(|(output, stopped)| match stopped {
                None => Ok(output),
                Some(_) => Err(self.unusual("takes longer or holds more than any that is sound")),
            })
    }

    fn unusual(&self, what: &str) -> Failure {
        Diagnostic::new(format!("the git repository of `{}` {what}", self.shown)).into()
    }

    fn refused(&self, doing: &str, output: &Output) -> Failure {
        let reason = output.stderr.lines().next().unwrap_or("no reason given");
        let reason: String = reason.trim_start_matches("fatal: ").escape_debug().collect();
        Diagnostic::new(format!("the git repository of `{}` {doing}: {reason}", self.shown)).into()
    }

    /// The commit that `HEAD` names; `None` before the first.
    fn revision(&self, repository: &Path) -> Result<Option<ObjectId>, Failure> {
        let output = self.run(repository, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?;
        if !output.success() {
            // A branch that has no commit yet is sound; whatever else is wrong is not.
            let branch = self.run(repository, &["symbolic-ref", "--quiet", "HEAD"])?;
            let name = branch.text();
            let born = self.run(repository, &["show-ref", "--verify", "--quiet", "--", &name])?.success();
            return if branch.success() && !born {
                Ok(None)
            } else {
                Err(self.refused("is at no commit", if branch.success() { &output } else { &branch }))
            };
        }
        let text = output.text();
        text.parse().map(Some).map_err(|_| self.refused("names no commit", &output))
    }

    /// Adds what the commit holds to `all`, each path with `prefix` before it.
    fn list(
        &self,
        repository: &Path,
        prefix: &str,
        revision: &ObjectId,
        all: &mut Commit,
        depth: usize,
    ) -> Result<(), Failure> {
        let revision = revision.to_string();
        let output = self.run(repository, &["ls-tree", "-r", "-z", "--full-tree", &revision])?;
        if !output.success() {
            return Err(self.refused("cannot be listed", &output));
        }
        for line in output.stdout.split(|&byte| byte == 0).filter(|line| !line.is_empty()) {
            let line = String::from_utf8_lossy(line);
            let wrong = || {
                Failure::unable(Diagnostic::new(format!(
                    "git listed `{}` in a way that is not known",
                    line.escape_debug()
                )))
            };
            let (entry, path) = line.split_once('\t').ok_or_else(wrong)?;
            let mut words = entry.split(' ');
            let (mode, object) = (words.next().unwrap_or_default(), words.nth(1).ok_or_else(wrong)?);
            let object: ObjectId = object.parse().map_err(|_| wrong())?;
            let path = format!("{prefix}{path}");
            let kind = match mode {
                "100755" => Kind::File { executable: true },
                "120000" => Kind::Link,
                "160000" => {
                    let below = path.strip_prefix(prefix).unwrap_or(&path);
                    let inner = repository.join(below);
                    if depth > 0 && is_inside(repository, below)? && file::exists(&inner.join(".git"))? {
                        self.submodules.set(self.submodules.get() + 1);
                        if self.submodules.get() > SUBMODULES {
                            return Err(self.unusual(&format!("has more than {SUBMODULES} submodules")));
                        }
                        self.list(&inner, &format!("{path}/"), &object, all, depth - 1)?;
                    } else {
                        all.absent.insert(path);
                    }
                    continue;
                }
                // 100644, and 100664 of old repositories.
                _ => Kind::File { executable: false },
            };
            all.files.insert(path, Committed { kind, blob: object });
            if all.files.len() > FILES {
                return Err(self.unusual(&format!("has more than {FILES} files")));
            }
        }
        Ok(())
    }
}
