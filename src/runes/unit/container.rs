//! A container of the pod.

use std::collections::{BTreeMap, BTreeSet};

use super::{Key, Piece, Unit, Value};
use crate::{
    codex::Grants,
    name::{SecretName, variable::VariableName},
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
    /// Where it lies, when not in `/run/secrets/<name>`, readable by all.
    pub target: Option<String>,
}

/// How its service runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceKind {
    /// Until it is stopped.
    Lasting(Restart),
    /// To its end; it may start as often as it is asked for.
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
    /// Seconds a start may take.
    pub start_seconds: u32,
    /// Whether it starts with the user's session (at boot, with lingering).
    pub at_boot: bool,
    /// Whether it sees the support directory, whose files it reads when it starts.
    pub reads_support: bool,
}

impl Container {
    /// The unit.
    #[must_use]
    pub fn to_unit(&self) -> Unit {
        let mut unit = Unit::new();
        unit.set(Key::Description, &self.description);
        unit.list(Key::BindsTo, &self.link.binds_to);
        unit.list(Key::Wants, &self.link.wants);
        unit.list(Key::Requires, &self.link.requires);
        unit.list(Key::After, &self.link.after);

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
            let target = secret.target.as_ref().map(|target| format!(",target={target},mode=0444"));
            unit.set(Key::Secret, format!("{}{}", secret.name, target.unwrap_or_default()));
        }
        for (name, value) in &self.labels {
            unit.set(Key::Label, format!("{name}={value}"));
        }
        if !self.exec.is_empty() {
            unit.set(Key::Exec, Value::words(self.exec.iter().map(Value::from)));
        }
        // What a crash left behind under this name is no obstacle.
        unit.set(Key::ContainerArguments, "--replace");

        match self.service {
            ServiceKind::Lasting(restart) => {
                unit.set(
                    Key::Restart,
                    match restart {
                        Restart::Always => "always",
                        Restart::OnFailure => "on-failure",
                    },
                );
                // Slower than systemd's limit of five starts in ten seconds, after which it would give up.
                unit.set(Key::RestartSec, "5");
            }
            ServiceKind::Once => {
                unit.set(Key::Type, "oneshot");
                unit.set(Key::Restart, "no");
            }
        }
        if let ServiceKind::Lasting(_) = self.service {
            // 128 + SIGTERM: the init of the container passes on how its child was stopped. Of what runs once that is
            // no success.
            unit.set(Key::SuccessExitStatus, "143");
        }
        unit.set(Key::TimeoutStartSec, self.start_seconds.to_string());
        if self.at_boot {
            unit.set(Key::WantedBy, "default.target");
        }
        unit
    }
}
