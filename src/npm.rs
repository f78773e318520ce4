//! One npm workspace of all members that have a `package.json`: staged, locked by our own npm, completed from the
//! registry's metadata, and cut to what a build for this platform installs.
//!
//! Nothing of a member or a dependency is run. npm sees manifests alone, and none of the user's configuration.

mod completion;
mod conflict;
mod flags;
pub mod lock;
mod moves;
mod packages;
mod plan;
pub mod record;
mod registry;
mod run;
mod seed;
mod select;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

pub use completion::{Completion, Completions};
pub use select::{NodeTarget, Selected, select};

use self::{
    lock::{InstallPath, NpmLock},
    plan::Plan,
    record::{Asset, NodeEnvironment},
};
use crate::{
    artifact::Bring,
    codex::{Codex, MirrorUrl},
    crypt::Member,
    diagnostic::{Diagnostic, Failure, Source, refuse_any},
    host::{http::Client, progress::Progress},
    lock::{Change, Mode, Why, names},
    name::{MemberId, Platform},
    tools::node::{self as tools, NodePin},
};

/// The texts of existing locks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locks {
    /// [`names::NPM`].
    pub lock: Option<String>,
    /// [`names::NPM_COMPLETED`]; missing when the lock lacks nothing.
    pub completed: Option<String>,
}

/// What is to be locked, and with what.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The members, core first.
    pub members: &'a [Member],
    /// Policy.
    pub codex: &'a Codex,
    /// What is locked already.
    pub locks: &'a Locks,
    /// What becomes of it.
    pub mode: Mode,
    /// What is installed for.
    pub platform: Platform,
    /// The forge's cache directory.
    pub cache: &'a Path,
    /// `None` when the network must not be used.
    pub client: Option<&'a Client>,
    /// The operator's mirrors of the registry.
    pub mirrors: &'a [MirrorUrl],
    /// Brings Node and npm.
    pub bring: Bring<'a>,
    /// Where progress goes.
    pub progress: &'a dyn Progress,
}

/// The locked workspace.
#[derive(Clone, Debug, PartialEq)]
pub struct Locked {
    /// For the Synthesis.
    pub environment: NodeEnvironment,
    /// The locks it stands on.
    pub locks: Locks,
    /// What moved in them.
    pub moved: Vec<Change>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Locks the npm side of a federation; `None` when no member has a `package.json`.
///
/// # Errors
/// Refused when manifests disagree, no versions fit, something has no hash that can be trusted, or with
/// [`Mode::Locked`] anything would change; unable when npm cannot be run or the registry cannot be asked.
pub fn lock(request: &Request<'_>) -> Result<Option<Locked>, Failure> {
    if request.members.iter().all(|member| member.packages.is_empty()) {
        return Ok(None);
    }
    let plan = Plan::of(request.members)?;
    let mut notes = plan.notes.clone();
    let assets = assets(request.members, &plan)?;
    // npm prefers versions that fit the Node it runs on: the oldest that is used decides.
    let used: BTreeSet<&str> = assets.iter().map(|asset| asset.node.as_str()).collect();
    let pins: Vec<&'static NodePin> = tools::NODES.iter().filter(|pin| used.contains(pin.version)).collect();
    let pin = pins
        .last()
        .copied()
        .or_else(|| tools::choose(None))
        .ok_or_else(|| Failure::unable(Diagnostic::new("this forge pins no Node")))?;

    request.progress.stage("lock", &format!("npm packages of members: {}", plan.projects.len()));
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
        let client = request.client.ok_or_else(|| completion::offline(&asked, wanted))?;
        registry::ask(client, &policy, request.mirrors, wanted, request.progress)
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
    let locks = Locks { lock: Some(text), completed: completions.to_text()? };
    Ok(Some(Locked { environment, locks, moved, notes }))
}

/// What moved when no member has a `package.json` any more: all that the lock had.
#[must_use]
pub fn gone(locks: &Locks) -> Vec<Change> {
    locks.lock.as_deref().map(moves::gone).unwrap_or_default()
}

/// The front ends with the Nodes they are built with.
fn assets(members: &[Member], plan: &Plan<'_>) -> Result<Vec<Asset>, Failure> {
    let mut assets = Vec::new();
    let mut errors = Vec::new();
    for project in &plan.projects {
        let engines = project.package.node.as_ref();
        let Some(pin) = tools::choose(engines.map(|engine| &engine.range)) else {
            let known: Vec<&str> = tools::NODES.iter().map(|pin| pin.version).collect();
            errors.extend(engines.map(|engine| {
                Diagnostic::new(format!("no pinned Node is `{}`", engine.text.escape_debug()))
                    .at(engine.place.clone(), "`engines` wants it")
                    .requested_by(project.member.to_string())
                    .help(format!("this forge has Node {}", known.join(" and ")))
            }));
            continue;
        };
        let member = members.iter().find(|member| member.id == *project.member);
        let Some(of) = member.and_then(|member| member.manifest.lychd.assets.as_ref()) else { continue };
        if of.source.directory() != project.package.directory.as_ref() {
            continue;
        }
        assets.push(Asset {
            member: project.member.clone(),
            member_directory: plan::directory_of(project.member),
            source: of.source.to_string(),
            directory: project.directory.clone(),
            script: of.script.clone(),
            output: of.output.to_string(),
            node: pin.version.to_owned(),
        });
    }
    refuse_any(errors)?;
    Ok(assets)
}

/// Members as messages list them.
fn named(members: Option<&BTreeSet<MemberId>>) -> Vec<String> {
    members.into_iter().flatten().map(ToString::to_string).collect()
}

/// Who reaches what.
type RequestedBy = BTreeMap<InstallPath, BTreeSet<MemberId>>;
