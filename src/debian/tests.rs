//! The choice and the lock, over small hand-written indexes.

mod purposes;

use std::collections::BTreeSet;

use super::{lock::*, universe::Universe, *};
use crate::{
    diagnostic::Source,
    document::Located,
    name::{DebianName, MemberId, Platform, Role, debian::Suite, url::HostPolicy},
};

const PLATFORM: Platform = Platform::X86_64Linux;

/// A paragraph from `name version` and further fields.
fn paragraph(head: &str, fields: &str) -> String {
    let (name, version) = head.split_once(' ').unwrap();
    let file = version.split_once(':').map_or(version, |(_, rest)| rest);
    let sha256 = crate::digest::Sha256::of(head);
    let has_priority = fields.contains("Priority:");
    let priority = if has_priority { "" } else { "Priority: optional\n" };
    let fields = if fields.is_empty() { String::new() } else { format!("{}\n", fields.replace("; ", "\n")) };
    format!(
        "Package: {name}\nVersion: {version}\nArchitecture: amd64\n{fields}{priority}Installed-Size: 2\n\
         Filename: pool/main/x/{name}_{file}_amd64.deb\nSize: 7\nSHA256: {sha256}\n\n"
    )
}

fn text(packages: &[(&str, &str)]) -> String {
    packages.iter().map(|(head, fields)| paragraph(head, fields)).collect()
}

fn index(text: &str) -> Index {
    Index::new(PLATFORM, vec![("trixie".parse().unwrap(), text.to_owned())]).unwrap()
}

fn root(name: &str, member: &str) -> Root {
    let source = Source::new("core/pyproject.toml", "system-dependencies = []\n");
    Root {
        name: name.parse().unwrap(),
        requested_by: Some(member.parse().unwrap()),
        place: Some(source.at(0..6)),
    }
}

/// What the roots reach, all that apt would install, in one line.
fn whole(packages: &[(&str, &str)], roots: &[&str]) -> String {
    let index = index(&text(packages));
    let universe = Universe::new(&index, None, &BTreeSet::new());
    let roots = [roots.iter().map(|name| root(name, "core")).collect()];
    match closure::close(&universe, None, &roots) {
        Ok(closure) => closure.pins.iter().map(|pin| pin.name.as_str()).collect::<Vec<_>>().join(" "),
        Err(unsatisfied) => unsatisfied.failure.to_string(),
    }
}

#[test]
fn needs_alternatives_and_providers_are_chosen_as_apt_chooses() {
    /// What is shown, the index, and what `aa` brings in.
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let cases: [Case<'_>; 12] = [
        (
            "needs are followed",
            &[("aa 1", "Depends: bb; Pre-Depends: cc"), ("bb 1", ""), ("cc 1", "")],
            "aa bb cc",
        ),
        ("the first alternative wins", &[("aa 1", "Depends: bb | cc"), ("bb 1", ""), ("cc 1", "")], "aa bb"),
        (
            "unless it is not there",
            &[("aa 1", "Depends: bb (>= 2) | cc"), ("bb 1", ""), ("cc 1", "")],
            "aa cc",
        ),
        (
            "or cannot be installed",
            &[("aa 1", "Depends: bb | cc"), ("bb 1", "Depends: zz"), ("cc 1", "")],
            "aa cc",
        ),
        (
            "or is excluded",
            &[("aa 1", "Depends: dd, bb | cc"), ("bb 1", ""), ("cc 1", ""), ("dd 1", "Conflicts: bb")],
            "aa cc dd",
        ),
        (
            "what is there already satisfies",
            &[("aa 1", "Depends: cc, bb | cc"), ("bb 1", ""), ("cc 1", "")],
            "aa cc",
        ),
        (
            "versioned needs take versioned provides only",
            &[("aa 1", "Depends: vv (>= 2)"), ("bb 1", "Provides: vv"), ("cc 1", "Provides: vv (= 2.1)")],
            "aa cc",
        ),
        (
            "a real package comes before a provider",
            &[("aa 1", "Depends: vv"), ("bb 1", "Provides: vv; Priority: required"), ("vv 1", "")],
            "aa vv",
        ),
        (
            "priority decides between providers",
            &[
                ("aa 1", "Depends: vv"),
                ("bb 1", "Provides: vv"),
                ("cc 1", "Provides: vv; Priority: standard"),
            ],
            "aa cc",
        ),
        (
            "then the one the index mentions later",
            &[("aa 1", "Depends: vv"), ("bb 1", "Provides: vv"), ("cc 1", "Provides: vv")],
            "aa cc",
        ),
        (
            "any needs a package that allows it",
            &[("aa 1", "Depends: bb:any | cc:any"), ("bb 1", ""), ("cc 1", "Multi-Arch: allowed")],
            "aa cc",
        ),
        ("circles end", &[("aa 1", "Depends: bb"), ("bb 1", "Depends: aa (= 1)")], "aa bb"),
    ];
    for (what, packages, expected) in cases {
        assert_eq!(whole(packages, &["aa"]), expected, "{what}");
    }
}

