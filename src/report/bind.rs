//! `bind`: the plan of an inscription.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Digest, Page, Report};
use crate::{
    binding::{
        Proposal,
        bind::{Done, Intent, Outlook, Prepared},
        candidate::Candidate,
        judge::Origin,
        manifest::CONFIRMING_DIGITS,
        plan::Action,
    },
    digest::Sha256,
    runes::{MountUse, PREFIX},
};

/// What an inscription would change, and what its units may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "bind --json", deny_unknown_fields)]
pub struct Bind {
    /// The ID of the body.
    pub body: Digest,
    /// Its image, as the units name it.
    pub image_id: String,
    /// sha256 of all that the inscription is made of: what is confirmed.
    pub candidate: Digest,
    /// The number of the inscription; `null` for one that is only shown or staged.
    pub generation: Option<u64>,
    /// What becomes, or became, of the candidate.
    pub outcome: BindOutcome,
    /// What a human consents to that was not there before, a line each.
    pub widens: Vec<String>,
    /// Where a candidate is staged.
    pub staged: Option<PathBuf>,
    /// Services that were started or restarted, and run.
    pub running: BTreeSet<String>,
    /// Whether this only shows what would be done.
    pub dry_run: bool,
    /// Whether systemd was told.
    pub reloaded: bool,
    /// The podman that the units are written for.
    pub podman: String,
    /// All files.
    pub units: Vec<UnitFile>,
    /// Services that are new and start at boot, or with the body's activation.
    pub start: BTreeSet<String>,
    /// Services that are new and start when they are asked for.
    pub on_demand: BTreeSet<String>,
    /// Services whose definition changes.
    pub restart: BTreeSet<String>,
    /// Services that are there no longer.
    pub stop: BTreeSet<String>,
    /// Images besides the body's.
    pub images: Vec<Image>,
    /// What containers see of the host.
    pub mounts: Vec<Mount>,
    /// What services may do beyond the hardened default.
    pub grants: Vec<Grant>,
    /// The secrets that podman must have, each with the services that get it.
    pub secrets: BTreeMap<String, BTreeSet<String>>,
    /// What the host publishes on its loopback.
    pub ports: Vec<Port>,
    /// Who judged the units.
    pub validated: Validated,
    /// What else to know, a line each.
    pub notes: Vec<String>,
    /// What may come next, for people.
    #[serde(skip)]
    pub next: String,
}

/// What becomes of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BindOutcome {
    /// It lies there already.
    Unchanged,
    /// It is kept where systemd does not find it.
    Staged,
    /// systemd has loaded it.
    Inscribed,
}

/// A file and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct UnitFile {
    /// The whole path.
    pub path: PathBuf,
    /// What becomes of it.
    pub action: Action,
    /// Of its content afterwards; `null` for one that goes.
    pub sha256: Option<Sha256>,
    /// A unified diff, empty for what is unchanged; with `--diff` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// An image that a service runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Image {
    /// The service, without suffix.
    pub service: String,
    /// The image.
    pub image: String,
    /// Whether it is a tag, which `[policy] allow-tags` admits.
    pub floating: bool,
}

/// A mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Mount {
    /// The service, without suffix.
    pub service: String,
    /// `host:container:options`.
    pub mount: String,
    /// The member that brings the service; `null` of what is LychD's or the Codex's.
    pub member: Option<String>,
    /// Whether the mount changes what is there: what is written stays, or everything gets another owner (`U`).
    pub writable: bool,
}

/// Something a service may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Grant {
    /// The service, without suffix.
    pub service: String,
    /// What.
    pub what: String,
}

/// A published port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Port {
    /// On the host's loopback.
    pub host: u16,
    /// In the pod.
    pub pod: u16,
}

/// The programs that judged the units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Validated {
    /// Version of podman's generator.
    pub podman: String,
    /// Whose it is.
    pub podman_is: Origin,
    /// Version of systemd.
    pub systemd: String,
    /// Whose it is.
    pub systemd_is: Origin,
}

impl Validated {
    fn of(candidate: &Candidate) -> Self {
        let (podman, podman_is) = candidate.judged_by_podman;
        let (systemd, systemd_is) = &candidate.judged_by_systemd;
        Self { podman: podman.to_string(), podman_is, systemd: systemd.clone(), systemd_is: *systemd_is }
    }
}

