//! What a host lacks for the forge and an organism, each with what mends it. Pure.

use serde::Serialize;

use super::{
    advisories,
    host_facts::{HostFacts, NixStore, PodmanFacts},
};
use crate::{
    diagnostic::shell_word,
    forge::nix,
    runes::podman::{PodmanVersion, too_old},
};

/// Free space under which a build or a snapshot may not end, in bytes.
const ROOM: u64 = 4 << 30;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it is to be.
    Good,
    /// It works, and somebody should look.
    Poor,
    /// Something does not work without it.
    Lacking,
    /// It could not be told.
    Unknown,
}

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub what: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What there is to say.
    pub says: String,
    /// Commands that mend it, in their order.
    pub mend: Vec<String>,
}

fn check(what: &'static str, verdict: Verdict, says: impl Into<String>, mend: &[String]) -> Check {
    Check { what, verdict, says: says.into(), mend: mend.to_vec() }
}

fn good(what: &'static str, says: impl Into<String>) -> Check {
    check(what, Verdict::Good, says, &[])
}

/// All that there is to say of a host: what the forge builds with, what containers need, what an organism needs.
#[must_use]
pub fn checks(host: &HostFacts) -> Vec<Check> {
    let mut all = vec![nix(host), nix_store(host)];
    all.extend([namespaces(host), sandbox(host), podman(host)]);
    all.extend(storage(host));
    all.extend([subordinate(host), network(host), init(host)]);
    all.extend(control_groups(host));
    all.extend([systemd(host), linger(host), online(host)]);
    all.extend(exchange(host));
    all.extend(snapshots(host));
    all.extend(devices(host));
    all.extend(room(host));
    all.extend(named(host));
    all
}

/// How Debian's package of a program is installed, or that of another distribution.
fn install(host: &HostFacts, package: &str, program: &str) -> Vec<String> {
    if host.programs.contains("apt-get") {
        vec![format!("sudo apt-get install {package}")]
    } else {
        vec![format!(
            "install {program}, by the name that your distribution has for it (Debian's is {package})"
        )]
    }
}

/// The numbers of a version.
fn numbers(version: &str) -> Option<[u32; 3]> {
    let mut all = version.split('.').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    Some([all.next()??, all.next()??, all.next().flatten().unwrap_or(0)])
}

fn nix(host: &HostFacts) -> Check {
    let what = "Nix";
    match &host.nix {
        None => check(
            what,
            Verdict::Lacking,
            "there is no `nix` on PATH: nothing can be forged",
            &install(host, "nix-bin", "Nix"),
        ),
        Some(Err(why)) => check(what, Verdict::Unknown, why, &["nix --version".to_owned()]),
        Some(Ok(version)) => match numbers(version) {
            None => check(what, Verdict::Unknown, format!("it calls its version `{version}`"), &[]),
            Some([major, minor, _]) if (major, minor) < nix::OLDEST => {
                let says = format!("{version} is too old: {}.{} will do", nix::OLDEST.0, nix::OLDEST.1);
                check(what, Verdict::Lacking, says, &install(host, "nix-bin", "a newer Nix"))
            }
            Some(_) => good(what, version),
        },
    }
}

fn nix_store(host: &HostFacts) -> Check {
    let what = "Nix store";
    let join = || {
        vec![format!("sudo adduser {} nix-users", shell_word(&host.user)), "log out, and in again".to_owned()]
    };
    match host.nix_store {
        NixStore::None => {
            good(what, "none yet: the first build makes one, or `--nix-store DIR` names another")
        }
        NixStore::Daemon => good(what, "by Nix's daemon"),
        NixStore::Own => good(what, "this user's own"),
        NixStore::Closed => check(what, Verdict::Lacking, "Nix's daemon does not let this user in", &join()),
        NixStore::Others => {
            let daemon = install(host, "nix-setup-systemd", "Nix's daemon")
                .into_iter()
                .chain(join())
                .collect::<Vec<_>>();
            let says =
                "it is another user's, and there is no daemon; `--nix-store DIR` builds in one of your own";
            check(what, Verdict::Lacking, says, &daemon)
        }
    }
}

fn namespaces(host: &HostFacts) -> Check {
    let what = "namespaces";
    if host.settings.is_empty() {
        return good(what, "the kernel gives users namespaces of their own");
    }
    let says: Vec<String> =
        host.settings.iter().map(|(one, value)| format!("{} is {value}: {}", one.name, one.why)).collect();
    let mend: Vec<String> = host
        .settings
        .iter()
        .map(|(one, _)| format!("sudo sysctl -w {}={}", one.name, one.allowing))
        .collect();
    check(what, Verdict::Lacking, says.join("; "), &mend)
}

