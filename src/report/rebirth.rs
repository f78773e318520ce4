//! `rebirth`: what changes with a body, and what became of it.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Bind, Compared, Digest, Page, Report};
use crate::{
    binding::bind::{Intent, Outlook},
    rebirth::{fate::Fate, gate::Changes, steps::Lives},
};

/// What changes with a body, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "rebirth --json", deny_unknown_fields)]
pub struct Rebirth {
    /// What became of it.
    pub outcome: RebirthOutcome,
    /// The generation that was active.
    pub from: u64,
    /// The generation that lives now; `null` where nothing was done.
    pub generation: Option<u64>,
    /// The generation whose body and Codex come back; `null` for another body.
    pub past: Option<u64>,
    /// What becomes of the databases.
    pub databases: Databases,
    /// The snapshot that they get; `null` where they go on.
    pub given: Option<u64>,
    /// The snapshot of what they were; `null` where none was taken.
    pub kept: Option<u64>,
    /// What differs between the bodies; `null` where the active one has no record any more.
    pub compared: Option<Compared>,
    /// What is confirmed: the candidate's hash, or where a past comes back or nothing is kept, one that covers that as well.
    pub confirm: Digest,
    /// The candidate and its plan.
    pub plan: Bind,
    /// What became of the Codex, for people; the notes of the plan have it too.
    #[serde(skip)]
    pub told: Vec<String>,
    /// What may come next, for people.
    #[serde(skip)]
    pub next: &'static str,
}

/// What became of a rebirth. What did not live is a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RebirthOutcome {
    /// It was only shown.
    Shown,
    /// It lives already.
    Unchanged,
    /// It lives.
    Lives,
}

/// What becomes of the databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Databases {
    /// They go on as they are.
    Stay,
    /// They are kept as a snapshot, and then migrated.
    Kept,
    /// They are migrated, and nothing could bring them back.
    Unkept,
    /// They get a past back, and what they were is kept.
    Given,
}

impl Rebirth {
    /// What is told of what is only shown; `diff` says whether every line is.
    #[must_use]
    pub fn dry_run(changes: &Changes, diff: bool) -> Self {
        let outlook = Outlook { intent: Intent::Inscribe, widens: changes.widens.clone() };
        let (databases, given) = match &changes.fate {
            Fate::Stays => (Databases::Stay, None),
            Fate::Kept => (Databases::Kept, None),
            Fate::Unkept => (Databases::Unkept, None),
            Fate::Given(snapshot) => (Databases::Given, Some(snapshot.number)),
        };
        Self {
            outcome: RebirthOutcome::Shown,
            from: changes.active.number,
            generation: None,
            past: changes.past,
            databases,
            given,
            kept: None,
            compared: changes.compared.as_ref().map(Compared::of),
            confirm: Digest(changes.confirmed().sha256()),
            plan: Bind::dry_run(&changes.proposal, &outlook, diff),
            told: Vec::new(),
            next: "nothing was done: this was a dry run",
        }
    }

    /// What is shown before the word.
    #[must_use]
    pub fn asked(changes: &Changes, diff: bool) -> Self {
        Self { next: "", ..Self::dry_run(changes, diff) }
    }

    /// What is told of one that lives already.
    #[must_use]
    pub fn unchanged(changes: &Changes) -> Self {
        Self { outcome: RebirthOutcome::Unchanged, ..Self::dry_run(changes, false) }
    }

    /// The same once it lives.
    #[must_use]
    pub fn lives(self, lives: &Lives, notes: Vec<String>) -> Self {
        let codex = lives.codex.told(self.past.unwrap_or(lives.generation), self.from);
        let mut plan = Bind { dry_run: false, reloaded: true, ..self.plan };
        plan.generation = Some(lives.generation);
        plan.notes.extend(notes.into_iter().chain(codex.iter().cloned()));
        let (generation, kept) = (Some(lives.generation), lives.kept);
        Self { outcome: RebirthOutcome::Lives, generation, kept, plan, told: codex, ..self }
    }

    fn told_of_databases(&self) -> Option<String> {
        match (self.databases, self.given, self.kept) {
            (Databases::Stay, ..) => None,
            (Databases::Kept, _, None) => Some("kept as a snapshot before the migration".to_owned()),
            (Databases::Kept, _, Some(kept)) => Some(format!("migrated; what they were is snapshot {kept}")),
            (Databases::Unkept, ..) => Some("without a snapshot: nothing brings them back".to_owned()),
            (Databases::Given, given, kept) => {
                let given =
                    given.map_or_else(|| "a snapshot".to_owned(), |given| format!("snapshot {given}"));
                Some(match kept {
                    Some(kept) => format!("as in {given}; what they held since is snapshot {kept}"),
                    None => format!("back to {given}: what they hold since is kept, and not there"),
                })
            }
        }
    }
}

impl Report for Rebirth {
    fn write(&self, page: &mut Page) {
        if self.outcome == RebirthOutcome::Unchanged {
            page.field("lives", format!("generation {} is of this body and this Codex already", self.from));
            return;
        }
        if self.outcome == RebirthOutcome::Lives {
            let number = self.generation.unwrap_or_default();
            page.field("lives", format!("generation {number}, after {}", self.from));
        } else {
            for line in &self.plan.widens {
                page.field("asked", line.as_str());
            }
            if let Some(past) = self.past {
                page.field("back to", format!("generation {past}, from {}", self.from));
            }
        }
        if let Some(told) = self.told_of_databases() {
            page.field("databases", told);
        }
        if self.outcome == RebirthOutcome::Lives {
            for line in &self.told {
                page.field("codex", line.as_str());
            }
            page.field("body", self.plan.body.to_string());
            page.field("next", "lychd-forge rebirth --rollback goes back");
            return;
        }
        if let Some(compared) = &self.compared {
            compared.write(page);
        }
        self.plan.write_plan(page);
        page.field("candidate", self.plan.candidate.to_string());
        if self.confirm != self.plan.candidate {
            page.field("confirm", self.confirm.to_string());
        }
        if !self.next.is_empty() {
            page.field("next", self.next);
        }
    }
}
