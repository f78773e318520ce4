//! Runs uv over a staged project, in an environment that holds nothing of the user's.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::{
    diagnostic::Failure,
    host::{environment, file, process::Command},
    tools::Tools,
    tree::FileTree,
};

/// What uv may see of our environment: how to reach the network.
const INHERITED: [&str; 10] = [
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// A directory that uv works in; removed when dropped.
pub(super) struct Stage {
    directory: file::TemporaryDirectory,
}

/// What uv said when it did not lock.
pub(super) struct Complaint(pub(super) String);

impl Stage {
    /// An empty stage with uv's only configuration file. It is in the cache, for uv looks upwards for
    /// workspaces and others can write to `/tmp`.
    pub(super) fn new(cache: &Path, settings: &str) -> Result<Self, Failure> {
        let above = cache.join("stage");
        let directory = file::temporary_directory(&above)
            .map_err(|error| file::unable("create a directory in", &above, &error))?;
        let stage = Self { directory };
        let path = stage.path("uv.toml");
        file::write(&path, settings.as_bytes()).map_err(|error| file::unable("write", &path, &error))?;
        let home = stage.path("home");
        file::create_directory(&home).map_err(|error| file::unable("create", &home, &error))?;
        Ok(stage)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a project and its old lock, locks it and gives the new lock's text.
    pub(super) fn lock(
        &self,
        name: &str,
        tree: &FileTree,
        old: Option<&str>,
        run: &Run<'_>,
    ) -> Result<Result<String, Complaint>, Failure> {
        let directory = self.path(name);
        file::write_tree(&directory, tree).map_err(|error| file::unable("write", &directory, &error))?;
        let lock = directory.join("uv.lock");
        if let Some(text) = old {
            file::write(&lock, text.as_bytes()).map_err(|error| file::unable("write", &lock, &error))?;
        }
        let output = run.command(&directory, &self.path("uv.toml"), &self.path("home"))?.output()?;
        if !output.success() {
            let place = self.directory.path().display().to_string();
            return Ok(Err(Complaint(readable(&output.stderr, &place))));
        }
        file::read_text(&lock).map(Ok).map_err(|error| file::unable("read", &lock, &error))
    }
}

/// How uv is run.
pub(super) struct Run<'a> {
    pub(super) tools: &'a Tools,
    /// The forge's cache directory.
    pub(super) cache: &'a Path,
    pub(super) upgrade: bool,
    pub(super) offline: bool,
}

impl Run<'_> {
    fn command(&self, directory: &Path, settings: &Path, home: &Path) -> Result<Command, Failure> {
        let mut variables: Vec<(OsString, OsString)> =
            INHERITED.iter().filter_map(|&name| Some((name.into(), environment::variable(name)?))).collect();
        variables.push(("HOME".into(), home.into()));
        // uv reads passwords for the indexes from there; it has no other configuration of the user's.
        variables.extend(environment::netrc()?.map(|path| ("NETRC".into(), path.into())));
        let mut command = Command::new(&self.tools.uv)
            .args(["lock", "--no-progress", "--color", "never", "--config-file"])
            .arg(settings)
            .arg("--cache-dir")
            .arg(self.cache.join("uv"))
            .arg("--python")
            .arg(&self.tools.python)
            .current_dir(directory)
            .only_env(variables);
        if self.upgrade {
            command = command.arg("--upgrade");
        }
        if self.offline {
            command = command.arg("--offline");
        }
        Ok(command)
    }
}

/// uv's words without chatter and layout, without our temporary paths, and safe for a terminal.
fn readable(stderr: &str, stage: &str) -> String {
    let chatter = ["Using CPython", "Resolving despite", "Ignoring existing"];
    stderr
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !chatter.iter().any(|start| line.starts_with(start)))
        .map(|line| line.trim_start_matches("error: ").trim_start_matches("cause: "))
        .map(|line| line.split_once(" for split (markers: ").map_or(line, |(before, _)| before))
        .map(|line| line.replace(&format!("file://{stage}/"), "").replace(&format!("{stage}/"), ""))
        .map(|line| line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect::<String>())
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uvs_words_lose_layout_paths_and_control_characters() {
        let stderr = "Using CPython 3.13.5 interpreter at: /c/python3\n\
                      error: No solution found when resolving dependencies for split (markers: os_name == 'x')\n  \
                      cause: Because a @ file:///s/federation/members/a\u{1b}[31m\n\nhint: b\n";
        let want = "No solution found when resolving dependencies\n\
                    Because a @ federation/members/a\u{fffd}[31m\nhint: b";
        assert_eq!(readable(stderr, "/s"), want);
    }
}
