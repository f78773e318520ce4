//! `register.py`: a member's own code that adds to what its manifest asks for.
//!
//! It runs in a sandbox, twice. What it says is data like a manifest's: read strictly, judged by the same
//! validators, and known by its line in the hook.

mod answer;
mod engine;
mod failing;
mod file;
mod filter;
mod limits;
pub mod record;
mod registration;
mod sandbox;

use self::{answer::Answer, failing::Hook};
pub use self::{
    file::{of, shown},
    record::Limits,
    registration::Registration,
    sandbox::Sandbox,
};

use crate::{
    crypt::Member,
    diagnostic::{Diagnostic, Failure, Source},
    digest::Sha256,
    document,
    name::MemberId,
    tree::Entry,
};

/// Runs the hook of one member twice and takes what it registered.
///
/// # Errors
/// Refused when the hook cannot be imported, fails, goes beyond a limit, says two things, or registers what is
/// not valid; unable when the sandbox cannot be set up.
pub fn run(member: &Member, entry: &Entry, sandbox: &Sandbox<'_>) -> Result<Registration, Failure> {
    let name = shown(&member.id);
    let Entry::File { bytes, .. } = entry else {
        return Err(Diagnostic::new(format!("`{name}` is a symbolic link"))
            .requested_by(member.id.to_string())
            .help("put the hook itself there")
            .into());
    };
    let source: Source =
        document::source(&name, bytes.to_vec()).map_err(|failure| asked(failure, &member.id))?;
    let hook = Hook { member: &member.id, source: &source, limits: sandbox.limits() };
    let runs = sandbox.run_twice(&member.id, &member.source.tree)?;
    let mut answers = Vec::new();
    for run in runs {
        answers.push(answer::read(&run).map_err(|unanswered| hook.no_answer(&run, unanswered))?);
    }
    let registered: Vec<answer::Registered> = answers
        .into_iter()
        .map(|answer| match answer {
            Answer::Registered(registered) => Ok(registered),
            Answer::Failed(failed) => Err(hook.failed(&failed)),
        })
        .collect::<Result<_, _>>()?;
    let [first, second] = registered.as_slice() else {
        return Err(Failure::unable(Diagnostic::new(format!("`{name}` did not run twice"))));
    };
    if first != second {
        return Err(hook.differing(first, second));
    }
    registration::read(&hook, first, Sha256::of(bytes))
}

fn asked(failure: Failure, member: &MemberId) -> Failure {
    let Failure::Refused(mut all) = failure else { return failure };
    for diagnostic in &mut all {
        diagnostic.requested_by.push(member.to_string());
    }
    Failure::Refused(all)
}
