//! One way to say what went wrong: what, where, who asked for it, what to do.
//!
//! Low-level parsers return small `thiserror` enums; a stage turns them into [`Diagnostic`]s, which
//! know file and span, and returns them as a [`Failure`], which knows the exit code.

use std::{fmt, ops::Range, sync::Arc};

use schemars::JsonSchema;
use serde::Serialize;

/// A word of a command that people are told to type, as a shell reads it back.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// A text that was read, with the name it is shown by. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    name: Arc<str>,
    text: Arc<str>,
}

impl Source {
    /// `name` is what the user sees: a path relative to the Codex, the Crypt or the working directory.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// The name shown to the user.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A place in this text; `span` counts bytes, is clamped to the text and widened to whole characters.
    #[must_use]
    pub fn at(&self, span: Range<usize>) -> Place {
        let end = self.text.ceil_char_boundary(span.end.min(self.text.len()));
        let start = self.text.floor_char_boundary(span.start.min(end));
        Place { source: self.clone(), start, end }
    }
}

/// A span of bytes in a [`Source`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    source: Source,
    start: usize,
    end: usize,
}

impl Place {
    /// The text this place is in.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Byte range within the text.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.start..self.end
    }

    /// One-based line and column; columns count characters.
    #[must_use]
    pub fn line_column(&self) -> (usize, usize) {
        let before = self.source.text.get(..self.start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count();
        (before.matches('\n').count() + 1, column + 1)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_column();
        write!(formatter, "{}:{line}:{column}", self.source.name)
    }
}

/// What sort of thing went wrong: code decides on it and machines read it; the message is for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Nothing that has a name of its own.
    #[default]
    General,
    /// What is written in a file is wrong, at the place that is told.
    Input,
    /// The command line is wrong.
    Usage,
    /// A file or directory that cannot be read or written.
    File,
    /// A program that is missing or too old.
    Program,
    /// A download that could not be had.
    Network,
    /// Something needs the network, and `--offline` forbids it.
    Offline,
    /// A download or source that has another hash than is pinned.
    Hash,
    /// With `--locked`: a lock is missing, or would change.
    LockChanged,
    /// Requirements that cannot be met together, or by anything.
    Conflict,
    /// A Python package without a wheel, which nobody allowed to be built.
    NoWheel,
    /// A build that ran and failed.
    Build,
    /// There is no body, or none that is called so.
    NoBody,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostic {
    /// What sort of thing it is.
    pub kind: Fault,
    /// What is wrong: lower case, no full stop, understandable alone.
    pub message: Box<str>,
    /// Where it was written, each with what to say there; the first is the main one.
    pub places: Vec<(Place, String)>,
    /// The members (`core`, an extension's id) that asked for the thing.
    pub requested_by: Vec<String>,
    /// What else is known, such as a tool's own words; a note may have several lines.
    pub notes: Vec<String>,
    /// What the user can do about it.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A diagnostic without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into().into_boxed_str(), ..Self::default() }
    }

    /// Says what sort of thing it is.
    #[must_use]
    pub fn of_kind(mut self, kind: Fault) -> Self {
        self.kind = kind;
        self
    }

    /// Adds a place and what to say at it (may be empty). What has a place is [`Fault::Input`] unless it is said to be
    /// something else.
    #[must_use]
    pub fn at(mut self, place: Place, label: impl Into<String>) -> Self {
        if self.kind == Fault::General {
            self.kind = Fault::Input;
        }
        self.places.push((place, label.into()));
        self
    }

    /// Adds a member that asked for it.
    #[must_use]
    pub fn requested_by(mut self, member: impl Into<String>) -> Self {
        self.requested_by.push(member.into());
        self
    }

    /// Adds something that is known about it.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds something the user can do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.message)?;
        for (place, label) in &self.places {
            write!(formatter, "\n  at {place}")?;
            if !label.is_empty() {
                write!(formatter, ": {label}")?;
            }
        }
        if !self.requested_by.is_empty() {
            write!(formatter, "\n  requested by {}", self.requested_by.join(", "))?;
        }
        for note in &self.notes {
            write!(formatter, "\n  note: {}", note.replace('\n', "\n    "))?;
        }
        for help in &self.help {
            write!(formatter, "\n  help: {help}")?;
        }
        Ok(())
    }
}

/// Why a stage did not give its value. The kind decides the exit code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The input is wrong, refused or differs: exit code 1. All that is wrong, never empty.
    #[error("{}", join(.0))]
    Refused(Vec<Diagnostic>),
    /// It could not be run or could not be checked (a missing tool, no network): exit code 2.
    #[error("{0}")]
    Unable(Box<Diagnostic>),
}

fn join(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl Failure {
    /// Exit code 2 with this reason.
    #[must_use]
    pub fn unable(diagnostic: Diagnostic) -> Self {
        Self::Unable(Box::new(diagnostic))
    }

    /// The exit code of the command line contract.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Unable(_) => 2,
        }
    }

    /// Whether something of this sort is among what went wrong.
    #[must_use]
    pub fn is(&self, kind: Fault) -> bool {
        self.diagnostics().iter().any(|one| one.kind == kind)
    }

    /// All diagnostics.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Self::Refused(all) => all,
            Self::Unable(one) => std::slice::from_ref(one),
        }
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Refused(vec![diagnostic])
    }
}

/// Turns collected diagnostics into a result: refused when there are any.
///
/// # Errors
/// [`Failure::Refused`] with all of them.
pub fn refuse_any(diagnostics: Vec<Diagnostic>) -> Result<(), Failure> {
    if diagnostics.is_empty() { Ok(()) } else { Err(Failure::Refused(diagnostics)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let source = Source::new("lychd.toml", "a = 1\nß = 2\n");
        assert_eq!(source.at(9..10).to_string(), "lychd.toml:2:3");
        assert_eq!(source.at(0..1).to_string(), "lychd.toml:1:1");
        assert_eq!(source.at(500..900).to_string(), "lychd.toml:3:1");
        // Parsers that count bytes may point into a character.
        assert_eq!(
            (source.at(6..7).span(), source.at(7..8).span(), source.at(7..7).span()),
            (6..8, 6..8, 6..8)
        );
    }
}
