//! Rendered units before podman's generator and `systemd-analyze verify`, both of Debian 13's packages.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use lychd_forge::{
    artifact::{Artifact, Effects},
    binding::{
        judge::{Judge as _, Origin, Verdict},
        validator::{Host, Validator},
    },
    codex::Debian,
    diagnostic::Failure,
    host::{clock, file, http::Client, progress::Silent},
    name::url::HostPolicy,
    supply::downloads::Downloads,
    tree::{Entry, FileTree},
};

const ID: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Shared with the end-to-end tests and by later runs.
fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache/lychd-forge")
}

/// The programs in a cache; packages are brought into the shared one.
pub(crate) fn find_in(in_cache: &Path, client: Option<&Client>, host: &Host) -> Result<Validator, Failure> {
    let artifacts = cache().join("artifacts");
    let mirrors = BTreeMap::new();
    let source = Downloads { cache: &artifacts, from: None, client, mirrors: &mirrors };
    let bring = |artifacts: &[Artifact]| source.all(artifacts, &Silent);
    let effects = Effects {
        cache: in_cache,
        codex_directory: Path::new("/nowhere"),
        client,
        bring: &bring,
        now: clock::unix_seconds(),
        progress: &Silent,
    };
    Validator::find(host, &Debian::default(), &effects)
}

/// Debian's programs, whatever this host has.
pub(crate) static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let client = Client::new(HostPolicy::new([]));
    let _held = file::lock(&cache().join("tools/validator-tests.lock"), || ()).unwrap();
    find_in(&cache(), Some(&client), &Host::default()).unwrap()
});

fn tree(files: &[(&str, &str)]) -> FileTree {
    let mut tree = FileTree::new();
    for (path, text) in files {
        tree.insert_text(path.parse().unwrap(), text);
    }
    tree
}

fn check(quadlets: &[(&str, &str)], units: &[(&str, &str)], expected: &[&str]) -> Verdict {
    let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
    VALIDATOR.check(&tree(quadlets), &tree(units), &expected).unwrap()
}

