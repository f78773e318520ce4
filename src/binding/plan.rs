//! What an inscription would change, as a value: files, and what becomes of services.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use schemars::JsonSchema;
use serde::Serialize;

use super::site::{Found, Sites};
use crate::{
    digest::Sha256,
    runes::{POD_FILE, Rendered, unit::service_of},
    tree::{
        FileTree,
        compare::{FileChange, FileChangeKind, compare},
    },
};

/// What becomes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is new.
    Create,
    /// It is there and differs.
    Replace,
    /// It is ours and no longer wanted.
    Remove,
    /// It is there as it should be.
    Unchanged,
}

impl Action {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Remove => "remove",
            Self::Unchanged => "unchanged",
        }
    }
}

/// A file and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The whole path.
    pub path: PathBuf,
    /// The file's name.
    pub name: String,
    /// What becomes of it.
    pub action: Action,
    /// Of its content afterwards; `None` for one that goes.
    pub sha256: Option<Sha256>,
    /// A unified diff; empty for what is unchanged.
    pub diff: String,
}

/// The whole plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// All files: Quadlet's, plain units, then those that containers read; by name.
    pub steps: Vec<Step>,
    /// Services that are new and start at boot, or with the body's activation.
    pub start: BTreeSet<String>,
    /// Services that are new and start when they are asked for.
    pub on_demand: BTreeSet<String>,
    /// Services whose definition changes: they restart where they run.
    pub restart: BTreeSet<String>,
    /// Services that are there no longer.
    pub stop: BTreeSet<String>,
}

impl Plan {
    /// Whether anything changes.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.steps.iter().any(|step| step.action != Action::Unchanged)
    }
}

/// Holds a rendered set against what is there.
#[must_use]
pub fn plan(rendered: &Rendered, found: &Found, sites: &Sites) -> Plan {
    let mut plan = Plan::default();
    for (new, old, directory) in [
        (&rendered.quadlets, &found.quadlets, &sites.quadlets),
        (&rendered.units, &found.units, &sites.units),
        (&rendered.support, &found.support, &sites.support),
    ] {
        plan.steps.extend(steps(old, new, directory));
    }
    consequences(&mut plan, rendered);
    plan
}

fn steps(old: &FileTree, new: &FileTree, directory: &std::path::Path) -> Vec<Step> {
    let changes: BTreeMap<_, FileChange> =
        compare(old, new).into_iter().map(|change| (change.path.clone(), change)).collect();
    let all: BTreeSet<_> = old.iter().chain(new.iter()).map(|(path, _)| path).collect();
    let step = |path: &&crate::tree::RelativePath| {
        let change = changes.get(*path);
        let action = match change.map(|change| change.kind) {
            None => Action::Unchanged,
            Some(FileChangeKind::Added) => Action::Create,
            Some(FileChangeKind::Changed) => Action::Replace,
            Some(FileChangeKind::Removed) => Action::Remove,
        };
        Step {
            path: directory.join(path.as_str()),
            name: path.to_string(),
            action,
            sha256: new.file(path).map(Sha256::of),
            diff: change.map(|change| change.text.clone()).unwrap_or_default(),
        }
    };
    all.iter().map(step).collect()
}

fn consequences(plan: &mut Plan, rendered: &Rendered) {
    let quadlets: Vec<(String, bool, Action)> = plan
        .steps
        .iter()
        .filter_map(|step| Some((service_of(&step.name)?, step.name == POD_FILE, step.action)))
        .collect();
    let pod_changes = quadlets
        .iter()
        .any(|(_, is_pod, action)| *is_pod && matches!(action, Action::Replace | Action::Remove));
    for (service, _, action) in quadlets {
        let at_boot = rendered.services.get(&service).is_none_or(|service| service.at_boot);
        match action {
            Action::Create if at_boot => plan.start.insert(service),
            Action::Create => plan.on_demand.insert(service),
            Action::Remove => plan.stop.insert(service),
            Action::Replace => plan.restart.insert(service),
            // Every member goes with its pod.
            Action::Unchanged if pod_changes => plan.restart.insert(service),
            Action::Unchanged => false,
        };
    }
    plan.restart.retain(|service| !plan.start.contains(service) && !plan.on_demand.contains(service));
}