#[test]
fn a_hostile_chain_of_needs_ends() {
    let packages: String =
        (0..5_000).map(|n| paragraph(&format!("p{n:04} 1"), &format!("Depends: p{:04}", n + 1))).collect();
    let index = index(&packages);
    let universe = Universe::new(&index, None, &BTreeSet::new());
    assert!(closure::close(&universe, None, &[vec![root("p0000", "core")]]).is_err());
}

#[test]
fn a_virtual_root_needs_exactly_one_provider() {
    let packages = [
        ("libmagic1t64 1", "Provides: libmagic1 (= 1)"),
        ("mta1 1", "Provides: mta"),
        ("mta2 1", "Provides: mta"),
    ];
    assert_eq!(whole(&packages, &["libmagic1"]), "libmagic1t64");
    let several = whole(&packages, &["mta"]);
    assert!(
        several.contains("provided by several") && several.contains("name one of `mta2`, `mta1`"),
        "{several}"
    );
    let unknown = whole(&packages, &["libmagic", "mta3"]);
    assert!(unknown.contains("no system package `libmagic` in trixie"), "{unknown}");
    assert!(unknown.contains("there is `libmagic1t64`"), "{unknown}");
    assert!(unknown.contains("there is `mta1`, `mta2`"), "{unknown}");
    assert!(unknown.contains("core/pyproject.toml:1:1: asked for here"), "{unknown}");
    assert!(unknown.contains("requested by core"), "{unknown}");
}

#[test]
fn what_cannot_be_closed_is_told_by_its_chain() {
    let packages = [("aa 1", "Depends: bb"), ("bb 1", "Depends: cc (>= 3) | dd"), ("cc 2", "")];
    let told = whole(&packages, &["aa"]);
    assert!(
        told.starts_with(
            "system package `aa` cannot be installed: `aa` needs `bb`; \
             `bb` needs `cc (>= 3) | dd`, which is not available (cc is 2)"
        ),
        "{told}"
    );
    assert!(told.contains("requested by core"), "{told}");
    let clash = whole(&[("aa 1", "Conflicts: bb"), ("bb 1", "")], &["aa", "bb"]);
    assert!(clash.contains("`aa` excludes `bb`, and `bb` is needed as well"), "{clash}");
}

#[test]
fn hostile_paragraphs_are_refused_when_they_are_needed() {
    let good = text(&[("aa 1", "Depends: bb"), ("bb 1", "")]);
    let sha256 = crate::digest::Sha256::of("bb 1").to_string();
    for (from, to) in [
        ("pool/main/x/bb_1", "pool/../../../etc/bb_1"),
        ("pool/main/x/bb_1", "/pool/main/x/bb_1"),
        ("pool/main/x/bb_1", "http://169.254.169.254/bb_1"),
        ("pool/main/x/bb_1", "pool/main/%2e%2e/bb_1"),
        ("pool/main/x/bb_1", "pool/main/x/zz_1"),
        (sha256.as_str(), ""),
        (sha256.as_str(), &sha256[1..]),
        (sha256.as_str(), "sha256:"),
        (sha256.as_str(), "d41d8cd98f00b204e9800998ecf8427e"),
        (
            "Version: 1\nArchitecture: amd64\nPriority: optional\nInstalled-Size: 2\nFilename: pool/main/x/bb",
            "Version: ${x}\nArchitecture: amd64\nFilename: pool/main/x/bb",
        ),
        ("Depends: bb", "Depends: ../../etc"),
        ("Depends: bb", "Depends: bb; rm"),
        ("Depends: bb", "Depends: bb (=> 1)"),
    ] {
        let hostile = good.replace(from, to);
        assert_ne!(hostile, good, "{from}");
        let index = index(&hostile);
        let universe = Universe::new(&index, None, &BTreeSet::new());
        let roots = [vec![root("aa", "core")]];
        let closed = closure::close(&universe, None, &roots)
            .map_err(|unsatisfied| unsatisfied.failure)
            .and_then(|closure| {
                PlatformLock::new(PLATFORM, Vec::new(), closure.aliases, closure.pins).map_err(Failure::from)
            });
        assert!(closed.is_err(), "{from} -> {to}");
    }
}

