//! Versions of podman and Nix that public advisories name. Distributions mend without a new number, so a version says
//! that somebody should look, and never that a host is vulnerable.

/// The day of this table.
pub const AS_OF: &str = "2026-11-21";

/// An advisory.
#[derive(Debug)]
struct Advisory {
    id: &'static str,
    says: &'static str,
    /// Versions that it names: from the first of each, below the second.
    affected: &'static [(Version, Version)],
}

type Version = [u32; 3];

const FROM_THE_FIRST: Version = [0; 3];

/// Below what the lines of Nix that are kept up had mended, for what is read and built of others.
const NIX_LINES: &[(Version, Version)] = &[
    (FROM_THE_FIRST, [2, 28, 8]),
    ([2, 29, 0], [2, 30, 6]),
    ([2, 31, 0], [2, 31, 6]),
    ([2, 32, 0], [2, 34, 9]),
    ([2, 35, 0], [2, 35, 3]),
];

const NIX: [Advisory; 4] = [
    Advisory {
        id: "CVE-2026-110449, CVE-2026-110450",
        says: "expressions of others overflow it, and a repair gives privileges",
        affected: NIX_LINES,
    },
    Advisory {
        id: "CVE-2026-39860",
        says: "a fixed-output build makes the daemon write where it may not",
        affected: &[
            ([2, 18, 2], [2, 18, 10]),
            ([2, 19, 4], [2, 19, 8]),
            ([2, 20, 5], [2, 20, 10]),
            ([2, 21, 0], [2, 28, 6]),
            ([2, 29, 0], [2, 29, 3]),
            ([2, 30, 0], [2, 30, 4]),
            ([2, 31, 0], [2, 31, 4]),
            ([2, 32, 0], [2, 32, 7]),
            ([2, 33, 0], [2, 33, 4]),
            ([2, 34, 0], [2, 34, 5]),
        ],
    },
    Advisory {
        id: "CVE-2024-27297",
        says: "a fixed-output build can be changed after it was registered",
        affected: &[
            ([2, 3, 0], [2, 3, 18]),
            ([2, 4, 0], [2, 18, 2]),
            ([2, 19, 0], [2, 19, 4]),
            ([2, 20, 0], [2, 20, 5]),
        ],
    },
    Advisory {
        id: "CVE-2024-47174",
        says: "its own downloads do not look whose certificate they are given",
        affected: &[([1, 11, 0], [2, 18, 8]), ([2, 24, 0], [2, 24, 8])],
    },
];

const PODMAN: [Advisory; 7] = [
    Advisory {
        id: "CVE-2025-11395",
        says: "loading an image of somebody else can overwrite files",
        affected: &[(FROM_THE_FIRST, [5, 8, 6]), ([6, 0, 0], [6, 1, 2])],
    },
    Advisory {
        id: "CVE-2026-111361",
        says: "digests and signatures of pulled images can be got round",
        affected: &[(FROM_THE_FIRST, [6, 2, 0])],
    },
    Advisory {
        id: "CVE-2026-123876",
        says: "a rule of seccomp for sockets can be got round",
        affected: &[(FROM_THE_FIRST, [6, 2, 0])],
    },
    Advisory {
        id: "CVE-2026-94603",
        says: "an annotation of an image ends its confinement",
        affected: &[(FROM_THE_FIRST, [6, 1, 3])],
    },
    Advisory {
        id: "CVE-2026-55686",
        says: "a working directory that is a link makes paths of the host",
        affected: &[([3, 0, 0], [5, 7, 1])],
    },
    Advisory {
        id: "CVE-2025-9566",
        says: "`podman kube play` can overwrite files",
        affected: &[([4, 0, 0], [5, 6, 1])],
    },
    Advisory {
        id: "CVE-2024-9675, CVE-2024-9676",
        says: "an image's own files block podman, or mount the host's",
        affected: &[(FROM_THE_FIRST, [5, 2, 5])],
    },
];

/// What is said of a version of podman, a line each.
#[must_use]
pub fn of_podman(version: Version) -> Vec<String> {
    told(&PODMAN, version)
}

/// What is said of a version of Nix, a line each.
#[must_use]
pub fn of_nix(version: Version) -> Vec<String> {
    told(&NIX, version)
}

fn told(all: &[Advisory], version: Version) -> Vec<String> {
    let names = |one: &&Advisory| one.affected.iter().any(|(from, below)| (*from..*below).contains(&version));
    all.iter().filter(names).map(|one| format!("{}: {}", one.id, one.says)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_named_by_those_that_name_it() {
        let count = |version| of_nix(version).len();
        assert_eq!([[2, 8, 0], [2, 18, 1], [2, 18, 9], [2, 26, 3]].map(count), [3, 3, 2, 2]);
        assert_eq!([[2, 28, 8], [2, 30, 6], [2, 34, 9], [2, 35, 3], [3, 0, 0]].map(count), [0; 5]);
        assert_eq!(of_nix([2, 35, 2]).len(), 1);
        let count = |version| of_podman(version).len();
        assert_eq!(
            [[5, 2, 4], [5, 4, 2], [5, 8, 6], [6, 1, 1], [6, 1, 3], [6, 2, 0]].map(count),
            [7, 6, 3, 4, 2, 0]
        );
        assert!(of_podman([5, 4, 2])[0].starts_with("CVE-2025-11395: "));
    }

    #[test]
    fn ranges_have_an_end_behind_their_beginning() {
        for one in NIX.iter().chain(&PODMAN) {
            assert!(one.affected.iter().all(|(from, below)| from < below), "{one:?}");
        }
    }
}
