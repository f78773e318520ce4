//! The user's own Quadlet files, drop-ins, units and directories beside an inscription: nothing of them is put at risk, and
//! what they make of our units is judged and told.
#![expect(clippy::disallowed_methods, reason = "tests look at real directories")]

use std::{fs, os::unix::fs::symlink};

use lychd_forge::host::file;
use serde_json::Value;

use crate::{
    bind::{User, golden, told},
    inscription::NO_MEMBERS,
};

const PODMAN: &str = ".config/containers/systemd";
const SYSTEMD: &str = ".config/systemd/user";
const CONTROL: &str = ".config/systemd/user.control";

/// A user of the smallest Codex, with these files.
fn user(files: &[(&str, &str)]) -> User {
    let user = User::of("minimal");
    user.record("body", NO_MEMBERS);
    for (path, text) in files {
        file::write(&user.path(path), text.as_bytes()).unwrap();
    }
    user
}

/// What a plan notes, with the home as `~`.
fn notes(user: &User) -> Vec<String> {
    let plan = user.plan(&["--podman", "5.4.2"]);
    let home = user.path("").display().to_string();
    let notes = plan["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap());
    let ours = |note: &&str| !note.contains("whether the units can start it was not checked");
    notes.filter(ours).map(|note| note.replace(home.as_str(), "~/")).collect()
}

#[track_caller]
fn noted(files: &[(&str, &str)], wants: &[&str]) {
    let before = notes(&user(&[]));
    let notes = notes(&user(files));
    let new: Vec<&String> = notes.iter().filter(|note| !before.contains(note)).collect();
    assert_eq!(new, wants);
}

#[track_caller]
fn refused(user: &User, wants: &[&str]) {
    let output = user.bind(&["--dry-run"]);
    let told = told(&output).replace(user.path("").display().to_string().as_str(), "~/");
    assert_eq!(output.status.code(), Some(1), "{told}");
    for want in wants {
        assert!(told.contains(want), "{want}\n--- not in ---\n{told}");
    }
}

#[test]
fn names_of_podman_that_are_ours_are_refused_and_the_rest_is_noted() {
    for (file, text, want) in [
        (
            "mine.pod",
            "[Pod]\nPodName=lychd\n",
            "gives podman a pod `lychd`, as the rendered `lychd.pod` does",
        ),
        (
            "sub/mine.container",
            "[Container]\nImage=docker.io/x/y:1\nContainerName=lychd-vessel\n",
            "gives podman a container `lychd-vessel`, as the rendered `lychd-vessel.container` does",
        ),
    ] {
        let user = user(&[(&format!("{PODMAN}/{file}"), text)]);
        refused(
            &user,
            &[want, "removes the other's when it starts", "PodName", "help: give it another name"][..2],
        );
    }
    noted(
        &[
            (&format!("{PODMAN}/mine.container"), "[Container]\nImage=docker.io/x/y:1\nPod=lychd.pod\n"),
            (
                &format!("{PODMAN}/web.container"),
                "[Container]\nImage=docker.io/x/y:1\nPublishPort=127.0.0.1:7134:80\nPublishPort=5432:5432\n",
            ),
        ],
        &[
            &format!(
                "~/{PODMAN}/mine.container:3:1: `Pod=lychd.pod` puts `mine.container` into our pod: it shares its network \
                 and its users, and stops with it"
            ),
            &format!(
                "~/{PODMAN}/web.container:3:1: `PublishPort=127.0.0.1:7134:80` is the port 7134 that our pod publishes \
                 too: of the two, the one that starts first has it, and the other does not start"
            ),
            &format!(
                "~/{PODMAN}/web.container:4:1: `PublishPort=5432:5432` is the port 5432 that our pod publishes too: of \
                 the two, the one that starts first has it, and the other does not start"
            ),
            "other Quadlet files of this host change `lychd-pod.service`: `[Unit] Wants=mine.service`, `[Unit] \
             Before=mine.service`",
        ],
    );
}

#[test]
fn a_drop_in_by_which_a_unit_would_vanish_is_refused_at_its_line() {
    let drop_in = format!("{PODMAN}/lychd-vessel.container.d/10.conf");
    let user =
        user(&[(&drop_in, "[Container]\nNoSuchKey=1\n"), (&format!("{PODMAN}/container.d/05.conf"), "")]);
    refused(
        &user,
        &[
            "podman's generator refuses `lychd-vessel.container` with its drop-ins: unsupported key 'NoSuchKey' in group \
             'Container'",
            "lychd-vessel.container.d/10.conf:2:1",
            "there would be no `lychd-vessel.service`",
            "the forge's units alone are right: mend what is named here",
        ],
    );
    file::write(&user.path(&drop_in), b"[Container\n").unwrap();
    refused(&user, &["podman cannot read the drop-in `~/.config", "10.conf:1:1"]);
    // The home's dotfiles are links, and one of them may lead nowhere: podman says so too.
    fs::remove_file(user.path(&drop_in)).unwrap();
    symlink("gone", user.path(&drop_in)).unwrap();
    refused(&user, &["podman cannot read the drop-in `~/.config"]);
}

#[test]
fn what_drop_ins_change_is_told_line_by_line() {
    noted(
        &[
            (&format!("{PODMAN}/container.d/10.conf"), "[Container]\nUserNS=host\n"),
            (&format!("{PODMAN}/lychd.pod.d/10.conf"), "[Pod]\nNetwork=host\n"),
            (&format!("{PODMAN}/lychd-vessel.container.d/20.conf"), "[Container]\nReadOnly=false\n"),
            (&format!("{PODMAN}/other.container.d/10.conf"), "[Container\n"),
            (&format!("{SYSTEMD}/lychd-vessel.service.d/10.conf"), "[Service]\nMemoryMax=8G\n"),
        ],
        &[
            &format!(
                "`~/{PODMAN}/container.d/10.conf` changes `lychd-migrate.service`, `lychd-phylactery.service`: \
                 `[Container] UserNS=host`"
            ),
            &format!(
                "`~/{PODMAN}/container.d/10.conf`, `~/{PODMAN}/lychd-vessel.container.d/20.conf` change \
                 `lychd-vessel.service`: `[Container] UserNS=host`, `[Container] ReadOnly=false`"
            ),
            &format!("`~/{PODMAN}/lychd.pod.d/10.conf` changes `lychd-pod.service`: `[Pod] Network=host`"),
            &format!(
                "`~/{SYSTEMD}/lychd-vessel.service.d/10.conf` changes `lychd-vessel.service`: `[Service] MemoryMax=8G`"
            ),
        ],
    );
}

#[test]
fn a_drop_in_of_systemds_that_breaks_a_unit_is_refused_and_one_that_it_passes_over_is_noted() {
    let place = format!("{SYSTEMD}/lychd-vessel.service.d/10.conf");
    let broken = user(&[(&place, "[Service]\nExecStart=/bin/true\n")]);
    refused(
        &broken,
        &["systemd finds fault with", "lychd-vessel.service.d/10.conf` takes part", "alone are right"],
    );
    let slip = notes(&user(&[(&place, "[Service]\nMemroyMax=8G\n")]));
    let told = slip.iter().find(|note| note.contains("Unknown key")).unwrap_or_else(|| panic!("{slip:?}"));
    assert!(told.starts_with(&format!("~/{place}:2:1: systemd finds fault with")), "{told}");
    // What a drop-in asks for may be a unit of the user's own.
    let wants = [(place.as_str(), "[Unit]\nRequires=mine.service\n")];
    refused(&user(&wants), &["mine.service"]);
    let mine = (&*format!("{SYSTEMD}/mine.service"), "[Service]\nExecStart=/bin/true\nNonsense=1\n");
    let told = notes(&user(&[wants[0], mine]));
    assert!(told.iter().any(|note| note.ends_with("`[Unit] Requires=mine.service`")), "{told:?}");
    let quadlet = (&*format!("{PODMAN}/mine.container"), "[Container]\nImage=docker.io/x/y:1\n");
    let told = notes(&user(&[wants[0], quadlet]));
    assert!(told.iter().any(|note| note.ends_with("`[Unit] Requires=mine.service`")), "{told:?}");
}

#[test]
fn the_users_own_broken_units_are_their_own_affair() {
    let files = [
        (&*format!("{PODMAN}/sub/mine.container"), "[Container]\nExec=x\n"),
        (&*format!("{PODMAN}/words.container"), "no unit\n"),
        (&*format!("{SYSTEMD}/mine.service"), "[Service]\nNonsense\n"),
    ];
    let user = user(&files);
    symlink("gone", user.path(&format!("{PODMAN}/gone.container"))).unwrap();
    let told = notes(&user);
    let of_podman: Vec<&String> =
        told.iter().filter(|note| note.starts_with("podman says of what is not")).collect();
    assert_eq!(of_podman.len(), 2, "{told:?}");
    assert!(of_podman.iter().any(|note| note.contains(&format!("~/{PODMAN}/words.container"))), "{told:?}");
}

#[test]
fn a_drop_in_in_our_own_directory_is_told_where_it_works() {
    let user = user(&[(&format!("{PODMAN}/lychd/lychd-vessel.container.d/10.conf"), "[Container]\n")]);
    refused(&user, &[&format!("help: move it to `~/{PODMAN}/lychd-vessel.container.d/10.conf`")]);
}

#[test]
fn a_site_that_podman_does_not_read_is_refused() {
    let user = user(&[("dotfiles.d/readme", "")]);
    fs::create_dir_all(user.path(PODMAN).parent().unwrap()).unwrap();
    symlink(user.path("dotfiles.d"), user.path(PODMAN)).unwrap();
    refused(&user, &["podman reads no directory whose name ends in `.d`", "help: rename it"]);
    fs::remove_file(user.path(PODMAN)).unwrap();
    symlink("gone", user.path(PODMAN)).unwrap();
    refused(
        &user,
        &["is a link to `~/.config/containers/gone`, where nothing is", "help: make that directory"],
    );
}

/// The generator makes the links that an `[Install]` asks for, and a drop-in can give a service its name.
#[test]
fn what_takes_the_place_of_a_unit_of_ours_is_refused_where_it_stands() {
    let image = "[Container]\nImage=docker.io/x/y:1\n";
    let mine = (&*format!("{PODMAN}/mine.container"), image);
    for (name, text, want) in [
        ("mine.container.d/x.conf", "[Install]\nAlias=lychd-vessel.service\n", "mine.container.d/x.conf:2:1"),
        ("container.d/x.conf", "[Install]\nAlias=lychd-vessel.timer\n", "container.d/x.conf:2:1"),
        (
            "mine.container.d/x.conf",
            "[Container]\nServiceName=\"lychd-\\\n migrate\"\n",
            "mine.container` makes `lychd-migrate.service`",
        ),
        (
            "lychd-vessel.container.d/x.conf",
            "[Container]\nPodmanArgs=--name=mine\n",
            "has podman call it `mine`",
        ),
        (
            "container.d/a\nb.conf",
            "[Container]\n",
            "container.d/a\\nb.conf` cannot be judged: its name is not plain",
        ),
    ] {
        refused(&user(&[mine, (&format!("{PODMAN}/{name}"), text)]), &[want]);
    }
    let control = (&*format!("{CONTROL}/lychd-vessel.service.d/50-x.conf"), "[Service]\nMemoryMax=1G\n");
    noted(
        &[control, (&format!("{SYSTEMD}/lychd-pod.service.requires/gone.service"), "")],
        &[
            &format!(
                "`~/{SYSTEMD}/lychd-pod.service.requires` has `lychd-pod.service` start `gone.service` as well: where that \
                 does not start, ours does not"
            ),
            &format!("`~/{}` changes `lychd-vessel.service`: `[Service] MemoryMax=1G`", control.0),
        ],
    );
    refused(
        &user(&[(&format!("{CONTROL}/lychd-vessel.timer"), "")]),
        &["instead of the rendered `lychd-vessel.timer`"],
    );
    refused(&user(&[(".config/systemd", "")]), &["systemd` is no directory", "help: move it away"]);
}

#[test]
fn commands_and_what_widens_are_never_cut_from_a_note() {
    let labels = "Label=a=1\nLabel=b=1\nLabel=c=1\nLabel=d=1\nLabel=e=1\nLabel=f=1\nLabel=g=1\n";
    let text =
        format!("[Container]\n{labels}PodmanArgs=--privileged\n[Service]\nExecStartPre=/bin/rm -rf %h/x\n");
    let told = notes(&user(&[(&format!("{PODMAN}/lychd-vessel.container.d/x.conf"), &text)])).join("\n");
    assert!(
        told.contains("`[Container] PodmanArgs=--privileged`, `[Service] ExecStartPre=/bin/rm -rf %h/x`"),
        "{told}"
    );
    assert!(told.contains("and 3 more"), "{told}");
}

/// A volume of a member's own is one of podman's to the generator, and its mounts stand apart in the plan.
#[test]
fn members_mounts_stand_apart_in_a_plan() {
    let user = User::of("members");
    let federation = fs::read_to_string(golden("members").join("federation.json")).unwrap();
    let own = r#""%h/cache:/data:U", "keep:/keep", "~/.local/share/lychd/data/core:/own:ro""#;
    user.record("body", &federation.replace(r#""%h/cache:/data:U""#, own));
    let plan = user.plan(&["--podman", "5.4.2", "--diff"]);
    let of = |service: &str| -> Vec<Value> {
        let mounts = plan["mounts"].as_array().unwrap().iter();
        mounts.filter(|one| one["service"] == service).cloned().collect()
    };
    let mount = |mount: &str, member: &str, writable: bool| serde_json::json!({ "service": "lychd-cache", "mount": mount, "member": member, "writable": writable });
    assert_eq!(
        of("lychd-cache"),
        [
            mount("%h/cache:/data:U", "core", true),
            mount("lychd-core-keep:/keep", "core", true),
            mount("%h/.local/share/lychd/data/core:/own:ro", "core", false),
        ]
    );
    assert!(of("lychd-vessel").iter().all(|one| one["member"].is_null()));
    let grants = plan["grants"].to_string();
    assert!(grants.contains("mounts ~/cache, rw") && grants.contains(r#"mounts ~/models""#), "{grants}");
    let shown = user.bind(&["--dry-run", "--podman", "5.4.2"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("member mount  lychd-core-keep:/keep in lychd-cache of core, rw\n"), "{shown}");
}
