//! The pod that holds every container.

use super::{Key, Unit};
use crate::runes::podman::{Feature, PodmanVersion};

/// `lychd.pod`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// What a person reads.
    pub description: String,
    /// Ports on the host's loopback and in the pod, in order.
    pub ports: Vec<(u16, u16)>,
    /// Bytes of shared memory; `None` for podman's default.
    pub shared_memory: Option<u64>,
}

impl Pod {
    /// The unit, as this podman can have it.
    #[must_use]
    pub fn to_unit(&self, podman: PodmanVersion) -> Unit {
        let mut unit = Unit::new();
        unit.set(Key::Description, &self.description);
        unit.set(Key::PodName, "lychd");
        // The host's user has the same number inside. Only here: a member's own `UserNS=` would leave the pod's.
        unit.set(Key::UserNs, "keep-id");
        for (host, pod) in &self.ports {
            unit.set(Key::PublishPort, format!("127.0.0.1:{host}:{pod}"));
        }
        if let Some(bytes) = self.shared_memory {
            let size = size(bytes);
            if Feature::PodShmSize.is_in(podman) {
                unit.set(Key::PodShmSize, size);
            } else {
                unit.set(Key::PodArguments, format!("--shm-size={size}"));
            }
        }
        // A pod that stopped with its last member would take a start job that waits for it along.
        if Feature::PodExitPolicy.is_in(podman) {
            unit.set(Key::ExitPolicy, "continue");
        } else {
            unit.set(Key::PodArguments, "--exit-policy=continue");
        }
        unit.set(Key::Restart, "on-failure");
        unit.set(Key::WantedBy, "default.target");
        unit
    }
}

/// A size in the largest unit that divides it.
fn size(bytes: u64) -> String {
    for (suffix, scale) in [("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10)] {
        if bytes.is_multiple_of(scale) {
            return format!("{}{suffix}", bytes / scale);
        }
    }
    format!("{bytes}b")
}
