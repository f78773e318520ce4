//! A container of the pod.

use std::collections::{BTreeMap, BTreeSet};

use super::{Key, Piece, Unit, Value};
use crate::{
    codex::Grants,
    name::{SecretName, variable::VariableName},
    runes::systemd::SystemdVersion,
};

/// What a directory in memory is mounted with. Its owner is not the user, so everybody may write.
const TMPFS: &str = "rw,nosuid,nodev,mode=1777";

/// Where its image comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An image ID that podman has, or the container does not start.
    Loaded(String),
    /// A reference that podman fetches when it is missing.
    Fetched(String),
}

/// A secret of podman as the container gets it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Secret {
    /// Its name in podman.
    pub name: SecretName,
    /// How it is there.
    pub form: SecretForm,
}

/// How a container has a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretForm {
    /// As `/run/secrets/<name>`.
    File,
    /// As this file, readable by all.
    FileAt(String),
    /// As the value of this variable.
    Variable(VariableName),
}

/// How its service runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceKind {
    /// Until it is stopped.
    Lasting(Restart),
    /// To its end, and again while it fails; it may start as often as it is asked for.
    Once,
}

/// When a service that ended is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// However it ended.
    Always,
    /// When it failed.
    OnFailure,
}

/// How to ask whether it is well: its start is done when it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// A program in the container that ends with 0 then, with its arguments.
    pub command: Vec<String>,
    /// What is asked instead until it is well for the first time.
    pub first: Option<Vec<String>>,
    /// Seconds between two questions until then.
    pub every: u32,
    /// What becomes of it when it is not well any longer.
    pub failed: Unwell,
}

/// What becomes of a container that does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwell {
    /// It is killed, which counts as a failure.
    Killed,
    /// It is asked to end, and killed when it does not.
    Stopped,
}

/// What becomes of a start that fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailedStart {
    /// Those who wait for it fail too.
    #[default]
    Told,
    /// Those who wait for it wait for the next try.
    WaitedFor,
    /// One that something else kept from it is tried again by `<name>.timer`, which is a unit too.
    TriedAgain,
}

/// How it is asked to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The signal.
    pub signal: &'static str,
    /// Seconds that it has before it is killed.
    pub seconds: u32,
}

/// What it has to do with other units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Units it stops with.
    pub binds_to: BTreeSet<String>,
    /// Units it starts.
    pub wants: BTreeSet<String>,
    /// Units it cannot do without.
    pub requires: BTreeSet<String>,
    /// Units that come first.
    pub after: BTreeSet<String>,
}

/// A container, hardened but for what is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// What a person reads.
    pub description: String,
    /// File name without suffix, container name and service name.
    pub name: String,
    /// Its image.
    pub source: Source,
    /// Other units.
    pub link: Link,
    /// What it may do beyond the hardened default.
    pub grants: Grants,
    /// Directories in memory, that everybody inside may write.
    pub memory: BTreeSet<Value>,
    /// Mounts, in order.
    pub volumes: Vec<Value>,
    /// Its environment.
    pub environment: BTreeMap<VariableName, Value>,
    /// Its secrets, in order.
    pub secrets: Vec<Secret>,
    /// Its labels.
    pub labels: BTreeMap<&'static str, String>,
    /// Its command; empty for the image's own.
    pub exec: Vec<String>,
    /// How its service runs.
    pub service: ServiceKind,
    /// How it is asked whether it is well.
    pub health: Option<Health>,
    /// How it is asked to end, where that is not the image's to say.
    pub stop: Option<Stop>,
    /// Seconds a start may take.
    pub start_seconds: u32,
    /// What becomes of a start that fails.
    pub failed_start: FailedStart,
    /// Whether it starts with the user's session (at boot, with lingering).
    pub at_boot: bool,
}

