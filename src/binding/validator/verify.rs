//! What `systemd-analyze verify` said.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    generator::source_of,
    sources::{self, Sources},
};
use crate::{
    binding::judge::Verdict,
    diagnostic::{Diagnostic, Failure},
};

/// Kinds of units that systemd speaks of.
const KINDS: [&str; 11] = [
    ".automount",
    ".device",
    ".mount",
    ".path",
    ".scope",
    ".service",
    ".slice",
    ".socket",
    ".swap",
    ".target",
    ".timer",
];

/// One run over the generated and the plain units.
pub(super) struct Run<'a> {
    /// Whether it ended with another code than 0.
    pub(super) failed: bool,
    /// All messages.
    pub(super) stderr: &'a str,
    /// The generated units, by name.
    pub(super) made: &'a BTreeMap<String, String>,
    /// Where all units were staged.
    pub(super) out: &'a str,
    /// Where the Quadlet files were.
    pub(super) directory: &'a str,
    /// The Quadlet files.
    pub(super) quadlets: &'a Sources,
    /// The plain units, and drop-ins by their whole paths.
    pub(super) units: &'a Sources,
    /// Names of units that were staged with them and are not these.
    pub(super) others: &'a BTreeSet<String>,
}

/// The number that counts, and the version in full: `systemd 257 (257.13-1~deb13u1)`.
pub(super) fn version(said: &str) -> Option<(u32, String)> {
    let rest = said.lines().next()?.strip_prefix("systemd ")?;
    let number = rest.split([' ', '.', '~', '-']).next()?.parse().ok()?;
    let full = rest.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    Some((number, full.map_or(rest, |(full, _)| full).trim().to_owned()))
}

/// All that is wrong, and what is no fault of these units.
///
/// # Errors
/// [`Failure::Unable`] when what kept it from judging is neither these units nor others.
pub(super) fn judge(run: &Run<'_>) -> Result<Verdict, Failure> {
    let mut lines: Vec<&str> = Vec::new();
    for line in run.stderr.lines().map(str::trim) {
        if !line.is_empty() && !lines.contains(&line) {
            lines.push(line);
        }
    }
    let mut verdict = Verdict::default();
    let mut explained = false;
    let mut hindered = Vec::new();
    for line in lines {
        let note = match run.of_line(line) {
            Said::Fault(finding) => {
                verdict.findings.push(finding);
                continue;
            }
            Said::NoPodman(program) => {
                explained = true;
                format!("this host has no `{program}`: whether the units can start it was not checked")
            }
            Said::Other => format!("systemd says of another unit: {line}"),
            Said::Host => {
                hindered.push(line);
                continue;
            }
        };
        if !verdict.notes.contains(&note) {
            verdict.notes.push(note);
        }
    }
    if !hindered.is_empty() {
        let told = Diagnostic::new("the units could not be checked: `systemd-analyze` could not run");
        return Err(Failure::unable(hindered.into_iter().fold(told, Diagnostic::note)));
    }
    if run.failed && verdict.findings.is_empty() && !explained {
        let told = Diagnostic::new("systemd finds fault with the units, or with what they need of this host");
        verdict.findings.push(verdict.notes.iter().fold(told, Diagnostic::note));
    }
    Ok(verdict)
}

/// What a line is about.
enum Said<'a> {
    /// These units.
    Fault(Diagnostic),
    /// The podman that they start, which is not there.
    NoPodman(&'a str),
    /// Other units.
    Other,
    /// No unit at all: something that systemd itself needs of this host.
    Host,
}

/// Whether a word is the name of a unit.
fn is_unit(word: &str) -> bool {
    KINDS.iter().any(|kind| word.ends_with(kind))
}

