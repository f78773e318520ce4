//! What the options and the environment mean, resolved once.

use std::path::{Path, PathBuf};

use super::{command_line::command, global::Global};
use crate::{
    diagnostic::{Diagnostic, Failure},
    host::{directories::Directories, environment},
    supply::outside::Network,
};

/// Directories and switches of one run.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) directories: Directories,
    pub(super) network: Network,
    /// Whether the state directory is not the default one.
    has_own_state: bool,
    /// Whether the Codex and the Crypt are not the default ones.
    has_own: [bool; 2],
}

impl Settings {
    pub(super) fn resolve(global: &Global) -> Result<Self, Failure> {
        let Global { codex, crypt, state, offline, json: _, quiet: _, verbose: _, color: _ } = global;
        Ok(Self {
            directories: Directories {
                codex: directory(codex.as_deref(), "XDG_CONFIG_HOME", ".config", "lychd")?,
                crypt: directory(crypt.as_deref(), "XDG_DATA_HOME", ".local/share", "lychd")?,
                state: directory(state.as_deref(), "XDG_STATE_HOME", ".local/state", "lychd-forge")?,
                cache: directory(None, "XDG_CACHE_HOME", ".cache", "lychd-forge")?,
            },
            network: if *offline { Network::Offline } else { Network::Online },
            has_own_state: state.is_some(),
            has_own: [codex.is_some(), crypt.is_some()],
        })
    }

    /// A command of this program for people to type: with the state directory where that was named.
    pub(super) fn command(&self, words: &str) -> String {
        command(&[("--state", self.has_own_state, &self.directories.state)], words)
    }

    /// The same for one that reads the Codex and the Crypt, with those that were named.
    pub(super) fn whole_command(&self, words: &str) -> String {
        let Directories { codex, crypt, state, .. } = &self.directories;
        let [own_codex, own_crypt] = self.has_own;
        command(
            &[
                ("--codex", own_codex, codex),
                ("--crypt", own_crypt, crypt),
                ("--state", self.has_own_state, state),
            ],
            words,
        )
    }
}

fn directory(given: Option<&Path>, variable: &str, fallback: &str, name: &str) -> Result<PathBuf, Failure> {
    match given {
        Some(path) => absolute(path),
        None => environment::xdg(variable, fallback).map(|base| base.join(name)).ok_or_else(|| {
            Failure::unable(
                Diagnostic::new(format!("neither {variable} nor HOME is an absolute path"))
                    .help("set HOME, or give --codex, --crypt and --state"),
            )
        }),
    }
}

/// An operand as an absolute path.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    let current = environment::working_directory()
        .map_err(|error| Failure::unable(Diagnostic::new(format!("no working directory: {error}"))))?;
    Ok(current.join(path))
}