impl Container {
    /// The unit, as this systemd can have it.
    #[must_use]
    pub fn to_unit(&self, systemd: SystemdVersion) -> Unit {
        let mut unit = Unit::new();
        unit.set(Key::Description, &self.description);
        unit.list(Key::BindsTo, &self.link.binds_to);
        unit.list(Key::Wants, &self.link.wants);
        unit.list(Key::Requires, &self.link.requires);
        unit.list(Key::After, &self.link.after);

        // What failed five times in ten seconds, or was switched as often, may be right in the eleventh.
        unit.set(Key::StartLimitIntervalSec, "0");
        if self.failed_start == FailedStart::TriedAgain {
            unit.set(Key::JobTimeoutSec, WAITED_SECONDS.to_string());
            unit.set(Key::OnFailure, format!("{}.timer", self.name));
        }
        // Nothing here needs more than the loopback to start: an image that has to be fetched is tried again.
        unit.set(Key::NetworkDependencies, "false");
        unit.set(Key::Pod, "lychd.pod");
        unit.set(Key::StartWithPod, "false");
        match &self.source {
            Source::Loaded(image) => {
                unit.set(Key::Image, image);
                unit.set(Key::Pull, "never");
            }
            Source::Fetched(image) => {
                unit.set(Key::Image, image);
                unit.set(Key::Pull, "missing");
            }
        }
        unit.set(Key::ContainerName, &self.name);
        if !self.grants.image_user {
            unit.set(Key::User, Value::of([Piece::UserId]));
            // Without it files in its mounts belong to root's group inside, a group of nobody on the host.
            unit.set(Key::Group, Value::of([Piece::GroupId]));
        }
        unit.flag(Key::RunInit);
        unit.set(Key::ReadOnly, if self.grants.writable { "false" } else { "true" });
        unit.set(Key::NoNewPrivileges, if self.grants.new_privileges { "false" } else { "true" });
        unit.set(Key::DropCapability, "ALL");
        for capability in &self.grants.linux_capabilities {
            unit.set(Key::AddCapability, capability.as_str());
        }
        if self.grants.label_disable {
            unit.flag(Key::SecurityLabelDisable);
        }
        for device in &self.grants.devices {
            unit.set(Key::AddDevice, device.meant());
        }
        let granted = self.grants.tmpfs.iter().map(|path| Value::from(path.as_str()));
        let memory: BTreeSet<Value> = self.memory.iter().cloned().chain(granted).collect();
        for path in memory {
            unit.set(Key::Tmpfs, path.then(":").then(TMPFS));
        }
        for volume in &self.volumes {
            unit.set(Key::Volume, volume.clone());
        }
        for (name, value) in &self.environment {
            unit.set(Key::Environment, Value::from(name.as_str()).then("=").then(value.clone()));
        }
        for secret in &self.secrets {
            let form = match &secret.form {
                SecretForm::File => String::new(),
                SecretForm::FileAt(target) => format!(",target={target},mode=0444"),
                SecretForm::Variable(name) => format!(",type=env,target={}", name.as_str()),
            };
            unit.set(Key::Secret, format!("{}{form}", secret.name));
        }
        for (name, value) in &self.labels {
            unit.set(Key::Label, format!("{name}={value}"));
        }
        if !self.exec.is_empty() {
            unit.set(Key::Exec, Value::words(self.exec.iter().map(Value::from)));
        }
        if let Some(stop) = &self.stop {
            unit.set(Key::StopSignal, stop.signal);
            unit.set(Key::StopTimeout, stop.seconds.to_string());
        }
        if let Some(health) = &self.health {
            health.put(&mut unit);
        }
        // What a crash left behind under this name is no obstacle.
        unit.set(Key::ContainerArguments, "--replace");

        self.put_service(&mut unit, systemd);
        if self.at_boot {
            unit.set(Key::WantedBy, "default.target");
        }
        unit
    }

    /// How its service runs.
    fn put_service(&self, unit: &mut Unit, systemd: SystemdVersion) {
        match self.service {
            ServiceKind::Lasting(restart) => {
                unit.set(
                    Key::Restart,
                    match restart {
                        Restart::Always => "always",
                        Restart::OnFailure => "on-failure",
                    },
                );
                unit.set(Key::RestartSec, "5");
            }
            ServiceKind::Once => {
                unit.set(Key::Type, "oneshot");
                unit.set(Key::Restart, "on-failure");
                unit.set(Key::RestartSec, "3");
            }
        }
        if self.failed_start == FailedStart::WaitedFor && systemd.has_restart_mode() {
            unit.set(Key::RestartMode, "direct");
        }
        if let ServiceKind::Lasting(_) = self.service {
            // 128 + SIGTERM: the init of the container passes on how its child was stopped. Of what runs once that is
            // no success.
            unit.set(Key::SuccessExitStatus, "143");
        }
        unit.set(Key::TimeoutStartSec, self.start_seconds.to_string());
        if let Some(stop) = &self.stop {
            // podman kills it before.
            unit.set(Key::TimeoutStopSec, (stop.seconds.saturating_add(30)).to_string());
        }
    }
}

/// How long a client waits for a service whose database does not come up, in seconds.
const WAITED_SECONDS: u32 = 3600;

impl Health {
    fn put(&self, unit: &mut Unit) {
        let command = words(&self.command);
        unit.set(Key::HealthCmd, &command);
        unit.set(Key::HealthInterval, "30s");
        unit.set(Key::HealthTimeout, "10s");
        unit.set(Key::HealthRetries, "3");
        unit.set(
            Key::HealthOnFailure,
            match self.failed {
                Unwell::Killed => "kill",
                Unwell::Stopped => "stop",
            },
        );
        unit.set(Key::HealthStartupCmd, self.first.as_deref().map_or(command, words));
        unit.set(Key::HealthStartupInterval, format!("{}s", self.every));
        unit.set(Key::HealthStartupTimeout, "10s");
        unit.set(Key::Notify, "healthy");
    }
}

/// The form of a command that podman gives to no shell.
fn words(command: &[String]) -> String {
    serde_json::Value::from(command).to_string()
}