impl Run<'_> {
    fn is_ours(&self, path: &str) -> bool {
        self.made.contains_key(path) || self.units.get(path).is_some()
    }

    /// `<path>:<line>: <text>`, `<unit>: <text>`, or something about a unit in the middle of it.
    fn of_line(&self, line: &str) -> Said<'_> {
        let (subject, text) = line.split_once(": ").unwrap_or(("", line));
        let (path, number) = match subject.rsplit_once(':') {
            Some((path, number)) if path.starts_with('/') => (path, number.parse().ok()),
            _ => (subject, None),
        };
        let staged = path.strip_prefix(self.out).and_then(|rest| rest.strip_prefix('/'));
        let inside = staged.unwrap_or(path);
        if self.is_ours(inside) {
            return match self.missing_podman(inside, text) {
                Some(program) => Said::NoPodman(program),
                None => Said::Fault(self.finding(&format!("`{inside}`"), text, inside, number)),
            };
        }
        let is_name = path.starts_with('/') || is_unit(path);
        if is_name && staged.is_none() && !path.contains(' ') || self.others.contains(inside) {
            return Said::Other;
        }
        let words = || line.split([' ', '/']).map(|word| word.trim_matches(['.', ',', ':', '\'', '"']));
        if staged.is_none() && !words().any(is_unit) {
            return Said::Host;
        }
        let named = words().find(|word| self.is_ours(word)).unwrap_or_default();
        Said::Fault(self.finding("the units", line, named, None))
    }

    fn finding(&self, subject: &str, text: &str, unit: &str, number: Option<usize>) -> Diagnostic {
        let text = text.trim_end_matches('.');
        let told = Diagnostic::new(format!("systemd finds fault with {subject}: {text}"));
        if let Some(source) = self.units.get(unit) {
            return told.at(sources::line(source, number.unwrap_or(0)), "");
        }
        let Some(made) = self.made.get(unit) else { return told };
        let line = number.and_then(|number| sources::line_of(made, number));
        let Some(source) = source_of(made, self.quadlets, self.directory) else { return told };
        // What podman passes through stands in the same section of the Quadlet file.
        let written = line
            .filter(|(_, line)| !line.trim().is_empty())
            .and_then(|(section, line)| sources::in_section(source, section, |other| other == line));
        match (written, line) {
            (Some(place), _) => told.at(place, ""),
            (None, Some((_, line))) => {
                told.at(source.at(0..0), "").note(format!("podman made this line: {}", line.escape_debug()))
            }
            (None, None) => told.at(source.at(0..0), ""),
        }
    }

    /// That very program which a generated unit starts, when it is podman and is not there.
    fn missing_podman<'a>(&'a self, unit: &str, text: &str) -> Option<&'a str> {
        let start = sources::values(self.made.get(unit)?, "Service", "ExecStart").last()?;
        let program = start.split_whitespace().next()?;
        let missing = format!("Command {program} is not executable: No such file or directory");
        (sources::file_name(program) == "podman" && text == missing).then_some(program)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::FileTree;

    const CONTAINER: &str = "[Unit]\nDescription=x\n[Container]\nRestart=never\n[Service]\nRestart=never\n";
    const MADE: &str = "[Unit]\nDescription=x\nSourcePath=/s/a.container\n\n[X-Container]\nRestart=never\n\n\
                        [Service]\nRestart=never\nExecStart=/usr/bin/podman run x\nExecStop=/usr/bin/podman rm\n";
    const TARGET: &str = "[Unit]\nWibble=1\n";

    fn judged(stderr: &str, failed: bool) -> (Vec<String>, Vec<String>) {
        let verdict = verdict(stderr, failed).unwrap();
        (verdict.findings.iter().map(ToString::to_string).collect(), verdict.notes)
    }

    fn verdict(stderr: &str, failed: bool) -> Result<Verdict, Failure> {
        let (mut quadlets, mut units) = (FileTree::new(), FileTree::new());
        quadlets.insert_text("a.container".parse().unwrap(), CONTAINER);
        units.insert_text("x.target".parse().unwrap(), TARGET);
        let run = Run {
            failed,
            stderr,
            made: &BTreeMap::from([("a.service".to_owned(), MADE.to_owned())]),
            out: "/o",
            directory: "/s",
            quadlets: &Sources::of(&quadlets),
            units: &Sources::of(&units),
            others: &BTreeSet::from(["mine.service".to_owned()]),
        };
        judge(&run)
    }

    #[track_caller]
    fn told(line: &str, want: &str) {
        assert_eq!(judged(&format!("{line}\n{line}\n"), true), (vec![want.to_owned()], Vec::new()));
    }

    #[test]
    fn messages_become_findings_in_the_rendered_texts() {
        told(
            "/o/a.service:9: Failed to parse Restart=never, ignoring: Invalid argument",
            "systemd finds fault with `a.service`: Failed to parse Restart=never, ignoring: Invalid argument\n  \
             at a.container:6:1",
        );
        told(
            "/o/a.service:10: Unknown key 'X' in section [Service], ignoring.",
            "systemd finds fault with `a.service`: Unknown key 'X' in section [Service], ignoring\n  \
             at a.container:1:1\n  note: podman made this line: ExecStart=/usr/bin/podman run x",
        );
        told(
            "/o/x.target:2: Unknown key 'Wibble' in section [Unit], ignoring.",
            "systemd finds fault with `x.target`: Unknown key 'Wibble' in section [Unit], ignoring\n  at x.target:2:1",
        );
        told(
            "x.target: Failed to create x.target/start: Unit nope.service not found.",
            "systemd finds fault with `x.target`: Failed to create x.target/start: Unit nope.service not found\n  \
             at x.target:1:1",
        );
        told(
            "Unit x.target has a bad unit file setting.",
            "systemd finds fault with the units: Unit x.target has a bad unit file setting\n  at x.target:1:1",
        );
    }

    #[test]
    fn what_names_no_unit_is_a_fault_of_the_host() {
        for line in
            ["Out of memory.", "Failed to create directory '/c/stage/.scratch-x/run/systemd/': No such file"]
        {
            let failure = verdict(&format!("{line}\nx.target: bad\n"), true).unwrap_err();
            assert_eq!(failure.exit_code(), 2);
            let told = failure.to_string();
            assert!(told.contains("`systemd-analyze` could not run"), "{told}");
            assert!(told.contains(line), "{told}");
        }
    }

    #[test]
    fn only_a_missing_podman_is_no_fault() {
        let missing = |program: &str| {
            judged(
                &format!("a.service: Command {program} is not executable: No such file or directory\n"),
                true,
            )
        };
        let (findings, notes) = missing("/usr/bin/podman");
        assert!(findings.is_empty());
        assert_eq!(
            notes,
            ["this host has no `/usr/bin/podman`: whether the units can start it was not checked"]
        );
        for other in ["/usr/local/bin/podman", "/usr/bin/sleep", "podman"] {
            assert_eq!(missing(other).0.len(), 1, "{other}");
        }
        let denied = "a.service: Command /usr/bin/podman is not executable: Permission denied\n";
        assert_eq!(judged(denied, true).0.len(), 1);
        let plain = "x.target: Command /usr/bin/podman is not executable: No such file or directory\n";
        assert_eq!(judged(plain, true).0.len(), 1);
    }

    #[test]
    fn other_units_of_the_host_are_noted_and_silence_is_judged_by_the_code() {
        let other = "/usr/lib/systemd/user/y.socket:3: Unknown key\ny.socket: bad\n/o/mine.service:1: x\n";
        let (findings, notes) = judged(other, false);
        assert!(findings.is_empty());
        assert_eq!(notes.len(), 3);
        let findings = judged(other, true).0;
        assert!(
            findings[0].contains("what they need of this host\n  note: systemd says of another unit: /usr")
        );
        for ours in ["/o/what:1: x", "Failed to load /o/z.service: x", "Failed to load z.service: x"] {
            assert_eq!(judged(ours, false).0.len(), 1, "{ours}");
        }
        assert_eq!(judged("", false), (Vec::new(), Vec::new()));
        assert_eq!(
            judged("", true).0,
            ["systemd finds fault with the units, or with what they need of this host"]
        );
    }

    #[test]
    fn versions_of_systemd_are_read() {
        let read = |said: &str| version(said);
        assert_eq!(read("systemd 257 (257.13-1~deb13u1)\n+PAM"), Some((257, "257.13-1~deb13u1".to_owned())));
        assert_eq!(read("systemd 252"), Some((252, "252".to_owned())));
        assert_eq!(read("systemd 258~rc1 (258~rc1)"), Some((258, "258~rc1".to_owned())));
        assert_eq!(read("usage"), None);
    }
}
