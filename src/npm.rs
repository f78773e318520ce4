//! One npm workspace of all members that have a `package.json`: staged, locked by our own npm, completed from the
//! registry's metadata, and cut to what a build for this platform installs.
//!
//! Nothing of a member or a dependency is run. npm sees manifests alone, and none of the user's configuration.

mod assets;
mod completion;
mod conflict;
mod flags;
pub mod lock;
mod moves;
mod packages;
mod plan;
pub mod record;
mod registry;
mod request;
mod requested_by;
mod run;
mod seed;
mod select;
mod wire;

use std::collections::BTreeSet;

pub use self::{
    completion::{Completion, Completions},
    request::{Locked, Locks, Request},
    select::{NodeTarget, Selected, select},
    wire::flattened,
};

use self::{lock::NpmLock, plan::Plan, record::NodeEnvironment};
use crate::{
    artifact::Effects,
    diagnostic::{Diagnostic, Failure, Source},
    lock::{Change, Mode, Why, names},
    tools::node::{self as tools, NodePin},
};

/// Locks the npm side of a federation; `None` when no member has a `package.json`.
///
/// # Errors
/// Refused when manifests disagree, no versions fit, something has no hash that can be trusted, or with
/// [`Mode::Locked`] anything would change; unable when npm cannot be run or the registry cannot be asked.
pub fn lock(request: &Request<'_>) -> Result<Option<Locked>, Failure> {
    if request.members.iter().all(|member| member.packages.is_empty()) {
        return Ok(None);
    }
    let Effects { client, progress, .. } = *request.effects;
    let plan = Plan::of(request.members)?;
    let mut notes = plan.notes.clone();
    let assets = assets::of(request.members, &plan)?;
    // npm prefers versions that fit the Node it runs on: the oldest that is used decides.
    let used: BTreeSet<&str> = assets.iter().map(|asset| asset.node.as_str()).collect();
    let pins: Vec<&'static NodePin> = tools::NODES.iter().filter(|pin| used.contains(pin.version)).collect();
    let pin = pins
        .last()
        .copied()
        .or_else(|| tools::choose(None))
        .ok_or_else(|| Failure::unable(Diagnostic::new("this forge pins no Node")))?;

    progress.stage("lock", &format!("npm packages of members: {}", plan.projects.len()));
    let old = request.locks.lock.as_deref();
    let seed = match (old, request.mode) {
        (None, Mode::Keep) => seed::of(&plan, request.members.iter().find(|member| member.id.is_core()))?,
        _ => None,
    };
    let text = run::lock(request, &plan, pin, seed.as_ref().map(|seed| seed.text.as_str()))?;
    let lock = NpmLock::read(&Source::new(names::SHOWN_NPM, text.as_str()))?;
    notes.extend(lock.notes.iter().cloned());
    let moved = moves::between(old, &lock, Why::moved(request.mode == Mode::Update));
    notes.extend(seed.iter().flat_map(|seed| seed.notes(&lock)));

    let roots = plan.roots();
    let target = NodeTarget::new(request.platform, pin.version)?;
    let selected = select(&lock, &roots, &target)?;
    let policy = request.codex.policy.host_policy();
    let asked = completion::Asked {
        lock: &lock,
        requested_by: &selected.requested_by,
        record: request.locks.completed.as_deref(),
        locked: request.mode == Mode::Locked,
    };
    let completions = completion::complete(&asked, &|wanted| {
        let client = client.ok_or_else(|| completion::offline(&asked, wanted))?;
        registry::ask(client, &policy, request.mirrors(), wanted, progress)
    })?;
    let made = packages::Packages {
        lock: &lock,
        selected: &selected,
        completions: &completions,
        policy: &policy,
        allow_scripts: &request.codex.policy.allow_scripts,
        plan: &plan,
    }
    .make()?;
    notes.extend(made.notes);
    let runtimes = pins.iter().rev().map(|pin| pin.tool(request.platform)).collect::<Result<_, _>>()?;
    let environment = NodeEnvironment {
        packages: made.packages,
        bundled: made.bundled,
        links: made.links,
        assets,
        runtimes,
        npm: tools::npm()?,
    };
    let locks = Locks { lock: Some(text), completed: completions.to_text() };
    Ok(Some(Locked { environment, locks, moved, notes }))
}

/// What moved when no member has a `package.json` any more: all that the lock had.
#[must_use]
pub fn gone(locks: &Locks) -> Vec<Change> {
    locks.lock.as_deref().map(moves::gone).unwrap_or_default()
}
