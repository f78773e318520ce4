//! A failure, for machines. People read the same with the lines of the files it is about.

use schemars::JsonSchema;
use serde::Serialize;

use crate::diagnostic::{Diagnostic, Failure, Fault, Place};

/// What `--json` prints when a verb fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "--json of a failure", deny_unknown_fields)]
pub struct Failed {
    /// The exit code: 1 when the input was refused, 2 when something could not be run or checked.
    pub exit_code: u8,
    /// Everything that is wrong, never empty.
    pub errors: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Problem {
    /// What sort of thing it is.
    pub kind: Fault,
    /// What is wrong.
    pub message: String,
    /// The file it is written in, by the name that people are shown; `null` when it is in none.
    pub file: Option<String>,
    /// One-based line in that file.
    pub line: Option<usize>,
    /// One-based column in that line, counted in characters.
    pub column: Option<usize>,
    /// What is said at that place; may be empty.
    pub label: String,
    /// Where else it is written, or what contradicts it.
    pub related: Vec<Site>,
    /// Who asked for it: ids of members, or names of distributions where no member is known.
    pub members: Vec<String>,
    /// What else is known, such as a tool's own words.
    pub notes: Vec<String>,
    /// What can be done about it.
    pub help: Vec<String>,
}

/// A place and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Site {
    /// The file.
    pub file: String,
    /// One-based line.
    pub line: usize,
    /// One-based column, counted in characters.
    pub column: usize,
    /// What is said there; may be empty.
    pub label: String,
}

impl Site {
    fn of((place, label): &(Place, String)) -> Self {
        let (line, column) = place.line_column();
        Self { file: place.source().name().to_owned(), line, column, label: label.clone() }
    }
}

impl From<&Diagnostic> for Problem {
    fn from(diagnostic: &Diagnostic) -> Self {
        let Diagnostic { kind, message, places, requested_by, notes, help } = diagnostic;
        let mut sites = places.iter().map(Site::of);
        let main = sites.next();
        Self {
            kind: *kind,
            message: message.to_string(),
            file: main.as_ref().map(|site| site.file.clone()),
            line: main.as_ref().map(|site| site.line),
            column: main.as_ref().map(|site| site.column),
            label: main.map(|site| site.label).unwrap_or_default(),
            related: sites.collect(),
            members: requested_by.clone(),
            notes: notes.clone(),
            help: help.clone(),
        }
    }
}

impl From<&Failure> for Failed {
    fn from(failure: &Failure) -> Self {
        Self {
            exit_code: failure.exit_code(),
            errors: failure.diagnostics().iter().map(Problem::from).collect(),
        }
    }
}