impl Bind {
    /// What is told of units that are only shown; `diff` says whether every line is.
    #[must_use]
    pub fn dry_run(proposal: &Proposal, outlook: &Outlook, diff: bool) -> Self {
        let next = match outlook.intent {
            Intent::Nothing => "nothing was written: this was a dry run, and nothing would change",
            Intent::Stage => "nothing was written: this was a dry run. The candidate would be staged",
            Intent::Inscribe => "nothing was written: this was a dry run. The candidate would be inscribed",
        };
        Self { dry_run: true, ..Self::of(proposal, outlook, diff, next.to_owned()) }
    }

    /// What is told of what was done; `command` makes words a command line of the forge.
    #[must_use]
    pub fn done(prepared: &Prepared, done: &Done, command: impl Fn(&str) -> String) -> Self {
        let next = match done {
            Done::Nothing => "nothing changed".to_owned(),
            Done::Staged(_) if prepared.is_first() => {
                let body = prepared.proposal.record.body.id().short(CONFIRMING_DIGITS);
                let command = command(&format!("bind --first --body {body}"));
                format!("nothing of it runs before it is activated: {command}")
            }
            Done::Staged(_) => {
                format!("nothing of it runs before it is confirmed: {}", command("rebirth --dry-run"))
            }
            Done::Inscribed { activated, .. } if activated.running.is_empty() => {
                let plan = &prepared.proposal.candidate.plan;
                let waiting: Vec<&str> = plan.start.iter().chain(&plan.restart).map(String::as_str).collect();
                match waiting.as_slice() {
                    [] => "nothing that runs has changed".to_owned(),
                    some => format!(
                        "systemctl --user restart {}; else they change at their next start, by a crash or a boot as well",
                        some.join(" ")
                    ),
                }
            }
            Done::Inscribed { .. } => "systemctl --user status lychd-vessel".to_owned(),
        };
        let mut told = Self::of(&prepared.proposal, &prepared.outlook, false, next);
        let recovered = prepared.recovered.iter().cloned();
        told.notes = recovered.chain(told.notes).chain(prepared.notes.iter().cloned()).collect();
        match done {
            Done::Nothing => {}
            Done::Staged(place) => told.staged = Some(place.clone()),
            Done::Inscribed { generation, activated } => {
                told.generation = Some(generation.number);
                told.reloaded = true;
                told.running.clone_from(&activated.running);
            }
        }
        told
    }

    fn of(proposal: &Proposal, outlook: &Outlook, diff: bool, next: String) -> Self {
        let Proposal { record, image, candidate, notes, .. } = proposal;
        let Candidate { rendered, plan, podman, .. } = candidate;
        let units = plan.steps.iter().map(|step| UnitFile {
            path: step.path.clone(),
            action: step.action,
            sha256: step.sha256,
            diff: diff.then(|| step.diff.clone()),
        });
        let images = rendered.images.iter().map(|image| Image {
            service: image.service.clone(),
            image: image.image.clone(),
            floating: image.floating,
        });
        let mount = |one: &MountUse| {
            let MountUse { service, member, mount, writable } = one.clone();
            Mount { service, mount, member, writable }
        };
        let grants = rendered.grants.iter();
        let secrets = rendered.secrets.iter();
        Self {
            body: Digest(record.body.id().sha256()),
            image_id: image.reference(),
            candidate: Digest(candidate.manifest.id().sha256()),
            generation: None,
            outcome: match outlook.intent {
                Intent::Nothing => BindOutcome::Unchanged,
                Intent::Stage => BindOutcome::Staged,
                Intent::Inscribe => BindOutcome::Inscribed,
            },
            widens: if outlook.intent == Intent::Inscribe { outlook.widens.clone() } else { Vec::new() },
            staged: None,
            running: BTreeSet::new(),
            next,
            dry_run: false,
            reloaded: false,
            podman: podman.to_string(),
            units: units.collect(),
            start: plan.start.clone(),
            on_demand: plan.on_demand.clone(),
            restart: plan.restart.clone(),
            stop: plan.stop.clone(),
            images: images.collect(),
            mounts: rendered.mounts.iter().map(mount).collect(),
            grants: grants
                .map(|one| Grant { service: one.service.clone(), what: one.what.clone() })
                .collect(),
            secrets: secrets.map(|(secret, services)| (secret.to_string(), services.clone())).collect(),
            ports: rendered.ports.iter().map(|&(host, pod)| Port { host, pod }).collect(),
            validated: Validated::of(candidate),
            notes: notes.clone(),
        }
    }

