//! What is told of a host that lacks one thing, and of one that lacks none.

use std::collections::BTreeSet;

use super::{super::host_facts::PROGRAMS, *};
use crate::forge::preflight::SETTINGS;

/// A host that has all of it.
fn host() -> HostFacts {
    HostFacts {
        user: "lych".to_owned(),
        programs: PROGRAMS.into(),
        podman: Some(Ok(PodmanFacts { version: PodmanVersion::new(6, 2, 0), storage: None })),
        nix: Some(Ok("2.34.9".to_owned())),
        nix_store: NixStore::Daemon,
        subordinate: [("/etc/subuid", true), ("/etc/subgid", true)].into(),
        systemd: Some(Ok("257".to_owned())),
        lingers: Some(true),
        online: Some(true),
        keeps_in_an_instant: Some(false),
        controllers: Some(["cpu", "memory", "pids"].map(str::to_owned).into()),
        space: [("/home".into(), ROOM)].into(),
        ..HostFacts::default()
    }
}

fn wrong(host: &HostFacts) -> Vec<Check> {
    checks(host).into_iter().filter(|one| one.verdict != Verdict::Good).collect()
}

/// The one thing that is wrong.
fn told(change: impl FnOnce(&mut HostFacts)) -> (Verdict, String, String) {
    let mut host = host();
    change(&mut host);
    let mut wrong = wrong(&host);
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    let one = wrong.remove(0);
    (one.verdict, one.says, one.mend.join("\n"))
}

#[test]
fn a_host_that_has_all_of_it_lacks_nothing() {
    assert_eq!(wrong(&host()), []);
    assert!(checks(&host()).len() > 12);
}

#[test]
fn what_an_ordinary_user_lacks_on_a_new_debian_is_told_with_what_mends_it() {
    for (program, mend) in [
        ("bwrap", "sudo apt-get install bubblewrap"),
        ("newuidmap", "sudo apt-get install uidmap"),
        ("newgidmap", "sudo apt-get install uidmap"),
        ("pasta", "sudo apt-get install passt"),
        ("catatonit", "sudo apt-get install catatonit"),
    ] {
        let (verdict, says, told) = told(|host| {
            host.programs = host.programs.iter().copied().filter(|one| *one != program).collect();
        });
        assert_eq!((verdict, told.as_str()), (Verdict::Lacking, mend), "{says}");
        assert!(says.contains(&format!("`{program}`")), "{says}");
    }
    let (verdict, _, mend) = told(|host| host.nix_store = NixStore::Others);
    assert_eq!(verdict, Verdict::Lacking);
    assert_eq!(
        mend.lines().collect::<Vec<_>>(),
        ["sudo apt-get install nix-setup-systemd", "sudo adduser lych nix-users", "log out, and in again"]
    );
    let (_, says, mend) =
        told(|host| host.subordinate = [("/etc/subuid", true), ("/etc/subgid", false)].into());
    assert!(
        says.starts_with("/etc/subgid has none for lych") && mend.contains("--add-subgids"),
        "{says}: {mend}"
    );
    let (verdict, _, mend) = told(|host| host.lingers = Some(false));
    assert_eq!((verdict, mend.as_str()), (Verdict::Poor, "sudo loginctl enable-linger lych"));
}

#[test]
fn versions_are_held_against_what_will_do_and_what_is_named() {
    let old = wrong(&HostFacts { nix: Some(Ok("2.7.1".to_owned())), ..host() });
    assert_eq!((old[0].verdict, old[0].says.as_str()), (Verdict::Lacking, "2.7.1 is too old: 2.8 will do"));
    assert!(old.len() == 2 && old[1].says.contains("CVE-2024-27297"), "{old:?}");
    let (verdict, says, _) = told(|host| host.nix = Some(Ok("2.35.1".to_owned())));
    assert!(verdict == Verdict::Poor && says.contains("CVE-2026-110449"), "{says}");
    let older = PodmanFacts { version: PodmanVersion::new(6, 1, 3), storage: None };
    let (verdict, says, _) = told(|host| host.podman = Some(Ok(older)));
    assert!(verdict == Verdict::Poor && says.contains("CVE-2026-111361"), "{says}");
    let (verdict, says, _) = told(|host| host.nix = Some(Ok("Lix".to_owned())));
    assert_eq!((verdict, says.as_str()), (Verdict::Unknown, "it calls its version `Lix`"));
}

#[test]
fn a_storage_that_podman_cannot_use_is_told_with_the_file_that_sets_it_up() {
    let broken = PodmanFacts {
        version: PodmanVersion::new(6, 2, 0),
        storage: Some("`podman info` failed".to_owned()),
    };
    let (verdict, says, _) = told(|host| {
        host.podman = Some(Ok(broken.clone()));
        host.storage_configurations = vec!["/home/lych/.config/containers/storage.conf".into()];
    });
    assert_eq!(verdict, Verdict::Lacking);
    assert!(
        says.ends_with(
            "set up by /home/lych/.config/containers/storage.conf, which may be of a podman before 6"
        ),
        "{says}"
    );
    assert_eq!(told(|host| host.podman = Some(Ok(broken))).2, "podman info");
}

#[test]
fn what_the_kernel_and_the_system_keep_from_a_user_is_told() {
    let setting = &SETTINGS[0];
    let (_, says, mend) = told(|host| host.settings = vec![(setting, "0".to_owned())]);
    assert!(says.contains("kernel.unprivileged_userns_clone is 0: only root"), "{says}");
    assert_eq!(mend, "sudo sysctl -w kernel.unprivileged_userns_clone=1");
    let (verdict, says, _) = told(|host| host.controllers = Some(BTreeSet::from(["memory".to_owned()])));
    assert!(verdict == Verdict::Poor && says.contains("not given pids"), "{says}");
    let (verdict, ..) = told(|host| host.online = Some(false));
    assert_eq!(verdict, Verdict::Poor);
    let (verdict, says, _) = told(|host| host.space = [("/home".into(), 5 << 20)].into());
    assert_eq!((verdict, says.as_str()), (Verdict::Poor, "/home has 5 MiB left"));
    let (verdict, ..) = told(|host| host.apart = Some(("/c/systemd".into(), "/c".into())));
    assert_eq!(verdict, Verdict::Lacking);
}

#[test]
fn a_device_that_nobody_describes_is_told_with_who_asks_for_it() {
    let wants = |host: &mut HostFacts| {
        let files = BTreeSet::from(["lychd-big.container".to_owned()]);
        host.wanted_devices = [("nvidia.com/gpu=all".to_owned(), files)].into();
    };
    let (verdict, says, mend) = told(wants);
    assert_eq!(verdict, Verdict::Lacking);
    assert!(says.starts_with("lychd-big.container asks for nvidia.com/gpu=all"), "{says}");
    assert!(mend.starts_with("sudo nvidia-ctk"), "{mend}");
    let mut described = host();
    wants(&mut described);
    described.device_kinds = BTreeSet::from(["nvidia.com/gpu".to_owned()]);
    assert_eq!(wrong(&described), []);
}
