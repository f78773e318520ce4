//! Essential packages: those that every package may use without depending on them (Debian Policy 3.8).
//!
//! The table is that of bookworm and trixie together; a package that is Essential in one of them alone is a package like
//! any other in the other. What only dpkg, an init system or a login would use is left out: none of them runs in an
//! image. A package that is asked for by name, or that another depends on, is there whatever stands here.

/// What becomes of an Essential package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Essential {
    /// The package.
    pub name: &'static str,
    /// Whether an image has it.
    pub kept: bool,
    /// What for, or why not.
    pub reason: &'static str,
}

const fn kept(name: &'static str, reason: &'static str) -> Essential {
    Essential { name, kept: true, reason }
}

const fn left(name: &'static str, reason: &'static str) -> Essential {
    Essential { name, kept: false, reason }
}

/// The table.
pub const ESSENTIAL: [Essential; 23] = [
    kept("base-files", "the directories of any root"),
    kept("base-passwd", "the numbers that Debian gives to users and groups"),
    kept("bash", "scripts ask for it by name"),
    left("bsdutils", "logger, script, wall: for terminals and a system log"),
    kept("coreutils", "what every script calls"),
    kept("dash", "/bin/sh"),
    kept("debianutils", "run-parts, which"),
    kept("diffutils", "what scripts call"),
    left("dpkg", "installs packages; the build puts them in place"),
    kept("findutils", "what scripts call"),
    kept("grep", "what scripts call"),
    kept("gzip", "what scripts call"),
    kept("hostname", "what scripts call"),
    left("init-system-helpers", "maintainer scripts enable and restart services with it"),
    kept("libc-bin", "ldconfig, which Python asks where a library is; getent, locale"),
    left("login", "starts sessions of people; bookworm's"),
    kept("ncurses-base", "what terminals can do"),
    left("ncurses-bin", "clear, tput, reset: for people at a terminal"),
    kept("perl-base", "a small Perl, which scripts call"),
    kept("sed", "what scripts call"),
    left("sysvinit-utils", "functions of init scripts"),
    kept("tar", "what scripts call"),
    kept("util-linux", "flock, getopt, setsid, mountpoint, which scripts call"),
];

/// The packages of the table that an image has, by name.
pub fn names() -> impl Iterator<Item = &'static str> {
    ESSENTIAL.iter().filter(|entry| entry.kept).map(|entry| entry.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_each_entry_has_a_reason() {
        assert!(ESSENTIAL.is_sorted_by(|a, b| a.name < b.name));
        assert!(ESSENTIAL.iter().all(|entry| !entry.reason.is_empty()));
        assert_eq!(names().count(), 17);
    }
}
