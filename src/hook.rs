//! `register.py`: a member's own code that adds to what its manifest asks for.
//!
//! It runs in a sandbox, twice. What it says is data like a manifest's: read strictly, judged by the same
//! validators, and known by its line in the hook.

mod answer;
mod failing;
mod filter;
mod limits;
pub mod record;
mod registration;
mod sandbox;

pub use self::record::Limits;
use answer::Answer;
use failing::Hook;
pub use registration::Registration;
pub use sandbox::Sandbox;

use crate::{
    crypt::Member,
    diagnostic::{Diagnostic, Failure, Source},
    digest::Sha256,
    document,
    name::MemberId,
    tree::{Entry, FileTree, relative_path},
};

/// The hook's file, beside the manifest.
pub const FILE: &str = "register.py";
/// Changes when what a hook may see or do changes, besides the files of the engine.
const ENGINE: &str = "1";
const RUN: &str = include_str!("hook/engine/run.py");
const PACKAGE: &str = include_str!("hook/engine/lychd_forge/__init__.py");

/// The hook of a member, when it has one that is the forge's to run.
#[must_use]
pub fn of(member: &Member) -> Option<&Entry> {
    if member.manifest.lychd.leaves_hook {
        return None;
    }
    member.source.tree.get(&FILE.parse().ok()?)
}

/// How a member's hook is shown.
#[must_use]
pub fn shown(member: &MemberId) -> String {
    if member.is_core() { format!("core/{FILE}") } else { format!("extensions/{member}/{FILE}") }
}

/// What is bound into the sandbox besides the member.
fn engine() -> FileTree {
    let mut tree = FileTree::new();
    tree.insert_text(relative_path!("run.py"), RUN);
    tree.insert_text(relative_path!("lychd_forge/__init__.py"), PACKAGE);
    tree
}

/// The sandbox as the Synthesis records it. The version of bubblewrap is the host's and no part of it: equal
/// inputs give an equal Synthesis everywhere.
fn recorded() -> record::HookEngine {
    record::HookEngine {
        name: "bubblewrap".to_owned(),
        version: ENGINE.to_owned(),
        sha256: Sha256::of(format!("{RUN}\0{PACKAGE}")),
    }
}

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
