//! `snapshots`: what the databases were.

use indicatif::HumanBytes;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Digest, Page, Report};
use crate::{
    binding::manifest::CONFIRMING_DIGITS,
    rebirth::{
        ascension,
        past::{Crypt, Past},
        snapshots,
        snapshots::Kind,
    },
};

/// Snapshots of the databases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "snapshots --json", deny_unknown_fields)]
pub struct Snapshots {
    /// The oldest first.
    pub snapshots: Vec<Told>,
}

/// A snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Told {
    /// Its number.
    pub snapshot: u64,
    /// Why it was taken.
    pub kind: Kind,
    /// The generation that was active.
    pub generation: u64,
    /// What is confirmed to give it back: sha256 of its record.
    pub candidate: Digest,
    /// The server's version.
    pub version: String,
    /// Bytes of its dumps.
    pub size: u64,
    /// The databases.
    pub databases: Vec<String>,
    /// Rows of all tables.
    pub rows: u64,
}

impl Snapshots {
    /// What is told of them.
    #[must_use]
    pub fn of(all: &[snapshots::Snapshot]) -> Self {
        let told = |one: &snapshots::Snapshot| Told {
            snapshot: one.number,
            kind: one.kind,
            generation: one.generation,
            candidate: Digest(Past::candidate(one).sha256()),
            version: one.version.clone(),
            size: one.size(),
            databases: one.databases.iter().map(|one| one.name.clone()).collect(),
            rows: one.rows().values().sum(),
        };
        Self { snapshots: all.iter().map(told).collect() }
    }
}

impl Report for Snapshots {
    fn write(&self, page: &mut Page) {
        if self.snapshots.is_empty() {
            page.remark("No snapshot was taken yet: `lychd-forge snapshots take` takes one.");
            return;
        }
        page.line("SNAPSHOT  WHAT       GENERATION        SIZE        ROWS  HASH          DATABASES");
        for one in &self.snapshots {
            let kind = match one.kind {
                Kind::Departure => "departure",
                Kind::Left => "left",
                Kind::Taken => "taken",
            };
            page.line(format!(
                "{:>8}  {kind:<9}  {:>10}  {:>10}  {:>10}  {}  {}",
                one.snapshot,
                one.generation,
                HumanBytes(one.size).to_string(),
                one.rows,
                one.candidate.0.short(CONFIRMING_DIGITS),
                one.databases.join(", ")
            ));
        }
    }
}

/// How a Crypt comes to lie on btrfs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "snapshots ascension --json", deny_unknown_fields)]
pub struct Ascension {
    /// Whether it does already.
    pub immortal: bool,
    /// What is typed, in order, each a line of a shell.
    pub commands: Vec<String>,
    /// What is left to do once the organism lives there.
    pub afterwards: String,
}

impl Ascension {
    /// Of a Crypt.
    #[must_use]
    pub fn of(crypt: &Crypt) -> Self {
        Self {
            immortal: crypt.is_immortal,
            commands: ascension::commands(&crypt.directory, crypt.free),
            afterwards: ascension::afterwards(&crypt.directory),
        }
    }
}

impl Report for Ascension {
    fn write(&self, page: &mut Page) {
        if self.immortal {
            page.field("crypt", "it lies on btrfs: a new database is a subvolume there");
            return;
        }
        page.remark("The Crypt moves into a file beside it, which is mounted in its place. As the user of the organism:");
        for command in &self.commands {
            page.line(command.as_str());
        }
        page.remark("And once it lives there:");
        page.line(self.afterwards.as_str());
    }
}
