//! Nix, driven: which one, which store, what is in it, and a build with progress.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::executor::{Executor, Inputs, Outputs, Wanted};
use crate::{
    body::{ExecutorKind, Store},
    diagnostic::{Diagnostic, Failure},
    digest::store_path::{StorePath, StorePathError},
    host::{
        environment,
        process::{Command, Output},
        progress::{Progress, Unit},
    },
};

/// The oldest Nix whose flakes and builders are known to work.
const OLDEST: (u32, u32) = (2, 8);

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

    fn flake_command(&self, verb: &str) -> Command {
        self.program("nix").args(["--extra-experimental-features", "nix-command flakes", verb])
    }

    /// Builds a package of the flake in `directory`; returns its output. A build that ran and failed is refused,
    /// with Nix's own error.
    fn build_package(
        &self,
        directory: &Path,
        package: &str,
        progress: &dyn Progress,
    ) -> Result<StorePath, Failure> {
        let mut command = self
            .flake_command("build")
            .args(["--no-update-lock-file", "--no-write-lock-file", "--log-format", "internal-json"])
            .args(["--json", "--no-link", "--no-allow-import-from-derivation"]);
        if let Some(builders) = &self.builders {
            command = command.arg("--builders").arg(builders);
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
        let command = command.arg(format!("path:{}#{package}", directory.display()));
        let mut log = BuildLog::default();
        let output = command.output_with_lines(|line| log.line(line, progress))?;
        if output.success() { single_output(&output) } else { Err(log.failure(package)) }
    }
}

