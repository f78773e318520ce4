//! How a verb that ran ended.

use std::process::ExitCode;

/// How a verb that ran ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Done, or equal.
    Done,
    /// A check found a difference.
    Differs,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => ExitCode::SUCCESS,
            Outcome::Differs => ExitCode::from(1),
        }
    }
}
