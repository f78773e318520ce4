//! What maintainer scripts need of this host's kernel, looked at before anything is brought.
//!
//! In the build `nix/root/enter` asks for the same, after everything was downloaded.

use std::path::Path;

use super::executor::Executor;
use crate::{
    diagnostic::{Diagnostic, Failure},
    host::file,
    synthesis::Synthesis,
};

/// A setting of the kernel that may keep namespaces of users from a build.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// As `sysctl` calls it.
    pub name: &'static str,
    /// What forbids them. A kernel that does not have the setting allows them.
    forbidding: &'static str,
    /// What allows them.
    pub allowing: &'static str,
    /// Why it is so.
    pub why: &'static str,
}

impl Setting {
    /// What it is on this host, where that forbids them.
    #[must_use]
    pub fn forbids(&self) -> Option<String> {
        read(self.name).filter(|value| value == self.forbidding)
    }
}

/// All of them.
pub const SETTINGS: [Setting; 3] = [
    Setting {
        name: "kernel.unprivileged_userns_clone",
        forbidding: "0",
        allowing: "1",
        why: "only root may make one",
    },
    Setting {
        name: "user.max_user_namespaces",
        forbidding: "0",
        allowing: "15000",
        why: "nobody may make one",
    },
    Setting {
        name: "kernel.apparmor_restrict_unprivileged_userns",
        forbidding: "1",
        allowing: "0",
        why: "AppArmor, as Ubuntu sets it, gives nothing in one to a program without a profile",
    },
];

/// Looks at the kernel, when maintainer scripts are to run under it.
///
/// # Errors
/// Unable when it gives a build no namespace of users.
pub(super) fn check(synthesis: &Synthesis, executor: &dyn Executor) -> Result<(), Failure> {
    if executor.builds_here() && synthesis.runs_scripts() { judge(&read) } else { Ok(()) }
}

/// What a setting is; `None` where there is none, or it is kept from us: the build finds out what is then.
fn read(name: &str) -> Option<String> {
    let path = Path::new("/proc/sys").join(name.replace('.', "/"));
    file::read_text(&path).ok().map(|text| text.trim().to_owned())
}

/// Whether a kernel with these settings gives a build a namespace of users.
fn judge(read: &dyn Fn(&str) -> Option<String>) -> Result<(), Failure> {
    let forbids = |setting: &&Setting| read(setting.name).as_deref() == Some(setting.forbidding);
    let forbidding: Vec<&Setting> = SETTINGS.iter().filter(forbids).collect();
    if forbidding.is_empty() {
        return Ok(());
    }
    let message = "maintainer scripts run in a namespace of users, and this kernel gives a build none";
    let mut refusal = Diagnostic::new(message);
    for Setting { name, forbidding, allowing, why } in forbidding {
        refusal = refusal.note(format!("{name} is {forbidding}: {why}")).help(format!(
            "`sudo sysctl -w {name}={allowing}` allows it; a file in /etc/sysctl.d keeps it so"
        ));
    }
    Err(Failure::unable(refusal.help(
        "or let none run: `maintainer-scripts = \"read\"` under [substrate.debian] in forge.toml takes from \
         them what they say in plain words",
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(settings: &[(&str, &str)]) -> Result<(), String> {
        let read = |name: &str| {
            settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        judge(&read).map_err(|failure| {
            assert_eq!(failure.exit_code(), 2);
            failure.to_string()
        })
    }

    #[test]
    fn a_kernel_that_forbids_nothing_passes() {
        assert_eq!(judged(&[]), Ok(()), "one without any of the settings");
        let usual = [
            ("kernel.unprivileged_userns_clone", "1"),
            ("user.max_user_namespaces", "63211"),
            ("kernel.apparmor_restrict_unprivileged_userns", "0"),
        ];
        assert_eq!(judged(&usual), Ok(()));
    }

    #[test]
    fn a_setting_that_forbids_is_told_with_the_line_that_allows() {
        for (name, value, line) in [
            ("kernel.unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
            ("user.max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=15000"),
            (
                "kernel.apparmor_restrict_unprivileged_userns",
                "1",
                "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
            ),
        ] {
            let told = judged(&[(name, value)]).unwrap_err();
            for want in [&format!("note: {name} is {value}: "), line, "maintainer-scripts = \"read\""] {
                assert!(told.contains(want), "{want}\n--- not in ---\n{told}");
            }
            assert_eq!(told.matches("  note: ").count(), 1, "{told}");
        }
    }

    #[test]
    fn all_that_forbids_is_told_at_once() {
        let both = [("kernel.unprivileged_userns_clone", "0"), ("user.max_user_namespaces", "0")];
        assert_eq!(judged(&both).unwrap_err().matches("sudo sysctl -w ").count(), 2);
    }

    #[test]
    fn settings_of_this_host_are_read() {
        // Every Linux that Nix can build on has this one.
        assert!(read("user.max_user_namespaces").is_some_and(|value| value.parse::<u64>().is_ok()));
        assert_eq!(read("user.no_such_setting"), None);
    }
}
