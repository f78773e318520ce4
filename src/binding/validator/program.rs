//! A program that judges, as it is run.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use super::verify;
use crate::{
    diagnostic::{Diagnostic, Failure},
    host::process::{Bounds, Command, Output},
    runes::podman::PodmanVersion,
};

/// Both take milliseconds.
const BOUNDS: Bounds = Bounds { wall: Duration::from_mins(1), stdout: 64 << 20, stderr: 4 << 20 };

/// A program with what must stand before its arguments.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) first: Vec<OsString>,
}

impl Program {
    pub(super) fn run<const N: usize>(
        &self,
        arguments: &[&str],
        environment: [(&str, &str); N],
    ) -> Result<Output, Failure> {
        let command = Command::new(&self.path)
            .args(&self.first)
            .args(arguments)
            .only_env(environment.into_iter().chain([("LC_ALL", "C")]));
        let (output, stopped) = command.output_bounded(b"", &BOUNDS)?;
        if stopped.is_none() && matches!(output.code, Some(0 | 1)) {
            return Ok(output);
        }
        let how = match (stopped, output.code) {
            (Some(_), _) => "did not end, or said too much".to_owned(),
            (None, Some(code)) => format!("ended with {code}"),
            (None, None) => "was killed".to_owned(),
        };
        let name = arguments.first().copied().unwrap_or_default();
        let mut failed =
            Diagnostic::new(format!("the units could not be checked: `{}` {how}", self.shown(name)));
        if !output.stderr.trim().is_empty() {
            failed = failed.note(output.stderr.trim().chars().take(4000).collect::<String>());
        }
        Err(Failure::unable(failed))
    }

    pub(super) fn shown(&self, argument: &str) -> String {
        let path = self.first.last().map_or(self.path.as_path(), Path::new);
        format!("{} {argument}", path.display())
    }
}

pub(super) fn podman_version(generator: &Program) -> Result<PodmanVersion, Failure> {
    let said = generator.run(&["-version"], [])?.text();
    said.parse().map_err(|error| {
        Failure::unable(Diagnostic::new(format!("`{}`: {error}", generator.shown("-version"))))
    })
}

/// The number that counts, and the version in full.
pub(super) fn systemd_version(analyze: &Program) -> Result<(u32, String), Failure> {
    let said = analyze.run(&["--version"], [])?.text();
    verify::version(&said).ok_or_else(|| {
        let shown = analyze.shown("--version");
        Failure::unable(Diagnostic::new(format!("`{shown}` says no version of systemd")))
    })
}