fn sandbox(host: &HostFacts) -> Check {
    program(host, "sandbox", ("bwrap", "bubblewrap"), "members' hooks run in it")
}

fn program(host: &HostFacts, what: &'static str, (name, package): (&str, &str), why: &str) -> Check {
    if host.programs.contains(name) {
        good(what, format!("`{name}` is there"))
    } else {
        check(what, Verdict::Lacking, format!("there is no `{name}`: {why}"), &install(host, package, name))
    }
}

fn podman(host: &HostFacts) -> Check {
    let what = "podman";
    match &host.podman {
        None => check(
            what,
            Verdict::Lacking,
            "there is none on PATH: nothing can be loaded or run",
            &install(host, "podman", "podman"),
        ),
        Some(Err(why)) => check(what, Verdict::Unknown, why, &["podman --version".to_owned()]),
        Some(Ok(PodmanFacts { version, .. })) => match too_old(*version) {
            Some(told) => check(
                what,
                Verdict::Lacking,
                told.message.to_string(),
                &["install podman 5.3 or newer: Debian 13 has 5.4".to_owned()],
            ),
            None => good(what, version.to_string()),
        },
    }
}

fn storage(host: &HostFacts) -> Option<Check> {
    let what = "podman's storage";
    let Some(Ok(PodmanFacts { storage, version })) = &host.podman else { return None };
    let Some(why) = storage else { return Some(good(what, "podman can use it")) };
    let files = host.storage_configurations.iter().map(|path| path.display().to_string());
    let files: Vec<String> = files.collect();
    let mut says = why.lines().map(str::trim).collect::<Vec<_>>().join("; ");
    let mut mend = Vec::new();
    if files.is_empty() {
        mend.push("podman info".to_owned());
    } else {
        let newer =
            if *version >= PodmanVersion::new(6, 0, 0) { ", which may be of a podman before 6" } else { "" };
        says = format!("{says}; it is set up by {}{newer}", files.join(" and "));
        mend.push(format!("podman info    # then mend or move away {}", files.join(" or ")));
    }
    Some(check(what, Verdict::Lacking, says, &mend))
}

fn subordinate(host: &HostFacts) -> Check {
    let what = "subordinate IDs";
    if host.is_root {
        return good(what, "root needs none");
    }
    let missing = ["newuidmap", "newgidmap"].into_iter().find(|name| !host.programs.contains(name));
    if let Some(name) = missing {
        let says = format!("there is no `{name}`: containers of a user have no IDs");
        return check(what, Verdict::Lacking, says, &install(host, "uidmap", name));
    }
    let without: Vec<&str> =
        host.subordinate.iter().filter(|(_, has)| !**has).map(|(path, _)| *path).collect();
    if without.is_empty() {
        return good(what, "this user has some");
    }
    let user = shell_word(&host.user);
    let says = format!("{} has none for {}", without.join(" and "), host.user);
    let mend = [
        format!("sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}"),
        "podman system migrate".to_owned(),
    ];
    check(what, Verdict::Lacking, says, &mend)
}

fn network(host: &HostFacts) -> Check {
    program(host, "network", ("pasta", "passt"), "containers of a user have no network without it")
}

fn init(host: &HostFacts) -> Check {
    program(host, "init", ("catatonit", "catatonit"), "every container's first process")
}

fn control_groups(host: &HostFacts) -> Vec<Check> {
    let what = "control groups";
    let Some(has) = &host.controllers else {
        let says = "this user's services have none of the unified hierarchy, by what can be seen";
        let verdict = if host.is_root { Verdict::Good } else { Verdict::Unknown };
        return vec![check(what, verdict, says, &[])];
    };
    let missing: Vec<&str> = ["memory", "pids"].into_iter().filter(|one| !has.contains(*one)).collect();
    if missing.is_empty() {
        let names: Vec<&str> = has.iter().map(String::as_str).collect();
        return vec![good(what, names.join(", "))];
    }
    let says = format!(
        "this user's services are not given {}: limits of containers count for nothing, or fail",
        missing.join(" and ")
    );
    let mend = [
        "sudo systemctl edit user@.service    # [Service] Delegate=cpu cpuset io memory pids".to_owned(),
        "sudo systemctl daemon-reload    # then log out, and in again".to_owned(),
    ];
    vec![check(what, Verdict::Poor, says, &mend)]
}