impl Executor for Nix {
    fn usable(wanted: &Wanted) -> Result<Self, Failure> {
        let program = environment::program("nix").ok_or_else(|| {
            Failure::unable(
                Diagnostic::new("no `nix` on PATH")
                    .help("install Nix (Debian: `apt install nix-bin`), then run this again"),
            )
        })?;
        let text = Command::new(&program).arg("--version").output()?.text();
        let version = text.rsplit(' ').next().unwrap_or_default().to_owned();
        if parse_version(&version).is_none_or(|found| found < OLDEST) {
            return Err(Failure::unable(
                Diagnostic::new(format!("Nix {version} is too old"))
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

    fn missing(&self, paths: &[String]) -> Result<Vec<String>, Failure> {
        let mut missing = Vec::new();
        for chunk in paths.chunks(500) {
            let output = self
                .program("nix-store")
                .args(["--check-validity", "--print-invalid"])
                .args(chunk)
                .output()?;
            if !output.success() {
                return Err(failed("look into the Nix store", &output));
            }
            missing.extend(output.text().lines().map(str::to_owned));
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

    fn build(&self, flake: &Path, progress: &dyn Progress) -> Result<Outputs, Failure> {
        Ok(Outputs {
            store_path: self.build_package(flake, "lychd-image", progress)?,
            conf: self.build_package(flake, "lychd-image-conf", progress)?,
        })
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

/// Nix's `internal-json` log: builds counted, messages kept for the failure.
/// Source: `src/libutil/logging.hh` (activity 104 is "builds", 105 one build with its derivation as first field,
/// result 105 is "progress", 101 a log line).
#[derive(Default)]
struct BuildLog {
    builds: Option<u64>,
    /// What each build said last, with its derivation, by activity. Builds run at the same time.
    said: std::collections::BTreeMap<u64, (String, std::collections::VecDeque<String>)>,
    last: std::collections::VecDeque<String>,
    errors: Vec<String>,
}

#[derive(Deserialize)]
struct LogLine {
    action: String,
    #[serde(default)]
    id: u64,
    #[serde(default)]
    r#type: u64,
    #[serde(default)]
    level: u64,
    #[serde(default)]
    msg: String,
    #[serde(default)]
    fields: Vec<serde_json::Value>,
}

const KEPT_LINES: usize = 40;
/// Lines of a failed build that are told.
const TOLD_LINES: usize = 20;

impl BuildLog {
    fn line(&mut self, text: &str, progress: &dyn Progress) {
        let Some(json) = text.strip_prefix("@nix ") else {
            self.keep(text);
            return;
        };
        let Ok(entry) = serde_json::from_str::<LogLine>(json) else { return };
        let field = |index: usize| entry.fields.get(index).and_then(serde_json::Value::as_u64);
        match (entry.action.as_str(), entry.r#type) {
            ("start", 104) => self.builds = Some(entry.id),
            ("start", 105) => {
                if let Some(derivation) = entry.fields.first().and_then(serde_json::Value::as_str) {
                    self.said.insert(entry.id, (derivation.to_owned(), std::collections::VecDeque::new()));
                }
            }
            ("result", 105) if self.builds == Some(entry.id) => {
                if let (Some(done), Some(expected)) = (field(0), field(1)) {
                    progress.advance(done, expected, Unit::Items);
                }
            }
            ("result", 101) => {
                if let Some(line) = entry.fields.first().and_then(serde_json::Value::as_str) {
                    if let Some((_, said)) = self.said.get_mut(&entry.id) {
                        if said.len() == TOLD_LINES {
                            said.pop_front();
                        }
                        said.push_back(plain(line));
                    }
                    self.keep(line);
                }
            }
            ("msg", _) if entry.level == 0 => self.errors.push(entry.msg),
            _ => {}
        }
    }

    fn keep(&mut self, line: &str) {
        if self.last.len() == KEPT_LINES {
            self.last.pop_front();
        }
        self.last.push_back(line.to_owned());
    }

    fn failure(self, attribute: &str) -> Failure {
        let mut diagnostic = Diagnostic::new(format!("the Nix build of `{attribute}` failed"));
        for error in self.errors.iter().map(|error| plain(error)) {
            for (derivation, said) in self.said.values() {
                if error.contains(&format!("builder for '{derivation}' failed")) && !said.is_empty() {
                    let said: Vec<&str> = said.iter().map(String::as_str).collect();
                    diagnostic = diagnostic.help(format!("its last words:\n{}", said.join("\n")));
                }
            }
            diagnostic = diagnostic.help(error);
        }
        if self.errors.iter().any(|error| error.contains("namespaces")) {
            diagnostic = diagnostic.help(
                "the sandbox needs kernel namespaces: in a chroot, `/` must be a mount point and the group \
                 `nixbld` must exist; in a container, user namespaces must be allowed",
            );
        }
        if self.errors.is_empty() {
            diagnostic = diagnostic.help(self.last.into_iter().collect::<Vec<_>>().join("\n"));
        }
        diagnostic.into()
    }
}

/// Without Nix's own colours.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::progress::Silent;

    #[test]
    fn versions_are_compared_by_number() {
        assert_eq!(parse_version("2.26.3"), Some((2, 26)));
        assert_eq!(parse_version("2.8pre"), Some((2, 8)));
        assert!(parse_version("2.26").unwrap() > OLDEST);
        assert_eq!(parse_version("x"), None);
    }

    #[test]
    fn a_failed_build_tells_nix_s_own_error() {
        let mut log = BuildLog::default();
        log.line(r#"@nix {"action":"start","id":7,"type":104,"level":0,"text":""}"#, &Silent);
        log.line(r#"@nix {"action":"result","id":7,"type":105,"fields":[1,3,1,0]}"#, &Silent);
        log.line(
            r#"@nix {"action":"msg","level":0,"msg":"\u001b[31;1merror:\u001b[0m no such wheel"}"#,
            &Silent,
        );
        for (id, name) in [(8, "a"), (9, "b")] {
            log.line(
                &format!(
                    r#"@nix {{"action":"start","id":{id},"type":105,"level":3,"text":"","fields":["/nix/store/{name}.drv","",1,1]}}"#
                ),
                &Silent,
            );
            for count in 0..30 {
                let line =
                    format!(r#"@nix {{"action":"result","id":{id},"type":101,"fields":["{name}{count}."]}}"#);
                log.line(&line, &Silent);
            }
        }
        log.line(
            r#"@nix {"action":"msg","level":0,"msg":"builder for '/nix/store/b.drv' failed with exit code 1"}"#,
            &Silent,
        );
        let text = log.failure("lychd-image").to_string();
        assert!(text.contains("error: no such wheel"), "{text}");
        assert!(text.contains("b10.") && text.contains("b29."), "{text}");
        assert!(!text.contains("b9.") && !text.contains("a29."), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
