//! Nix, driven: which one, which store, what is in it, and a build with progress.

mod log;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::executor::{Executor, Inputs, NotBuilt, Outputs, Wanted};
use crate::{
    body::{ExecutorKind, Images, Store},
    diagnostic::{Diagnostic, Failure, Fault},
    digest::store_path::{StorePath, StorePathError},
    host::{
        environment,
        process::{Command, Output},
        progress::Progress,
    },
    supply::store::ArtifactStore,
};

/// The oldest Nix whose flakes and builders are known to work.
pub const OLDEST: (u32, u32) = (2, 8);

/// A Nix on this host and the store it is to use.
#[derive(Clone, Debug)]
pub struct Nix {
    program: PathBuf,
    version: String,
    store: Option<PathBuf>,
    builders: Option<String>,
    inputs: Inputs,
}

impl Nix {
    fn program(&self, name: &str) -> Command {
        let program = self.program.with_file_name(name);
        let mut command = Command::new(program);
        if let Some(store) = &self.store {
            command = command.arg("--store").arg(store);
        }
        let mut options = vec![("sandbox", "true"), ("sandbox-fallback", "false")];
        if self.inputs == Inputs::Closed {
            // Hermetic and offline by intent: what the sandbox needs is fixed-output or built here.
            options.extend([("sandbox-paths", ""), ("substituters", "")]);
        }
        // Root without Nix's build users builds in a user namespace.
        if environment::is_root() && !environment::has_group("nixbld") {
            options.push(("build-users-group", ""));
        }
        for (name, value) in options {
            command = command.args(["--option", name, value]);
        }
        command
    }

    /// Whether Nix would do one build at a time, as it does where nobody has said another number.
    fn builds_one_at_a_time(&self) -> Result<bool, Failure> {
        let output = self.flake_command("show-config").output()?;
        Ok(output.text().lines().any(|line| line == "max-jobs = 1"))
    }

    fn flake_command(&self, verb: &str) -> Command {
        self.program("nix").args(["--extra-experimental-features", "nix-command flakes", verb])
    }

    /// Builds packages of the flake in `directory`; returns what Nix says of them. A build that ran and failed is
    /// refused, with Nix's own error.
    fn build_packages(
        &self,
        directory: &Path,
        packages: &[String],
        progress: &dyn Progress,
    ) -> Result<Output, NotBuilt> {
        let mut command = self
            .flake_command("build")
            .args(["--no-update-lock-file", "--no-write-lock-file", "--log-format", "internal-json"])
            // What else is wrong is told as well.
            .args(["--json", "--no-link", "--no-allow-import-from-derivation", "--keep-going"]);
        if let Some(builders) = &self.builders {
            command = command.arg("--builders").arg(builders);
        }
        if self.builds_one_at_a_time()? {
            command = command.args(["--max-jobs", "auto"]);
        }
        if let Inputs::Nixpkgs { tree, offline, .. } = &self.inputs {
            if *offline {
                command = command.arg("--offline");
            }
            if let Some(tree) = tree {
                command =
                    command.args(["--override-input", "nixpkgs"]).arg(format!("path:{}", tree.display()));
            }
        }
        let installable = |package: &String| format!("path:{}#{package}", directory.display());
        let command = command.args(packages.iter().map(installable));
        let mut log = log::BuildLog::default();
        let output = command.output_with_lines(|line| log.line(line, progress))?;
        if output.success() { Ok(output) } else { Err(log.failure(&packages.join("` and `"))) }
    }
}

impl ArtifactStore for Nix {
    fn missing(&self, paths: &[StorePath]) -> Result<BTreeSet<StorePath>, Failure> {
        let mut missing = BTreeSet::new();
        for chunk in paths.chunks(500) {
            let output = self
                .program("nix-store")
                .args(["--check-validity", "--print-invalid"])
                .args(chunk.iter().map(ToString::to_string))
                .output()?;
            if !output.success() {
                return Err(failed("look into the Nix store", &output));
            }
            let text = output.text();
            let invalid: BTreeSet<&str> = text.lines().collect();
            missing.extend(chunk.iter().filter(|path| invalid.contains(path.to_string().as_str())).cloned());
        }
        Ok(missing)
    }

    fn add_fixed(&self, algorithm: &str, files: &[PathBuf]) -> Result<Vec<String>, Failure> {
        let mut paths = Vec::new();
        for chunk in files.chunks(200) {
            let output = self.program("nix-store").args(["--add-fixed", algorithm]).args(chunk).output()?;
            if !output.success() {
                return Err(failed("add downloads to the Nix store", &output));
            }
            paths.extend(output.text().lines().map(str::to_owned));
        }
        Ok(paths)
    }
}

impl Executor for Nix {
    fn usable(wanted: &Wanted) -> Result<Self, Failure> {
        let program = environment::program("nix").ok_or_else(|| {
            Failure::unable(
                Diagnostic::new("no `nix` on PATH")
                    .of_kind(Fault::Program)
                    .help("install Nix (Debian: `apt install nix-bin`), then run this again"),
            )
        })?;
        let text = Command::new(&program).arg("--version").output()?.text();
        let version = text.rsplit(' ').next().unwrap_or_default().to_owned();
        if parse_version(&version).is_none_or(|found| found < OLDEST) {
            return Err(Failure::unable(
                Diagnostic::new(format!("Nix {version} is too old"))
                    .of_kind(Fault::Program)
                    .help(format!("install Nix {}.{} or newer", OLDEST.0, OLDEST.1)),
            ));
        }
        let Wanted { store, builders } = wanted.clone();
        Ok(Self { program, version, store, builders, inputs: Inputs::Closed })
    }