/// Judges one container, of which `a.service` would be made, and gives what is said.
fn container(text: &str) -> Vec<String> {
    let verdict = check(&[("a.container", text)], &[], &["a.service"]);
    verdict.findings.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn refused(text: &str, wants: &[&str]) {
    let told = container(text).join("\n");
    for want in wants {
        assert!(told.contains(want), "{want}\n--- not in ---\n{told}");
    }
}

/// A new directory with a program, and the program's path.
fn program(directory: &Path, text: &str) -> PathBuf {
    let mut files = FileTree::new();
    files.insert("program".parse().unwrap(), Entry::File { bytes: text.as_bytes().into(), executable: true });
    file::write_tree(directory, &files).unwrap();
    let path = directory.join("program");
    // A process that another thread has just forked may still hold it open for writing.
    let busy = |error: &std::io::Error| error.kind() == std::io::ErrorKind::ExecutableFileBusy;
    while Command::new(&path).arg("-version").output().is_err_and(|error| busy(&error)) {}
    path
}

const POD: &str = "[Unit]\nX-LychD-Generation=1\n[Pod]\nPodName=lychd\nUserNS=keep-id\n\
                   PublishPort=127.0.0.1:8000:8000\n[Install]\nWantedBy=default.target\n";

fn member(name: &str, conflicts: &str, install: &str) -> String {
    format!(
        "[Unit]\nDescription={name}\n{conflicts}[Container]\nImage={ID}\nPod=lychd.pod\nStartWithPod=false\n\
         Pull=never\nRunInit=true\nReadOnly=true\nDropCapability=ALL\nVolume=%h/x:/x\n\
         [Service]\nRestart=on-failure\nSuccessExitStatus=143\n{install}"
    )
}

#[test]
fn a_good_set_passes_and_those_who_judged_are_known() {
    assert_eq!(VALIDATOR.podman().1, Origin::Debian);
    assert!(VALIDATOR.podman().0.to_string().starts_with("5.4."), "{}", VALIDATOR.podman().0);
    assert!(VALIDATOR.systemd().0.starts_with("257."), "{}", VALIDATOR.systemd().0);
    let a = member("a", "Conflicts=b.service\nAfter=b.service\n", "[Install]\nWantedBy=default.target\n");
    let b = member("b", "", "");
    let quadlets =
        [("lychd.pod", POD), ("a.container", &a), ("below/b.container", &b), ("n.network", "[Network]\n")];
    let units = [
        ("x.target", "[Unit]\nWants=a.service\n"),
        ("p.path", "[Path]\nPathExists=%h/go\nUnit=x.target\n"),
        ("x.target.d/more.conf", "[Unit]\nDescription=x\n"),
    ];
    let expected = ["a.service", "b.service", "lychd-pod.service", "n-network.service"];
    let verdict = check(&quadlets, &units, &expected);
    assert!(verdict.findings.is_empty(), "{:#?}", verdict.findings);
    // The notes are about podman alone, where this host has none.
    let podman = Path::new("/usr/bin/podman").exists();
    assert_eq!(verdict.notes.is_empty(), podman, "{:?}", verdict.notes);

    let verdict = check(&quadlets, &units, &expected[1..]);
    assert_eq!(
        verdict.findings[0].to_string(),
        "podman's generator made `a.service`, which is not expected\n  at a.container:1:1: from this"
    );
    assert_eq!(check(&[], &[], &[]), Verdict::default());
    assert!(check(&[], &units[1..2], &[]).notes.is_empty());
}

#[test]
fn what_podman_does_not_understand_is_found() {
    refused(
        &format!("[Unit]\nDescription=Foo=bar\n[Container]\nImage={ID}\nFoo=bar\n"),
        &[
            "podman's generator refuses `a.container`: unsupported key 'Foo' in group 'Container'\n  at a.container:5:1",
            "note: not made, of what was expected: `a.service`",
        ],
    );
    refused(
        "[Container]\nExec=x\n",
        &["refuses `a.container`: no Image or Rootfs key specified\n  at a.cont"],
    );
    refused(
        &format!("[Container]\nImage={ID}\nPod=nope.pod\n"),
        &["refuses `a.container`: quadlet pod unit nope.pod does not exist\n  at a.container:3:1"],
    );
    refused(
        &format!("# x\n[Container\nImage={ID}\n"),
        &["refuses `a.container`: file contains line 2: “[Container” which is not", "\n  at a.container:2:1"],
    );
    refused(
        &format!("text\n[Container]\nImage={ID}\n"),
        &["file contains line 1: “text”", "a.container:1:1"],
    );
    let told = container("[Container]\nImage=short:1\n");
    assert_eq!(
        told,
        ["`a.container` has the image `short:1`, which is not a full name\n  at a.container:2:1\n  \
          help: write it with its registry, or pin it by its ID"]
    );
}

#[test]
fn one_bad_file_is_found_among_good_ones() {
    let good = format!("[Container]\nImage={ID}\n");
    let quadlets = [("a.container", good.as_str()), ("b.container", "[Container]\n")];
    let verdict = check(&quadlets, &[], &["a.service", "b.service"]);
    assert_eq!(verdict.findings.len(), 1, "{:#?}", verdict.findings);
    assert_eq!(verdict.findings[0].notes, ["not made, of what was expected: `b.service`"]);
    // A file that podman does not read at all.
    let verdict = check(&[("a.contaner", &good)], &[], &["a.service"]);
    assert_eq!(&*verdict.findings[0].message, "podman's generator made no `a.service`, and does not say why");
}

/// Podman is silent about these; what is rendered is checked before, where values have types.
#[test]
fn some_faults_neither_of_them_sees() {
    for silent in [
        "ReadOnly=maybe",
        "PublishPort=99999:x",
        "Pull=sometimes",
        "Notify=perhaps",
        "Volume=/:/host",
        "PodmanArgs=--nonsense",
    ] {
        let told = container(&format!("[Container]\nImage={ID}\n{silent}\n"));
        assert_eq!(told, Vec::<String>::new(), "{silent}");
    }
}

/// The generator passes an unknown section on without a word; systemd then does not know it either.
#[test]
fn a_section_that_podman_ignores_is_found_by_systemd() {
    let told = container(&format!("[Container]\nImage={ID}\n[Containr]\nReadOnly=true\n"));
    assert_eq!(
        told,
        ["systemd finds fault with `a.service`: Unknown section 'Containr'. Ignoring\n  at a.container:3:1"]
    );
    assert!(container(&format!("[Container]\nImage={ID}\n[X-LychD]\nA=b\n[Unit]\nX-A=b\n")).is_empty());
}

#[test]
fn what_systemd_does_not_understand_is_found() {
    refused(
        &format!(
            "[Unit]\nWibble=1\n[Container]\nImage={ID}\n[Service]\nWobble=2\nRestart=never\nTimeoutStartSec=x\n\
             ExecStartPre=/nowhere/x\nExecStartPre=/usr/bin/podman-that-is-not\n"
        ),
        &[
            "systemd finds fault with `a.service`: Unknown key 'Wibble' in section [Unit], ignoring\n  at a.container:2:1",
            "Unknown key 'Wobble' in section [Service], ignoring\n  at a.container:6:1",
            "Failed to parse Restart=never, ignoring: Invalid argument\n  at a.container:7:1",
            "Failed to parse TimeoutStartSec= parameter, ignoring: x\n  at a.container:8:1",
            "`a.service`: Command /nowhere/x is not executable: No such file or directory\n  at a.container:1:1",
            "`a.service`: Command /usr/bin/podman-that-is-not is not executable: No such file or directory",
        ],
    );
    let a = format!("[Container]\nImage={ID}\n");
    let units = [
        ("x.target", "[Unit]\nDescription=x\nWibble=1\nRequires=nope.service\n"),
        ("y.path", "[Path]\nPathExists=relative\n"),
    ];
    let verdict = check(&[("a.container", &a)], &units, &["a.service"]);
    let told = verdict.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    for want in [
        "systemd finds fault with `x.target`: Unknown key 'Wibble' in section [Unit], ignoring\n  at x.target:3:1",
        "`x.target`: Failed to create x.target/start: Unit nope.service not found\n  at x.target:1:1",
        "`y.path`: PathExists= path is not absolute, ignoring: relative\n  at y.path:2:1",
    ] {
        assert!(told.contains(want), "{want}\n--- not in ---\n{told}");
    }
}

#[test]
fn a_target_that_requires_what_excludes_each_other_is_found() {
    let (a, b) = (member("a", "Conflicts=b.service\nAfter=b.service\n", ""), member("b", "", ""));
    let quadlets = [("lychd.pod", POD), ("a.container", &a), ("b.container", &b)];
    let expected = ["a.service", "b.service", "lychd-pod.service"];
    let units = |target| [("x.target", target)];
    let verdict = check(&quadlets, &units("[Unit]\nRequires=a.service b.service\n"), &expected);
    assert!(!verdict.findings.is_empty());
    // Wants= of both is accepted in silence: what is rendered is checked before.
    let verdict = check(&quadlets, &units("[Unit]\nWants=a.service b.service\n"), &expected);
    assert!(verdict.findings.is_empty(), "{:#?}", verdict.findings);
}

#[test]
fn names_that_are_there_twice_are_found() {
    let text = format!("[Container]\nImage={ID}\n");
    let verdict = check(&[("x/a.container", &text), ("y/a.container", &text)], &[], &["a.service"]);
    let told: Vec<String> = verdict.findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["`a.container` is there 2 times, and podman reads the first alone\n  at x/a.container:1:1\n  \
          at y/a.container:1:1"]
    );
    let verdict = check(&[("a.container", &text)], &[("a.service", "[Unit]\n")], &["a.service"]);
    assert_eq!(
        &*verdict.findings[0].message,
        "`a.service` is a unit of its own and made of a Quadlet file as well"
    );
}

