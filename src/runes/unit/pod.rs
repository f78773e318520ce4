//! The pod that holds every container.

use std::collections::BTreeSet;

use super::{Key, Unit};
use crate::runes::{
    POD,
    podman::{Feature, PodmanVersion},
};

/// `lychd.pod`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// What a person reads.
    pub description: String,
    /// Services that come up whenever it does.
    pub wants: BTreeSet<String>,
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
        // A pod that comes back alone would be no organism: its members stopped with it.
        unit.list(Key::Wants, &self.wants);
        // A port can be busy for longer than five tries.
        unit.set(Key::StartLimitIntervalSec, "0");
        // It publishes on the loopback alone, which needs no network.
        unit.set(Key::NetworkDependencies, "false");
        unit.set(Key::PodName, POD);
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
        // A pod that somebody stopped through podman ended well. `always` does not arrive: podman's generator writes its own
        // word over it.
        unit.set(Key::RestartForceExitStatus, "0");
        unit.set(Key::RestartSec, "2");
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

#[cfg(test)]
mod tests {
    use super::*;

    fn text(podman: &str, shared_memory: Option<u64>) -> String {
        let pod = Pod {
            description: "The pod".to_owned(),
            wants: BTreeSet::from(["a.service".to_owned(), "b.service".to_owned()]),
            ports: vec![(7134, 8000), (5432, 5432)],
            shared_memory,
        };
        pod.to_unit(podman.parse().unwrap()).to_text().unwrap()
    }

    #[test]
    fn what_a_podman_has_no_key_for_is_an_argument() {
        let whole = |middle: &str| {
            format!(
                "{}\n\n[Unit]\nDescription=The pod\nWants=a.service b.service\nStartLimitIntervalSec=0\n\n\
                 [Quadlet]\nDefaultDependencies=false\n\n[Pod]\nPodName=lychd\nUserNS=keep-id\n\
                 PublishPort=127.0.0.1:7134:8000\nPublishPort=127.0.0.1:5432:5432\n{middle}\n[Service]\n\
                 Restart=on-failure\nRestartForceExitStatus=0\nRestartSec=2\n\n[Install]\nWantedBy=default.target\n",
                crate::runes::unit::MARKER
            )
        };
        let (arguments, keys) =
            ("PodmanArgs=--shm-size=16g\nPodmanArgs=--exit-policy=continue\n", "ShmSize=16g\n");
        let sixteen = Some(16 << 30);
        for (podman, middle) in [
            ("5.3.0", arguments.to_owned()),
            ("5.3.9", arguments.to_owned()),
            ("5.4.2", format!("{keys}PodmanArgs=--exit-policy=continue\n")),
            ("5.5.0", format!("{keys}PodmanArgs=--exit-policy=continue\n")),
            ("5.6.0", format!("{keys}ExitPolicy=continue\n")),
            ("6.0.0", format!("{keys}ExitPolicy=continue\n")),
        ] {
            assert_eq!(text(podman, sixteen), whole(&middle), "{podman}");
        }
        assert_eq!(text("5.3.0", None), whole("PodmanArgs=--exit-policy=continue\n"));
        assert_eq!(text("5.6.0", None), whole("ExitPolicy=continue\n"));
    }

    #[test]
    fn sizes_have_the_largest_unit_that_divides_them() {
        for (bytes, want) in
            [(8 << 30, "8g"), (24 << 30, "24g"), (1536 << 20, "1536m"), (3 << 10, "3k"), (1025, "1025b")]
        {
            assert_eq!(size(bytes), want);
        }
    }
}
