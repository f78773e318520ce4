//! What is told when a hook does not do what it should.

use super::{
    answer::{Entry, Failed, Kind, Registered, Unanswered},
    file::FILE,
    record::Limits,
    sandbox::{self, Run},
};
use crate::{
    diagnostic::{Diagnostic, Failure, Place, Source},
    host::process::Stopped,
    name::MemberId,
};

/// A hook that ran, for reports.
pub(super) struct Hook<'a> {
    pub(super) member: &'a MemberId,
    pub(super) source: &'a Source,
    pub(super) limits: &'a Limits,
}

impl Hook<'_> {
    /// A line of the hook, without its indent; the first one when the number is not one of its lines.
    pub(super) fn line(&self, number: usize) -> Place {
        let mut start = 0;
        for (at, line) in self.source.text().split('\n').enumerate() {
            if at + 1 == number {
                let indent = line.len() - line.trim_start().len();
                return self.source.at(start + indent..start + line.trim_end().len().max(indent));
            }
            start += line.len() + 1;
        }
        self.source.at(0..0)
    }

    fn wrong(&self, what: &str) -> Diagnostic {
        let message = format!("the hook `{}` {what}", self.source.name());
        Diagnostic::new(message).requested_by(self.member.to_string())
    }

    fn manifest(&self) -> String {
        self.source.name().replace(FILE, "pyproject.toml")
    }

    /// What can be done without running it.
    fn statically(&self, diagnostic: Diagnostic) -> Failure {
        diagnostic
            .help(format!(
                "set `hook = false` under [tool.lychd] in `{}`: then `{}` is LychD's alone, and what the body \
                 needs stands in `system-dependencies` and `[[tool.lychd.rune]]`",
                self.manifest(),
                FILE,
            ))
            .help("or set `allow-hooks = false` under [policy] in forge.toml: then no member's hook is run")
            .into()
    }

    /// It said why.
    pub(super) fn failed(&self, failed: &Failed) -> Failure {
        let message = plain(&failed.message, 1000);
        let place = self.line(failed.line);
        let trace = |diagnostic: Diagnostic| {
            let inner: Vec<String> = failed.trace.iter().take(20).map(|step| self.local(step)).collect();
            // One step is the place itself.
            if inner.len() > 1 { diagnostic.note(inner.join("\n")) } else { diagnostic }
        };
        match (failed.kind, &failed.missing) {
            (Kind::Missing, _) => self
                .wrong("has no `register(context)`")
                .at(self.source.at(0..0), "")
                .help("add `def register(context):`, or set `hook = false` under [tool.lychd]")
                .into(),
            (kind, Some(missing)) => {
                let top = plain(missing.split('.').next().unwrap_or(missing), 100);
                let when = if kind == Kind::Import { "cannot be imported in the sandbox" } else { "failed" };
                let diagnostic = self
                    .wrong(&format!("{when}: there is no module `{}`", plain(missing, 200)))
                    .at(place, "")
                    .note(
                        "the sandbox holds Python's standard library, the member's own files (`from .x import \
                         y`) and `lychd_forge`",
                    );
                let diagnostic = trace(diagnostic).help(format!(
                    "import `{top}` where it is used, behind `if not hasattr(context, \
                     \"add_system_dependency\")`, which only the forge's context has"
                ));
                self.statically(diagnostic)
            }
            (Kind::Import, None) => {
                let what = format!("cannot be imported in the sandbox: {message}");
                self.statically(trace(self.wrong(&what).at(place, "")))
            }
            (Kind::Register, None) => {
                self.statically(trace(self.wrong(&format!("failed: {message}")).at(place, "")))
            }
        }
    }

    /// It said nothing, or nothing that can be read.
    pub(super) fn no_answer(&self, run: &Run, why: Unanswered) -> Failure {
        let Limits { cpu_seconds, wall_seconds, output, messages, .. } = self.limits;
        let what = match (why, run.stopped, run.output.code) {
            (_, Some(Stopped::Time), _) => format!("did not end within {wall_seconds} s"),
            (_, Some(Stopped::Stdout), _) => format!("registered more than {output} bytes"),
            (_, Some(Stopped::Stderr), _) => format!("printed more than {messages} bytes"),
            (Unanswered::Malformed(error), ..) => {
                format!("wrote an answer of its own, which is not valid: {}", plain(&error.to_string(), 200))
            }
            // bubblewrap tells a signal as a shell does; 24 is SIGXCPU, 9 SIGKILL.
            (_, _, Some(152)) => format!("used more than {cpu_seconds} s of processor time"),
            (_, _, Some(137)) => format!(
                "was killed: it used more than {cpu_seconds} s of processor time, or the system had no memory"
            ),
            (_, _, Some(code)) if code > 128 => format!("was ended by signal {}", code - 128),
            (_, _, Some(0)) => "ended before `register(context)` returned".to_owned(),
            (_, _, Some(code)) => format!("ended with exit code {code}, and without an answer"),
            (_, _, None) => "was killed".to_owned(),
        };
        let printed = run.output.stderr.trim();
        let diagnostic = self.wrong(&what).at(self.source.at(0..0), "");
        let diagnostic = if printed.is_empty() {
            diagnostic
        } else {
            let last: Vec<&str> = printed.lines().rev().take(10).collect();
            let last: Vec<String> = last.into_iter().rev().map(|line| self.local(line)).collect();
            diagnostic.note(format!("it printed:\n{}", last.join("\n")))
        };
        self.statically(diagnostic)
    }

    /// Its two runs said two things.
    pub(super) fn differing(&self, first: &Registered, second: &Registered) -> Failure {
        let lines = |registered: &Registered| -> Vec<(usize, String)> {
            let kinds = [("system dependency", &registered.system_dependencies), ("rune", &registered.runes)];
            let told =
                |kind: &str, entry: &Entry| (entry.line, plain(&format!("{kind} {}", entry.value.0), 300));
            kinds
                .iter()
                .flat_map(|(kind, entries)| entries.iter().map(|entry| told(kind, entry)))
                .chain(
                    registered
                        .ignored
                        .iter()
                        .map(|one| (one.line, format!("a call of {}", plain(&one.name, 200)))),
                )
                .collect()
        };
        let (first, second) = (lines(first), lines(second));
        let at = first.iter().zip(&second).take_while(|(one, other)| one == other).count();
        let told = |lines: &[(usize, String)]| {
            lines.get(at).map_or_else(|| "nothing more".to_owned(), |(_, text)| text.clone())
        };
        let line = first.get(at).or(second.get(at)).map_or(0, |(line, _)| *line);
        self.wrong("registered two things in two runs")
            .at(self.line(line), "")
            .note(format!("first: {}\nthen: {}", told(&first), told(&second)))
            .help(
                "what it registers may not depend on time, chance, its place, or the order of a set: sort it",
            )
            .into()
    }

    /// A line of the hook's output with the paths people know.
    fn local(&self, text: &str) -> String {
        let shown = self.source.name().trim_end_matches(FILE);
        let mut text = plain(text, 300);
        for directory in sandbox::directories() {
            text = text.replace(&format!("{directory}/"), shown);
        }
        text
    }
}

/// Outside text for a report: what could move a cursor is escaped, and it ends somewhere.
pub(super) fn plain(text: &str, most: usize) -> String {
    let mut shown: String = text
        .chars()
        .take(most)
        .map(|c| if c == '"' || c == '\'' { c.to_string() } else { c.escape_debug().to_string() })
        .collect();
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_shown_without_its_indent_and_a_wrong_number_is_harmless() {
        let source = Source::new("extensions/a/register.py", "def register(c):\n    c.x()\n");
        let limits = Limits::default();
        let member = "a".parse().unwrap();
        let hook = Hook { member: &member, source: &source, limits: &limits };
        assert_eq!(hook.line(2).to_string(), "extensions/a/register.py:2:5");
        for number in [0, 1, 3, 99, usize::MAX] {
            assert!(hook.line(number).span().end <= source.text().len());
        }
        assert_eq!(hook.manifest(), "extensions/a/pyproject.toml");
        assert_eq!(plain("a\u{1b}[2Jb\n'", 7), "a\\u{1b}[2Jb\\n…");
    }
}