fn systemd(host: &HostFacts) -> Check {
    let what = "systemd";
    match &host.systemd {
        None => check(what, Verdict::Poor, "this is root: units are inscribed for an ordinary user", &[]),
        Some(Ok(version)) => good(what, version),
        Some(Err(why)) => {
            let mend = format!("sudo loginctl enable-linger {}", shell_word(&host.user));
            check(what, Verdict::Lacking, why, &[mend])
        }
    }
}

fn linger(host: &HostFacts) -> Check {
    let what = "linger";
    match host.lingers {
        Some(true) => good(what, "services run without a session"),
        None => check(
            what,
            Verdict::Unknown,
            "the system does not say whether services run without a session",
            &[],
        ),
        Some(false) if host.is_root => good(what, "root's services need none"),
        Some(false) => check(
            what,
            Verdict::Poor,
            "services end with the last session, and start with the next",
            &[format!("sudo loginctl enable-linger {}", shell_word(&host.user))],
        ),
    }
}

fn online(host: &HostFacts) -> Check {
    let what = "network-online";
    match host.online {
        Some(true) => good(what, "reached"),
        None => check(what, Verdict::Unknown, "the system does not say whether its network is online", &[]),
        Some(false) => check(
            what,
            Verdict::Poor,
            "never reached: units of podman's that are not the forge's wait 90 s for it at each boot",
            &["sudo systemctl start network-online.target".to_owned()],
        ),
    }
}

fn exchange(host: &HostFacts) -> Option<Check> {
    let (units, above) = host.apart.as_ref()?;
    let says = format!(
        "`{}` is on another file system than `{}`: a set of units could not be exchanged for another at once",
        units.display(),
        above.display()
    );
    let mend = format!("have `{}` be a directory of that above it", units.display());
    Some(check("file system", Verdict::Lacking, says, &[mend]))
}

fn snapshots(host: &HostFacts) -> Option<Check> {
    let says = if host.keeps_in_an_instant? {
        "the Crypt lies on btrfs: databases are kept in an instant"
    } else {
        "databases are kept as dumps; on btrfs they would be in an instant: `lychd-forge snapshots ascension`"
    };
    Some(good("snapshots", says))
}

fn devices(host: &HostFacts) -> Vec<Check> {
    let what = "devices";
    let all = host.wanted_devices.iter().map(|(device, files)| {
        let kind = device.split('=').next().unwrap_or_default();
        if host.device_kinds.contains(kind) {
            return good(what, format!("{device} is described"));
        }
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let says = format!("{} asks for {device}, and no file of CDI describes {kind}", files.join(", "));
        let mend = if kind.starts_with("nvidia.com/") {
            "sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml".to_owned()
        } else {
            format!("have the driver's tools describe {kind} in /etc/cdi")
        };
        check(what, Verdict::Lacking, says, &[mend])
    });
    all.collect()
}

fn room(host: &HostFacts) -> Vec<Check> {
    let what = "disk";
    let short = host.space.iter().filter(|(_, free)| **free < ROOM);
    let mut all: Vec<Check> = short
        .map(|(place, free)| {
            let says = format!("{} has {} MiB left", place.display(), free >> 20);
            check(what, Verdict::Poor, says, &["lychd-forge gc".to_owned()])
        })
        .collect();
    if all.is_empty() {
        all.push(good(what, "there is room where the forge writes"));
    }
    all
}

/// What advisories say of versions.
fn named(host: &HostFacts) -> Vec<Check> {
    let nix = host.nix.as_ref().and_then(|nix| nix.as_ref().ok()).and_then(|version| numbers(version));
    let podman = host.podman.as_ref().and_then(|podman| podman.as_ref().ok()).map(|podman| podman.version);
    let told = |what, lines: Vec<String>| {
        let says = format!(
            "its version is named by advisories of {}; a distribution may have mended it all the same: {}",
            advisories::AS_OF,
            lines.join("; ")
        );
        (!lines.is_empty()).then(|| {
            check(what, Verdict::Poor, says, &["see what your distribution says of them".to_owned()])
        })
    };
    let nix = nix.and_then(|version| told("Nix", advisories::of_nix(version)));
    let podman = podman.and_then(|version| {
        told("podman", advisories::of_podman([version.major, version.minor, version.patch]))
    });
    nix.into_iter().chain(podman).collect()
}

#[cfg(test)]
mod tests;
