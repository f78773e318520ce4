//! Podman's version, and which directives of generated units came in when.

use std::{fmt, str::FromStr};

use crate::diagnostic::Diagnostic;

/// The oldest podman that generated units are for.
pub const OLDEST_PODMAN: PodmanVersion = PodmanVersion::new(5, 3, 0);
/// The first podman with Quadlet.
const QUADLET: PodmanVersion = PodmanVersion::new(4, 4, 0);

/// A version of podman. One that is not released yet, or that a distribution changed, counts as the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodmanVersion {
    /// The first number.
    pub major: u32,
    /// The second number, with which directives come.
    pub minor: u32,
    /// The third; 0 where there is none.
    pub patch: u32,
}

/// Why a text is no [`PodmanVersion`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no version of podman", .0.escape_debug())]
pub struct PodmanVersionError(String);

impl PodmanVersion {
    /// From its numbers.
    #[must_use]
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }
}

impl fmt::Display for PodmanVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for PodmanVersion {
    type Err = PodmanVersionError;

    /// From `5.4.2`, `5.6.0-rc1`, `5.4.2+ds1-2+b2`, or the line `podman version 5.4.2`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || PodmanVersionError(text.chars().take(200).collect());
        let text = text.trim();
        let number = text.strip_prefix("podman version ").unwrap_or(text);
        let number = number.split(['-', '+', '~']).next().unwrap_or_default();
        let mut parts = number.split('.').map(|part| {
            let plain = !part.is_empty() && part.len() <= 6 && part.bytes().all(|c| c.is_ascii_digit());
            part.parse::<u32>().ok().filter(|_| plain).ok_or_else(wrong)
        });
        let mut next = || parts.next().transpose();
        let (major, minor) = (next()?.ok_or_else(wrong)?, next()?.ok_or_else(wrong)?);
        let patch = next()?.unwrap_or(0);
        if next()?.is_some() { Err(wrong()) } else { Ok(Self { major, minor, patch }) }
    }
}

/// Something a generated unit can say, that not every podman understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// Containers in pods, and pods at all.
    Pod,
    /// A member that its pod does not start.
    StartWithPod,
    /// A pod's user namespace.
    PodUserNs,
    /// Size of a pod's `/dev/shm`.
    PodShmSize,
    /// What a pod does when its last container ends.
    PodExitPolicy,
}

impl Feature {
    /// All of them, oldest first.
    pub const ALL: [Self; 5] =
        [Self::Pod, Self::StartWithPod, Self::PodUserNs, Self::PodShmSize, Self::PodExitPolicy];

    /// The first podman that has it.
    #[must_use]
    pub const fn since(self) -> PodmanVersion {
        let (major, minor) = match self {
            Self::Pod => (5, 0),
            Self::StartWithPod | Self::PodUserNs => (5, 3),
            Self::PodShmSize => (5, 4),
            Self::PodExitPolicy => (5, 6),
        };
        PodmanVersion::new(major, minor, 0)
    }

    /// How it is written in a unit.
    #[must_use]
    pub const fn directive(self) -> &'static str {
        match self {
            Self::Pod => "Pod= in [Container]",
            Self::StartWithPod => "StartWithPod= in [Container]",
            Self::PodUserNs => "UserNS= in [Pod]",
            Self::PodShmSize => "ShmSize= in [Pod]",
            Self::PodExitPolicy => "ExitPolicy= in [Pod]",
        }
    }

    /// Whether a podman has it.
    #[must_use]
    pub fn is_in(self, podman: PodmanVersion) -> bool {
        podman >= self.since()
    }
}

/// What to say about a podman below [`OLDEST_PODMAN`]; `None` for one that will do.
#[must_use]
pub fn too_old(podman: PodmanVersion) -> Option<Diagnostic> {
    if podman >= OLDEST_PODMAN {
        return None;
    }
    let help = "install podman 5.3 or newer: Debian 13 has 5.4";
    if podman < QUADLET {
        let message = format!("podman {podman} has no Quadlet at all: it came with podman {QUADLET}");
        return Some(Diagnostic::new(message).help(help));
    }
    let needed = Feature::ALL.into_iter().filter(|feature| feature.since() <= OLDEST_PODMAN);
    let missing = needed.filter(|feature| !feature.is_in(podman));
    let diagnostic = Diagnostic::new(format!(
        "podman {podman} is too old for the units, which need podman {OLDEST_PODMAN}"
    ));
    let told = missing.fold(diagnostic, |told, feature| {
        told.note(format!("it lacks {}, which came with podman {}", feature.directive(), feature.since()))
    });
    Some(told.help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_podman_and_distributions_write_them() {
        for (text, want) in [
            ("5.4.2", "5.4.2"),
            ("podman version 4.3.1\n", "4.3.1"),
            ("podman version 5.6.0-rc1", "5.6.0"),
            ("5.0.0-dev", "5.0.0"),
            ("5.4.2+ds1-2+b2", "5.4.2"),
            ("5.7.0~beta", "5.7.0"),
            ("5.4", "5.4.0"),
        ] {
            let version: PodmanVersion = text.parse().unwrap();
            assert_eq!(version.to_string(), want, "{text}");
        }
        for bad in ["", "5", "five", "5.4.2.1", "5.x.2", "5..2", "+5.4.2", "podman 5.4.2", "99999999.1.1"] {
            assert!(bad.parse::<PodmanVersion>().is_err(), "{bad}");
        }
        assert!(PodmanVersion::new(5, 10, 0) > PodmanVersion::new(5, 9, 9));
    }

    #[test]
    fn features_are_listed_by_age() {
        assert!(Feature::ALL.is_sorted_by_key(|feature| feature.since()));
        assert!(Feature::PodUserNs.is_in(OLDEST_PODMAN) && !Feature::PodShmSize.is_in(OLDEST_PODMAN));
    }

    #[test]
    fn an_old_podman_is_told_what_it_lacks() {
        let told = |version: &str| too_old(version.parse().unwrap()).map(|told| told.to_string());
        assert_eq!(told("5.3.0"), None);
        assert_eq!(told("6.0.0"), None);
        assert_eq!(
            told("5.2.5").unwrap(),
            "podman 5.2.5 is too old for the units, which need podman 5.3.0\n  \
             note: it lacks StartWithPod= in [Container], which came with podman 5.3.0\n  \
             note: it lacks UserNS= in [Pod], which came with podman 5.3.0\n  \
             help: install podman 5.3 or newer: Debian 13 has 5.4"
        );
        assert!(told("4.9.3").unwrap().contains("Pod= in [Container], which came with podman 5.0.0"));
        let none = told("4.3.1").unwrap();
        assert!(none.starts_with("podman 4.3.1 has no Quadlet at all: it came with podman 4.4.0"), "{none}");
        assert!(!none.contains("it lacks"), "{none}");
    }
}