#[test]
fn an_install_that_comes_to_nothing_is_found() {
    refused(
        &format!("[Container]\nImage={ID}\n[Install]\nWantedBy=a/b.target\n"),
        &[
            "`a.service` is not started by itself: there is no `a/b.target.wants/a.service`\n  at a.container:3:1",
        ],
    );
}

#[test]
fn what_was_brought_once_serves_without_network_and_else_it_is_told() {
    let first = &*VALIDATOR;
    let again = find_in(&cache(), None, &Host::default()).unwrap();
    assert_eq!((first.podman(), first.systemd()), (again.podman(), again.systemd()));
    let empty = tempfile::tempdir().unwrap();
    let failure = find_in(&empty.path().join("cache"), None, &Host::default()).unwrap_err();
    assert_eq!(failure.exit_code(), 2);
    let told = failure.to_string();
    for want in
        ["needs `quadlet` of Debian 13", "--offline", "help: run once without --offline", "podman 5.3"]
    {
        assert!(told.contains(want), "{want}\n--- not in ---\n{told}");
    }
    let failure = find_in(&empty.path().join("a:b"), None, &Host::default()).unwrap_err();
    assert!(failure.to_string().contains("its name is not plain"), "{failure}");
}

/// The archive drops superseded versions: a remembered choice that can no longer be had is made anew.
#[test]
fn a_choice_that_is_gone_is_made_anew() {
    let _first = &*VALIDATOR;
    let client = Client::new(HostPolicy::new([]));
    let read = |cache: &Path| file::read_text(&cache.join("tools/validator.lock.json")).unwrap();
    let good = read(&cache());
    let directory = tempfile::tempdir().unwrap();
    for damaged in
        [good.replace("pool/main/p/podman/podman_5.", "pool/main/p/podman/podman_1."), String::new()]
    {
        let own = directory.path().join(damaged.len().to_string());
        file::write(&own.join("tools/validator.lock.json"), damaged.as_bytes()).unwrap();
        let old = Host { generators: Vec::new(), ..Host::default() };
        let found = find_in(&own, Some(&client), &old).unwrap();
        assert_eq!(found.podman().1, Origin::Debian);
        assert_ne!(read(&own), damaged);
        assert!(read(&own).contains("pool/main/p/podman/podman_5."));
    }
}

