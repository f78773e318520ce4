//! `doctor`: what a host lacks.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Page, Report};
use crate::upkeep::doctor::{Check, Verdict};

/// What a host lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "doctor --json", deny_unknown_fields)]
pub struct Doctor {
    /// Whether nothing is lacking.
    pub fit: bool,
    /// All that was looked at, in the order in which it is needed.
    pub checks: Vec<Checked>,
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Checked {
    /// What.
    pub what: String,
    /// How it is.
    pub verdict: Verdict,
    /// What there is to say.
    pub says: String,
    /// What mends it, in order: commands, or words where no command does.
    pub mend: Vec<String>,
}

impl Doctor {
    /// What is told of checks.
    #[must_use]
    pub fn of(checks: Vec<Check>) -> Self {
        let checked = |Check { what, verdict, says, mend }: Check| Checked {
            what: what.to_owned(),
            verdict,
            says,
            mend,
        };
        Self {
            fit: checks.iter().all(|one| one.verdict != Verdict::Lacking),
            checks: checks.into_iter().map(checked).collect(),
        }
    }
}

impl Report for Doctor {
    fn write(&self, page: &mut Page) {
        let width = self.checks.iter().map(|one| one.what.len()).max().unwrap_or_default();
        for Checked { what, verdict, says, mend } in &self.checks {
            let word = match verdict {
                Verdict::Good => "good",
                Verdict::Poor => "poor",
                Verdict::Lacking => "LACKING",
                Verdict::Unknown => "unknown",
            };
            page.hanging(format!("{word:<7}  {what:<width$}  "), says);
            for one in mend {
                // To be taken as it is.
                page.line(format!("{:<7}  {:<width$}  > {one}", "", ""));
            }
        }
    }
}
