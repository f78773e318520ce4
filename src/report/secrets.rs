//! `secrets`: which are asked for, and what became of one.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Page, Report};
use crate::upkeep::secrets::{Asked, Changed};

/// The secrets that are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "secrets --json", deny_unknown_fields)]
pub struct Secrets {
    /// By name.
    pub secrets: Vec<SecretAsked>,
}

/// A secret that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SecretAsked {
    /// Its name.
    pub secret: String,
    /// Whether podman has it.
    pub there: bool,
    /// The services that get it, by what is inscribed.
    pub services: BTreeSet<String>,
    /// Those that would get it by what is staged alone.
    pub staged: BTreeSet<String>,
    /// Those that run with what it was before.
    pub older: BTreeSet<String>,
    /// What to type, where something is to be done.
    pub mend: Option<String>,
}

impl Secrets {
    /// What is told of them.
    #[must_use]
    pub fn of(all: &BTreeMap<String, Asked>) -> Self {
        let told = |(name, asked): (&String, &Asked)| SecretAsked {
            secret: name.clone(),
            there: asked.is_there,
            services: asked.users.clone(),
            staged: asked.staged.clone(),
            older: asked.older.clone(),
            mend: mend(name, asked),
        };
        Self { secrets: all.iter().map(told).collect() }
    }

    /// Whether podman has all of them.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.secrets.iter().all(|one| one.there)
    }
}

fn mend(name: &str, asked: &Asked) -> Option<String> {
    match (asked.is_there, asked.older.is_empty()) {
        (false, _) if asked.users.is_empty() || !asked.is_password => {
            Some(format!("lychd-forge secrets set {name}"))
        }
        (true, true) => None,
        _ if asked.is_password => Some(format!("lychd-forge secrets rotate {name}")),
        _ => Some(restart(&asked.older)),
    }
}

fn restart(services: &BTreeSet<String>) -> String {
    let names: Vec<String> = services.iter().map(|name| format!("{name}.service")).collect();
    format!("systemctl --user restart {}", names.join(" "))
}

fn list(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

impl Report for Secrets {
    fn write(&self, page: &mut Page) {
        if self.secrets.is_empty() {
            page.remark("Nothing that is inscribed or staged asks for a secret.");
            return;
        }
        let width =
            self.secrets.iter().map(|one| one.secret.len()).max().unwrap_or_default().max("SECRET".len());
        page.line(format!("{:<width$}  {:<7}  FOR", "SECRET", "PODMAN"));
        for one in &self.secrets {
            let there = if one.there { "has it" } else { "LACKS" };
            let staged =
                if one.staged.is_empty() { String::new() } else { format!("{} (staged)", list(&one.staged)) };
            let users: Vec<String> =
                [list(&one.services), staged].into_iter().filter(|text| !text.is_empty()).collect();
            page.hanging(format!("{:<width$}  {there:<7}  ", one.secret), users.join(", "));
        }
        for one in &self.secrets {
            if let Some(mend) = &one.mend {
                page.field("mend", mend);
            }
        }
    }
}

/// A secret that has another value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "secrets set --json", deny_unknown_fields)]
pub struct SecretSet {
    /// Its name.
    pub secret: String,
    /// The services that get it, by what is inscribed or staged.
    pub services: BTreeSet<String>,
    /// Those that run with what it was before.
    pub older: BTreeSet<String>,
}

impl SecretSet {
    /// What is told of a change.
    #[must_use]
    pub fn of(Changed { name, users, older }: Changed) -> Self {
        Self { secret: name, services: users, older }
    }
}

impl Report for SecretSet {
    fn write(&self, page: &mut Page) {
        page.field("secret", format!("podman has {}", self.secret));
        if self.services.is_empty() {
            page.field("note", "nothing that is inscribed or staged asks for it");
        } else {
            page.field("for", list(&self.services));
        }
        if !self.older.is_empty() {
            page.field("next", restart(&self.older));
        }
    }
}
