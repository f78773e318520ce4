//! What of podman and systemd lies where on a host.

use std::path::{Path, PathBuf};

use crate::host::environment;

/// Where distributions put podman's generator, the best first.
pub(super) const GENERATORS: [&str; 6] = [
    "/usr/libexec/podman/quadlet",
    "/usr/lib/podman/quadlet",
    "/usr/lib/systemd/user-generators/podman-user-generator",
    "/usr/local/libexec/podman/quadlet",
    "/usr/local/lib/podman/quadlet",
    "/usr/local/lib/systemd/user-generators/podman-user-generator",
];

/// Where a user's own Quadlet files are, below the directory of configurations.
#[must_use]
pub fn quadlets(configuration: &Path) -> PathBuf {
    configuration.join("containers/systemd")
}

/// Where a user's own units are, below the directory of configurations.
#[must_use]
pub fn units(configuration: &Path) -> PathBuf {
    configuration.join("systemd/user")
}

/// The directories that podman and systemd read for a user, in their order; some may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Where Quadlet files are read.
    pub podman: Vec<PathBuf>,
    /// Where units are read before generated ones.
    pub systemd: Vec<PathBuf>,
    /// Where units are read after them: what is added to ours counts there as well.
    pub systemd_after: Vec<PathBuf>,
}

impl Places {
    /// Those of the user who runs this.
    #[must_use]
    pub fn of_user(configuration: &Path) -> Self {
        let runtime = environment::variable("XDG_RUNTIME_DIR").map(PathBuf::from);
        let mut podman: Vec<PathBuf> = runtime.as_deref().map(quadlets).into_iter().collect();
        podman.push(quadlets(configuration));
        for base in ["/etc", "/usr/share"] {
            let users = quadlets(Path::new(base)).join("users");
            podman.push(users.join(environment::uid().to_string()));
            podman.push(users);
        }
        // As `systemd-analyze --user unit-paths` has them.
        let mut systemd = vec![configuration.join("systemd/user.control")];
        let of_runtime = |name: &str| runtime.as_deref().map(|runtime| runtime.join("systemd").join(name));
        systemd.extend(["user.control", "transient"].into_iter().filter_map(of_runtime));
        systemd.extend([units(configuration), units(Path::new("/etc/xdg")), units(Path::new("/etc"))]);
        systemd.extend(of_runtime("user"));
        systemd.push(units(Path::new("/run")));
        let data = environment::xdg("XDG_DATA_HOME", ".local/share");
        let mut systemd_after: Vec<PathBuf> = data.as_deref().map(units).into_iter().collect();
        // Not `/usr/share` and `/usr/lib`: what a distribution adds to every service is no change of ours.
        systemd_after.extend(["/usr/local/share", "/usr/local/lib"].map(|base| units(Path::new(base))));
        Self { podman, systemd, systemd_after }
    }
}