/// A generator whose podman lies where nothing is: that alone is no fault of the units, and it is said.
#[test]
fn units_can_be_checked_where_podman_is_not() {
    let _first = &*VALIDATOR;
    let directory = tempfile::tempdir().unwrap();
    let script = r#"#!/bin/sh
unit='[Unit]\nSourcePath='$QUADLET_UNIT_DIRS'/a.container\n[Service]\nRestart=%s\nExecStart=/nowhere/podman run x\n'
case $2 in
  '') echo 5.4.2 ;;
  -dryrun) printf -- '---a.service---\n' ;;
  *) read -r how <"$QUADLET_UNIT_DIRS/a.container"
     printf "$unit" "${how#Restart=}" >"$3/a.service" ;;
esac
"#;
    let quadlet = program(&directory.path().join("bin"), script);
    let host = Host { generators: vec![quadlet], ..Host::default() };
    let validator = find_in(&cache(), None, &host).unwrap();
    let judged = |text: &str| {
        let expected = BTreeSet::from(["a.service".to_owned()]);
        validator.check(&tree(&[("a.container", text)]), &FileTree::new(), &expected).unwrap()
    };
    let note = "this host has no `/nowhere/podman`: whether the units can start it was not checked";
    let verdict = judged("Restart=no\n");
    assert_eq!((verdict.findings, verdict.notes), (Vec::new(), vec![note.to_owned()]));
    // What else is wrong is still found.
    let verdict = judged("Restart=never\n");
    assert_eq!((verdict.findings.len(), verdict.notes), (1, vec![note.to_owned()]));
}

/// `%h` is the user's home directory.
#[test]
fn a_program_in_the_home_directory_is_found_there() {
    let _first = &*VALIDATOR;
    let home = tempfile::tempdir().unwrap();
    program(&home.path().join("bin"), "#!/bin/sh\n");
    let units = tree(&[("x.service", "[Service]\nExecStart=%h/bin/program\n")]);
    let with = |home: Option<PathBuf>| {
        let validator = find_in(&cache(), None, &Host { home, ..Host::default() }).unwrap();
        validator.check(&FileTree::new(), &units, &BTreeSet::new()).unwrap().findings.len()
    };
    assert_eq!((with(Some(home.path().to_owned())), with(None)), (0, 1));
}

/// Programs of the host's that are too old, or are none, are passed over.
#[test]
fn the_hosts_own_programs_must_be_new_enough() {
    let directory = tempfile::tempdir().unwrap();
    let _first = &*VALIDATOR;
    let script = |name: &str, says: &str| {
        program(&directory.path().join(name), &format!("#!/bin/sh\necho '{says}'\n"))
    };
    let (old, new) = (script("old", "5.2.9"), script("new-quadlet", "5.3.0"));
    let (old_systemd, systemd) = (script("s1", "systemd 251 (251.1)"), script("s2", "systemd 252 (252.1)"));
    let missing = directory.path().join("missing");
    let found = |generators: &[&PathBuf], analyze: &PathBuf| {
        let generators = generators.iter().copied().cloned().collect();
        let found = find_in(&cache(), None, &Host { generators, analyze: Some(analyze.clone()), home: None })
            .unwrap();
        (found.podman().0.to_string(), found.podman().1, found.systemd().0.to_owned(), found.systemd().1)
    };
    let (version, origin, ..) = found(&[&missing, &old], &old_systemd);
    assert_eq!((version.starts_with("5.4."), origin), (true, Origin::Debian));
    assert_eq!(
        found(&[&old, &new], &systemd),
        ("5.3.0".to_owned(), Origin::Host, "252.1".to_owned(), Origin::Host)
    );
    assert_eq!(found(&[&new], &old_systemd).3, Origin::Debian);
}

/// Whatever this host has: the older systemd of Debian 12 judges alike.
#[test]
fn the_hosts_systemd_judges_alike() {
    let _first = &*VALIDATOR;
    let host = Host { generators: Vec::new(), ..Host::usual() };
    let validator = find_in(&cache(), None, &host).unwrap();
    let good =
        tree(&[("a.container", &format!("[Container]\nImage={ID}\n[Install]\nWantedBy=default.target\n"))]);
    let expected = BTreeSet::from(["a.service".to_owned()]);
    let verdict = validator.check(&good, &tree(&[("x.target", "[Unit]\nWants=a.service\n")]), &expected);
    assert_eq!(verdict.unwrap().findings, Vec::new());
    let verdict = validator.check(&good, &tree(&[("x.target", "[Unit]\nWibble=1\n")]), &expected).unwrap();
    assert_eq!(verdict.findings.len(), 1, "{:#?}", verdict.findings);
    assert!(verdict.findings[0].to_string().ends_with("  at x.target:2:1"), "{}", verdict.findings[0]);
}
