//! The environment, read once at the edge and passed as values.
#![expect(clippy::disallowed_methods, reason = "this is the module that reads the environment")]

use std::{env, ffi::OsString, path::PathBuf};

use super::file;
use crate::diagnostic::Failure;

/// A variable's value; an empty one counts as unset.
#[must_use]
pub fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// An XDG base directory: the variable when it is absolute, else `fallback` below the home directory.
#[must_use]
pub fn xdg(name: &str, fallback: &str) -> Option<PathBuf> {
    let directory = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    directory(name).or_else(|| directory("HOME").map(|home| home.join(fallback)))
}

/// The file with the user's passwords: what `NETRC` names, else `~/.netrc` when it is there.
///
/// # Errors
/// [`Failure::Unable`] when it cannot be told whether it is there.
pub fn netrc() -> Result<Option<PathBuf>, Failure> {
    if let Some(named) = variable("NETRC") {
        return Ok(Some(named.into()));
    }
    let Some(own) = variable("HOME").map(|home| PathBuf::from(home).join(".netrc")) else { return Ok(None) };
    Ok((file::kind_behind(&own)? == Some(file::Kind::File)).then_some(own))
}

/// The first executable file called `name` on `PATH`. Like a shell, it passes over directories that it may not
/// search: what cannot be started from there is no program for this user.
#[must_use]
pub fn program(name: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let executable = |path: &PathBuf| {
        std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    env::split_paths(&variable("PATH")?)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(name))
        .find(executable)
}

/// Whether the forge runs as root, which owns a single-user Nix.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The user the forge runs as.
#[must_use]
pub fn uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether a group of this name is in `/etc/group`.
#[must_use]
pub fn has_group(name: &str) -> bool {
    let groups = file::read_text(std::path::Path::new("/etc/group")).unwrap_or_default();
    groups.lines().any(|line| line.split(':').next() == Some(name))
}

/// The words of the command line, the program's name first.
pub fn arguments() -> impl Iterator<Item = OsString> {
    env::args_os()
}

/// The working directory, for relative paths on the command line.
///
/// # Errors
/// The system's.
pub fn working_directory() -> std::io::Result<PathBuf> {
    env::current_dir()
}
