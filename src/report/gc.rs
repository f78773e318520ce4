//! `gc`: what goes.

use std::collections::{BTreeMap, BTreeSet};

use indicatif::HumanBytes;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Digest, Page, Report, bodies::spans};
use crate::{
    binding::manifest::CONFIRMING_DIGITS,
    upkeep::gc::{Sweep, Swept},
};

/// What goes, or went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "gc --json", deny_unknown_fields)]
pub struct Gc {
    /// The hash that `--confirm` takes.
    pub candidate: Digest,
    /// Whether it is gone.
    pub done: bool,
    /// Generations, by number.
    pub generations: BTreeSet<u64>,
    /// Containers that keep images.
    pub containers: BTreeSet<String>,
    /// Snapshots, by number, each with its bytes.
    pub snapshots: BTreeMap<u64, u64>,
    /// Staged candidates.
    pub candidates: Vec<Digest>,
    /// Bodies.
    pub bodies: Vec<Digest>,
    /// Images, as podman calls them.
    pub images: BTreeSet<String>,
    /// Those of them that stay, since a container was made of each.
    pub used: BTreeSet<String>,
    /// Stores of Nix besides the system's that were swept.
    pub stores: BTreeSet<String>,
}

impl Gc {
    /// Of what would go.
    #[must_use]
    pub fn shown(sweep: &Sweep) -> Self {
        Self {
            candidate: Digest(sweep.candidate().sha256()),
            done: false,
            generations: sweep.generations.clone(),
            containers: sweep.keepers.clone(),
            snapshots: sweep.snapshots.clone(),
            candidates: sweep.candidates.iter().map(|id| Digest(id.sha256())).collect(),
            bodies: sweep.bodies.iter().map(|id| Digest(id.sha256())).collect(),
            images: sweep.images.clone(),
            used: BTreeSet::new(),
            stores: BTreeSet::new(),
        }
    }

    /// The same, before a person who is asked.
    #[must_use]
    pub fn asked(sweep: &Sweep) -> Self {
        Self { done: true, ..Self::shown(sweep) }
    }

    /// Of what went.
    #[must_use]
    pub fn done(sweep: &Sweep, Swept { used, stores }: Swept) -> Self {
        Self { done: true, used, stores, ..Self::shown(sweep) }
    }
}

impl Report for Gc {
    fn write(&self, page: &mut Page) {
        let digests = |all: &[Digest]| all.iter().map(|one| one.0.short(12)).collect::<Vec<_>>().join(", ");
        let mut lines: Vec<(&str, String)> = Vec::new();
        if !self.generations.is_empty() {
            lines.push(("generations", spans(&self.generations)));
        }
        for (number, size) in &self.snapshots {
            lines.push(("snapshot", format!("{number} ({})", HumanBytes(*size))));
        }
        if !self.bodies.is_empty() {
            lines.push(("bodies", digests(&self.bodies)));
        }
        if !self.candidates.is_empty() {
            lines.push(("staged", digests(&self.candidates)));
        }
        for image in self.images.difference(&self.used) {
            lines.push(("image", image.clone()));
        }
        if !self.containers.is_empty() {
            lines.push(("containers", format!("{} that keep images", self.containers.len())));
        }
        if lines.is_empty() {
            page.remark("Nothing goes: all that there is is needed by something that is kept.");
            return;
        }
        for (label, text) in lines {
            page.field(label, text);
        }
        for image in &self.used {
            page.field("stays", format!("{image}: a container was made of it"));
        }
        for store in &self.stores {
            page.field("swept", store);
        }
        if !self.done {
            page.field("candidate", self.candidate.0.short(CONFIRMING_DIGITS));
            page.field("next", "nothing was removed: this was a dry run");
        }
    }
}
