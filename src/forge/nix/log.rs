//! Nix's `internal-json` log: what is told while a build runs, and why one failed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Deserialize;

use crate::{
    diagnostic::{Diagnostic, Fault},
    forge::{executor::NotBuilt, missing_libraries::MissingLibrary},
    host::progress::{Progress, Unit},
};

/// The log of one build: builds counted, messages kept for the failure.
/// Source: `src/libutil/logging.hh` (activity 104 is "builds", 105 one build with its derivation as first field,
/// result 105 is "progress", 101 a log line).
#[derive(Default)]
pub(super) struct BuildLog {
    builds: Option<u64>,
    /// What each build said last, with its derivation, by activity. Builds run at the same time.
    said: BTreeMap<u64, (String, VecDeque<String>)>,
    last: VecDeque<String>,
    errors: Vec<String>,
    /// What the check of the image said, of which the last lines may be a part.
    missing: BTreeSet<MissingLibrary>,
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

/// The most missing libraries that are told: a build may print what it likes.
const MOST_MISSING: usize = 1000;
const KEPT_LINES: usize = 40;
/// Lines of a failed build that are told.
const TOLD_LINES: usize = 20;

impl BuildLog {
    /// Takes in one line; builds that are done are progress.
    pub(super) fn line(&mut self, text: &str, progress: &dyn Progress) {
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
                    self.said.insert(entry.id, (derivation.to_owned(), VecDeque::new()));
                }
            }
            ("result", 105) if self.builds == Some(entry.id) => {
                if let (Some(done), Some(expected)) = (field(0), field(1)) {
                    progress.advance(done, expected, Unit::Items);
                }
            }
            ("result", 101) => {
                if let Some(line) = entry.fields.first().and_then(serde_json::Value::as_str) {
                    if self.missing.len() < MOST_MISSING {
                        self.missing.extend(MissingLibrary::told(&plain(line)));
                    }
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

    /// Why the build of a package failed, with the derivations that did.
    pub(super) fn failure(self, package: &str) -> NotBuilt {
        let mut diagnostic =
            Diagnostic::new(format!("the Nix build of `{package}` failed")).of_kind(Fault::Build);
        let mut derivations = BTreeSet::new();
        for error in self.errors.iter().map(|error| plain(error)) {
            for (derivation, said) in
                self.said.values().filter(|(path, _)| error.contains(&format!("'{path}'")))
            {
                derivations.extend(name_of(derivation));
                if error.contains("builder for") && !said.is_empty() {
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
        NotBuilt { failure: diagnostic.into(), derivations, missing: self.missing }
    }
}

/// `idna-3.10` of `/nix/store/<hash>-idna-3.10.drv`.
fn name_of(derivation: &str) -> Option<String> {
    let (_, name) = derivation.strip_prefix("/nix/store/")?.strip_suffix(".drv")?.split_once('-')?;
    Some(name.to_owned())
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
                    r#"@nix {{"action":"start","id":{id},"type":105,"level":3,"text":"","fields":["/nix/store/0c0q-{name}-1.0.drv","",1,1]}}"#
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
            r#"@nix {"action":"msg","level":0,"msg":"builder for '/nix/store/0c0q-b-1.0.drv' failed with exit code 1"}"#,
            &Silent,
        );
        let NotBuilt { failure, derivations, missing } = log.failure("lychd-image");
        assert_eq!(derivations, BTreeSet::from(["b-1.0".to_owned()]));
        assert_eq!(missing, BTreeSet::new());
        let text = failure.to_string();
        assert!(text.contains("error: no such wheel"), "{text}");
        assert!(text.contains("b10.") && text.contains("b29."), "{text}");
        assert!(!text.contains("b9.") && !text.contains("a29."), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn every_library_that_the_check_misses_is_kept_however_many_lines_there_are() {
        let mut log = BuildLog::default();
        log.line(
            r#"@nix {"action":"start","id":8,"type":105,"level":3,"text":"","fields":["/nix/store/0c0q-lychd-root.drv","",1,1]}"#,
            &Silent,
        );
        for count in 0..50 {
            let line = format!(
                r#"@nix {{"action":"result","id":8,"type":101,"fields":["error: /app/.venv/x{count}.so of wheel numba (requested by core, loom) needs libx.so.{count}, which no package of the image provides where the loader looks"]}}"#
            );
            log.line(&line, &Silent);
        }
        let NotBuilt { missing, .. } = log.failure("lychd-image");
        assert_eq!(missing.len(), 50);
        let first = missing.first().map(|one| (one.package.as_str(), one.soname.as_str()));
        assert_eq!(first, Some(("numba", "libx.so.0")));
    }
}