/// The substrate's own roots, then what a test adds.
fn archive(extra: &[(&str, &str)]) -> String {
    let base: String = roots::BASE
        .iter()
        .chain(&["python3.13-minimal", "libpython3.13-stdlib"])
        .map(|name| paragraph(&format!("{name} 1"), if *name == "tzdata" { "Depends: debconf" } else { "" }))
        .collect();
    base + &paragraph("debconf 1", "Pre-Depends: perl-base") + &paragraph("perl-base 1", "") + &text(extra)
}

struct Given<'a> {
    roots: &'a [Root],
    lock: Option<&'a DebianLock>,
    update: bool,
    suites: &'a [&'a str],
    configure: bool,
}

fn run(given: &Given<'_>, index: Option<&Index>) -> Result<Outcome, Failure> {
    run_further(given, &[], index)
}

fn run_further(
    given: &Given<'_>,
    further: &[(Role, Vec<Root>)],
    index: Option<&Index>,
) -> Result<Outcome, Failure> {
    let suites: Vec<Suite> = given.suites.iter().map(|suite| suite.parse().unwrap()).collect();
    let request = Request {
        platform: PLATFORM,
        suites: &suites,
        python: Some("3.13"),
        roots: given.roots,
        base: Base::Small,
        further,
        locales: false,
        lock: given.lock,
        update: given.update,
        compiler: false,
        configure: given.configure,
    };
    resolve(&request, index)
}

fn resolution(roots: &[Root], lock: Option<&DebianLock>, update: bool, text: &str) -> Resolution {
    let index = index(text);
    match run(&Given { roots, lock, update, suites: &["trixie"], configure: false }, Some(&index)).unwrap() {
        Outcome::Resolved(resolution) => *resolution,
        Outcome::NeedsIndex => panic!("the index was there"),
    }
}

fn versions(resolution: &Resolution) -> String {
    let own = |name: &DebianName| !roots::BASE.contains(&name.as_str()) && !name.as_str().contains("python");
    let pins = resolution.pins().values().filter(|pin| own(&pin.name));
    pins.map(|pin| format!("{} {}", pin.name, pin.version)).collect::<Vec<_>>().join(", ")
}