    fn count(&self, action: Action) -> usize {
        self.units.iter().filter(|unit| unit.action == action).count()
    }

    /// LychD's own mounts are the same in every plan, and the units have them; but a sphere is asked for.
    fn tells(mount: &Mount) -> bool {
        let own = ["vessel", "migrate", "phylactery"].map(|name| format!("{PREFIX}{name}"));
        !own.contains(&mount.service) || mount.mount.contains(":%h/work/")
    }
}

impl Bind {
    /// What would become of files and services, and what they may do.
    pub(super) fn write_plan(&self, page: &mut Page) {
        for unit in self.units.iter().filter(|unit| unit.action != Action::Unchanged) {
            match &unit.diff {
                Some(diff) => page.raw(diff.as_str()),
                None => page.field(unit.action.as_str(), unit.path.display().to_string()),
            }
        }
        page.field("body", self.body.to_string());
        page.field("image", self.image_id.as_str());
        let counts: Vec<String> = [Action::Create, Action::Replace, Action::Remove, Action::Unchanged]
            .into_iter()
            .map(|action| (self.count(action), action.as_str()))
            .filter(|(count, _)| *count > 0)
            .map(|(count, action)| format!("{count} {action}"))
            .collect();
        page.field("files", counts.join(", "));
        for (label, services) in [
            ("new", &self.start),
            ("changed", &self.restart),
            ("gone", &self.stop),
            ("on demand", &self.on_demand),
        ] {
            if !services.is_empty() {
                let names: Vec<&str> =
                    services.iter().map(|name| name.trim_end_matches(".service")).collect();
                page.field(label, names.join(", "));
            }
        }
        for Port { host, pod } in &self.ports {
            page.field("port", format!("127.0.0.1:{host} -> {pod}"));
        }
        for Image { service, image, .. } in self.images.iter().filter(|image| image.floating) {
            page.field("floating", format!("{image} of {service}: allowed by [policy] allow-tags"));
        }
        let mounts = self.mounts.iter().filter(|mount| Self::tells(mount));
        // What members' containers see of the host stands apart.
        let (theirs, others): (Vec<_>, Vec<_>) = mounts.partition(|mount| mount.member.is_some());
        for Mount { service, mount, member, writable } in others.into_iter().chain(theirs) {
            let rw = if *writable { ", rw" } else { "" };
            match member {
                Some(member) => page.field("member mount", format!("{mount} in {service} of {member}{rw}")),
                None => page.field("mount", format!("{mount} in {service}{rw}")),
            }
        }
        for Grant { service, what } in &self.grants {
            page.field("granted", format!("{service} {what}"));
        }
        for (secret, services) in &self.secrets {
            let services: Vec<&str> = services.iter().map(String::as_str).collect();
            page.field("secret", format!("{secret} (for {})", services.join(", ")));
        }
        let Validated { podman, podman_is, systemd, systemd_is } = &self.validated;
        let by = format!("judged by {podman_is} podman {podman} and {systemd_is} systemd {systemd}");
        page.field("podman", format!("written for {}; {by}", self.podman));
    }
}

impl Report for Bind {
    fn write(&self, page: &mut Page) {
        self.write_plan(page);
        if self.dry_run {
            for line in &self.widens {
                page.field("asked", line.as_str());
            }
        }
        if let Some(number) = self.generation {
            page.field("generation", number.to_string());
        }
        if let Some(place) = &self.staged {
            page.field("staged", place.display().to_string());
        }
        if !self.running.is_empty() {
            let names: Vec<&str> =
                self.running.iter().map(|name| name.trim_end_matches(".service")).collect();
            page.field("running", names.join(", "));
        }
        page.field("candidate", self.candidate.to_string());
        page.field("next", self.next.as_str());
    }
}