    fn kind(&self) -> ExecutorKind {
        ExecutorKind::Nix
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn builds_here(&self) -> bool {
        // An empty list is Nix's word for nobody else.
        self.builders.as_ref().is_none_or(|others| others.trim().is_empty())
    }

    fn store(&self) -> Store {
        Store::of(self.store.clone())
    }

    fn with_inputs(self: Box<Self>, inputs: Inputs) -> Result<Box<dyn Executor>, Failure> {
        if let Inputs::Nixpkgs { tree: Some(tree), pinned, .. } = &inputs {
            let output = self.flake_command("hash").args(["path", "--sri"]).arg(tree).output()?;
            if !output.success() {
                return Err(failed("hash the tree of nixpkgs", &output));
            }
            let (found, pinned) = (output.text().trim().to_owned(), pinned.to_sri_string());
            if found != pinned {
                let message = format!("`{}` is not the nixpkgs that is pinned", tree.display());
                return Err(Diagnostic::new(message)
                    .note(format!("its hash is {found}, `nar-hash` in forge.toml is {pinned}"))
                    .into());
            }
        }
        Ok(Box::new(Self { inputs, ..*self }))
    }

    fn build(
        &self,
        flake: &Path,
        roles: &Images<()>,
        progress: &dyn Progress,
    ) -> Result<Images<Outputs>, NotBuilt> {
        if !roles.further.is_empty() {
            // All at once first, so that no job waits for another image.
            let packages: Vec<String> = roles.iter().map(|(role, ())| role.package()).collect();
            self.build_packages(flake, &packages, progress)?;
        }
        let one = |package: String| -> Result<StorePath, NotBuilt> {
            Ok(single_output(&self.build_packages(flake, &[package], progress)?)?)
        };
        roles.try_map(|role, ()| {
            let package = role.package();
            Ok(Outputs { store_path: one(package.clone())?, conf: one(format!("{package}-conf"))? })
        })
    }

    fn holds(&self, outputs: &Outputs) -> Result<bool, Failure> {
        let (stream, conf) = (outputs.store_path.to_string(), outputs.conf.to_string());
        // What a path of the store refers to is there as well. Of one that is not there, Nix says that as an error.
        let output = self.program("nix-store").args(["--query", "--references", &stream]).output()?;
        if output.success() {
            return Ok(output.text().lines().any(|line| line == conf));
        }
        if self.missing(std::slice::from_ref(&outputs.store_path))?.is_empty() {
            return Err(failed("look into the Nix store", &output));
        }
        Ok(false)
    }

    fn keep(&self, outputs: &Outputs, root: &Path) -> Result<(), Failure> {
        let output = self
            .program("nix-store")
            .args(["--realise", &outputs.store_path.to_string(), "--indirect", "--add-root"])
            .arg(root)
            .output()?;
        if output.success() {
            Ok(())
        } else {
            Err(failed("keep the image from the garbage collector", &output))
        }
    }
}

/// Has Nix take from a store what nothing keeps there; `false` where there is no Nix.
///
/// # Errors
/// Refused when Nix fails.
pub fn collect_garbage(store: &Path) -> Result<bool, Failure> {
    let Some(program) = environment::program("nix-store") else { return Ok(false) };
    let output = Command::new(program).arg("--store").arg(store).arg("--gc").output()?;
    if output.success() { Ok(true) } else { Err(failed("sweep a store", &output)) }
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    let number = |part: Option<&str>| {
        let digits: String = part?.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    Some((number(parts.next())?, number(parts.next())?))
}

fn failed(doing: &str, output: &Output) -> Failure {
    let reason =
        output.stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
    let diagnostic = Diagnostic::new(format!("Nix could not {doing}: {}", reason.trim()));
    Failure::unable(if reason.contains("daemon-socket") && reason.contains("Permission denied") {
        diagnostic.help("your user may not talk to the Nix daemon: on Debian, join the group `nix-users`")
    } else {
        diagnostic
    })
}

fn single_output(output: &Output) -> Result<StorePath, Failure> {
    #[derive(Deserialize)]
    struct Built {
        outputs: std::collections::BTreeMap<String, String>,
    }
    let unclear = |reason: &str| {
        Failure::unable(Diagnostic::new(format!("`nix build --json` gave no clear answer: {reason}")))
    };
    let built: Vec<Built> =
        serde_json::from_slice(&output.stdout).map_err(|error| unclear(&error.to_string()))?;
    let first = built.into_iter().next().and_then(|mut built| built.outputs.remove("out"));
    let path = first.ok_or_else(|| unclear("no output has a path"))?;
    path.parse().map_err(|error: StorePathError| unclear(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert_eq!(parse_version("2.26.3"), Some((2, 26)));
        assert_eq!(parse_version("2.8pre"), Some((2, 8)));
        assert!(parse_version("2.26").unwrap() > OLDEST);
        assert_eq!(parse_version("x"), None);
    }
}