fn moved(resolution: &Resolution) -> String {
    resolution.moved.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

const OLD: &[(&str, &str)] = &[
    ("aa 1", "Depends: libv1"),
    ("libv1t64 1", "Provides: libv1 (= 1); Depends: data (= 1)"),
    ("data 1", ""),
    ("zz 1", ""),
];
const NEW: &[(&str, &str)] = &[
    ("aa 2", "Depends: libv1"),
    ("bb 1", "Depends: libv1"),
    ("cc 1", "Depends: libv1 (>= 2)"),
    ("libv1t64 2", "Provides: libv1 (= 2); Depends: data (= 2)"),
    ("data 2", ""),
    ("zz 2", ""),
];

#[test]
fn a_lock_that_answers_needs_no_index() {
    let roots = [root("aa", "core"), root("libv1", "vision/ocr"), root("zz", "core")];
    assert_eq!(
        run(&Given { roots: &roots, lock: None, update: false, suites: &["trixie"], configure: false }, None),
        Ok(Outcome::NeedsIndex)
    );
    let first = resolution(&roots, None, false, &archive(OLD));
    assert_eq!(
        versions(&first),
        "aa 1, data 1, debconf 1, libv1t64 1, perl-base 1, zz 1",
        "debconf is in the lock, whether or not an image has it"
    );
    let text = first.lock.to_canonical_json();
    let lock = DebianLock::parse(&Source::new("debian.lock.json", text.as_str())).unwrap();
    assert_eq!(lock, first.lock);

    let again = run(
        &Given { roots: &roots, lock: Some(&lock), update: false, suites: &["trixie"], configure: false },
        None,
    )
    .unwrap();
    let Outcome::Resolved(again) = again else { panic!("the lock answers") };
    assert_eq!((again.lock, again.moved), (lock.clone(), Vec::new()));

    let fewer = run(
        &Given {
            roots: &roots[..1],
            lock: Some(&lock),
            update: false,
            suites: &["trixie"],
            configure: false,
        },
        None,
    );
    let Ok(Outcome::Resolved(fewer)) = fewer else { panic!("{fewer:?}") };
    assert_eq!(versions(&fewer), "aa 1, data 1, debconf 1, libv1t64 1, perl-base 1");
    assert_eq!(moved(&fewer), "zz 1 removed");

    for given in [
        Given {
            roots: &[root("bb", "core")],
            lock: Some(&lock),
            update: false,
            suites: &["trixie"],
            configure: false,
        },
        Given { roots: &roots, lock: Some(&lock), update: true, suites: &["trixie"], configure: false },
        Given {
            roots: &roots,
            lock: Some(&lock),
            update: false,
            suites: &["trixie", "trixie-updates"],
            configure: false,
        },
    ] {
        assert_eq!(run(&given, None), Ok(Outcome::NeedsIndex));
    }
}

#[test]
fn a_new_root_keeps_the_pins_also_when_the_index_has_moved_on() {
    let roots = [root("aa", "core"), root("zz", "core")];
    let lock = resolution(&roots, None, false, &archive(OLD)).lock;
    let more = [root("aa", "core"), root("bb", "core"), root("zz", "core")];
    let kept = resolution(&more, Some(&lock), false, &archive(NEW));
    assert_eq!(versions(&kept), "aa 1, bb 1, data 1, debconf 1, libv1t64 1, perl-base 1, zz 1");
    assert_eq!(moved(&kept), "bb 1 added");
}

#[test]
fn a_pin_that_stands_in_the_way_moves_with_what_was_made_for_it() {
    let roots = [root("aa", "core"), root("zz", "core")];
    let lock = resolution(&roots, None, false, &archive(OLD)).lock;
    let more = [root("aa", "core"), root("cc", "core"), root("zz", "core")];
    let kept = resolution(&more, Some(&lock), false, &archive(NEW));
    assert_eq!(versions(&kept), "aa 2, cc 1, data 2, debconf 1, libv1t64 2, perl-base 1, zz 1");
    assert_eq!(moved(&kept), "aa 1 -> 2, cc 1 added, data 1 -> 2, libv1t64 1 -> 2");
}

#[test]
fn an_update_moves_all_and_says_what() {
    let roots = [root("aa", "core"), root("zz", "core")];
    let lock = resolution(&roots, None, false, &archive(OLD)).lock;
    let updated = resolution(&roots, Some(&lock), true, &archive(NEW));
    assert_eq!(moved(&updated), "aa 1 -> 2, data 1 -> 2, libv1t64 1 -> 2, zz 1 -> 2");
}

#[test]
fn packages_of_the_synthesis_say_who_needs_them_and_where_they_will_lie() {
    let roots = [root("aa", "core"), root("libv1", "vision/ocr")];
    let extra = [&OLD[1..], &[("aa 1:1.0+x~1-1", "Depends: libv1")]].concat();
    let resolution = resolution(&roots, None, false, &archive(&extra));
    let packages = resolution.packages(&Mirrors::default());
    let find = |name: &str| packages.iter().find(|package| package.name.as_str() == name).unwrap();
    let aa = find("aa");
    assert_eq!(aa.url, "http://deb.debian.org/debian/pool/main/x/aa_1.0+x~1-1_amd64.deb");
    assert!(HostPolicy::new([]).check(&aa.url).is_ok());
    assert_eq!(aa.filename.as_str(), "aa_1.0+x-1-1_amd64.deb");
    assert_eq!(aa.store_path().name().as_str(), "aa_1.0+x-1-1_amd64.deb");
    assert_eq!(aa.purl(), "pkg:deb/debian/aa@1:1.0%2Bx~1-1?arch=amd64");
    assert_eq!((aa.size, aa.installed_size), (7, 2048));
    let members = |name: &str| find(name).requested_by.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(members("aa"), ["core"]);
    assert_eq!(members("data"), ["core", "vision/ocr"]);
    assert!(members("libc6").is_empty());
    assert!(
        find("python3.13-minimal").tool && !find("bash").tool && find("bash").is_in_image(&Role::vessel())
    );
    assert!(packages.iter().map(|package| &package.name).is_sorted());
}

#[test]
fn python_series_become_package_names_or_are_refused() {
    assert_eq!(roots::python("3.11").unwrap()[1].as_str(), "libpython3.11-stdlib");
    for bad in ["", "3", "3.x", "3.13.5", "../3.1", "3.13 "] {
        assert!(roots::python(bad).is_err(), "{bad}");
    }
}
