//! Packages that a finished image never needs, because only maintainer scripts or an init system would
//! use them and neither runs in it. Kept as data, with the reason; a package that is asked for by name
//! stays. What only these pull in drops out as well. The lock has them all: what is not followed is
//! decided where it is read.

/// A dependency that an image does without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unneeded {
    /// The package that has the dependency; `None` for every package.
    pub of: Option<&'static str>,
    /// The package it leads to.
    pub on: &'static str,
    /// Why the image can do without.
    pub reason: &'static str,
}

const fn always(on: &'static str, reason: &'static str) -> Unneeded {
    Unneeded { of: None, on, reason }
}

const fn only(of: &'static str, on: &'static str, reason: &'static str) -> Unneeded {
    Unneeded { of: Some(of), on, reason }
}

/// The list.
pub const UNNEEDED: [Unneeded; 19] = [
    always("adduser", "maintainer scripts make accounts with it; the image has its own passwd and group"),
    always("cdebconf", "asks the questions of maintainer scripts"),
    always("debconf", "asks the questions of maintainer scripts"),
    always("dpkg", "installs packages; the build unpacks them"),
    always("emacsen-common", "maintainer scripts compile Emacs add-ons with it"),
    always("init-system-helpers", "maintainer scripts enable and restart services with it"),
    always("install-info", "maintainer scripts index info pages with it; they are not shipped"),
    always("libpam-systemd", "registers logins with systemd, which does not run in a container"),
    always("systemd", "the container's own command is its first process; accounts are declared"),
    always("systemd-standalone-sysusers", "makes accounts; the image has its own passwd and group"),
    always("systemd-standalone-tmpfiles", "makes directories at boot; the image declares its own"),
    always("systemd-sysv", "the container's own command is its first process"),
    always("ucf", "maintainer scripts merge configuration files with it"),
    always("update-inetd", "maintainer scripts edit inetd.conf with it"),
    only(
        "ca-certificates",
        "openssl",
        "update-ca-certificates hashes links with it; the build writes the bundle",
    ),
    only("x11-common", "sysvinit-utils", "functions for its init script"),
    only("lsb-base", "sysvinit-utils", "functions for init scripts"),
    only("util-linux", "libpam-modules", "logs people in (su, runuser); nobody logs in to a container"),
    only("util-linux", "libpam-runtime", "the same"),
];

/// Whether this dependency is on the list.
#[must_use]
pub fn is_unneeded(of: &str, on: &str) -> bool {
    UNNEEDED.iter().any(|entry| entry.on == on && entry.of.is_none_or(|name| name == of))
}
