//! The choice and the lock, over small hand-written indexes.

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
    assert!(find("python3.13-minimal").tool && !find("bash").tool && in_image(find("bash")));
    assert!(packages.iter().map(|package| &package.name).is_sorted());
}

#[test]
fn python_series_become_package_names_or_are_refused() {
    assert_eq!(roots::python("3.11").unwrap()[1].as_str(), "libpython3.11-stdlib");
    for bad in ["", "3", "3.x", "3.13.5", "../3.1", "3.13 "] {
        assert!(roots::python(bad).is_err(), "{bad}");
    }
}

/// The configuring roots that are no roots of [`archive`] already, with needs of theirs: fakeroot's own library, what
/// `sysvinit-utils` stands in for, and what only a maintainer script calls.
fn configuring(extra: &[(&str, &str)]) -> String {
    let needs = |name: &str| match name {
        "fakeroot" => "Depends: libfakeroot",
        "sysvinit-utils" => "Provides: lsb-base (= 12)",
        _ => "",
    };
    let there = |name: &&str| roots::BASE.contains(name) || *name == "perl-base";
    let roots: String = roots::of_configuring()
        .into_iter()
        .filter(|name| !there(name))
        .map(|name| paragraph(&format!("{name} 1"), needs(name)))
        .collect();
    archive(&[&[("libfakeroot 1", ""), ("adduser 1", "Depends: passwd"), ("passwd 1", "")], extra].concat())
        + &roots
}

/// A server whose maintainer script makes an account, its data, and what that can do without.
const SERVER: &[(&str, &str)] = &[
    ("server 1", "Depends: adduser, lsb-base | sysvinit-utils, data | sysvinit-utils"),
    ("lsb-base 11", ""),
    ("data 1", "Depends: heavy, light"),
    ("heavy 1", "Depends: heavier"),
    ("heavier 1", ""),
    ("light 1", ""),
];

fn resolved_with(configure: bool, lock: Option<&DebianLock>, index: Option<&Index>) -> Resolution {
    let roots = [root("server", "core"), root("light", "scribe")];
    match run(&Given { roots: &roots, lock, update: false, suites: &["trixie"], configure }, index).unwrap() {
        Outcome::Resolved(resolution) => *resolution,
        Outcome::NeedsIndex => panic!("the lock or the index answers"),
    }
}

fn in_image(package: &SystemPackage) -> bool {
    package.is_in_image(&Role::vessel())
}

fn configures(package: &SystemPackage) -> bool {
    package.configures(&Role::vessel())
}

/// Names that are recorded for a purpose, besides the roots that every test has.
fn recorded(resolution: &Resolution, purpose: impl Fn(&SystemPackage) -> bool) -> String {
    let packages = resolution.packages(&Mirrors::default());
    let is_own = |name: &str| {
        !roots::BASE.contains(&name) && !name.contains("python") && !roots::of_configuring().contains(name)
    };
    let names = packages.iter().filter(|package| purpose(package)).map(|package| package.name.as_str());
    names.filter(|name| is_own(name)).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_maintainer_scripts_run_in_is_beside_the_image_and_changes_nothing_in_it() {
    let index = index(&configuring(SERVER));
    let read = resolved_with(false, None, Some(&index));
    let image = "data heavier heavy light lsb-base server";
    assert_eq!(recorded(&read, in_image), image);
    assert_eq!(recorded(&read, configures), "");
    let packages = read.packages(&Mirrors::default());
    assert!(packages.iter().all(in_image), "what has no purpose is not recorded");
    let names: BTreeSet<&DebianName> = packages.iter().map(|package| &package.name).collect();
    assert!(packages.iter().all(|package| package.dependencies.iter().all(|name| names.contains(name))));
    assert!(read.pins().contains_key(&"passwd".parse().unwrap()), "and in the lock all the same");
    assert!(!read.pins().contains_key(&"fakeroot".parse().unwrap()));

    let run = resolved_with(true, None, Some(&index));
    assert_eq!(recorded(&run, in_image), image, "lsb-base is not displaced by sysvinit-utils");
    assert_eq!(recorded(&run, configures), "adduser debconf libfakeroot passwd");
    let packages = run.packages(&Mirrors::default());
    let find = |name: &str| packages.iter().find(|package| package.name.as_str() == name).unwrap();
    for name in roots::of_configuring() {
        assert_eq!(configures(find(name)), !roots::BASE.contains(&name), "{name}");
    }
    assert!(packages.iter().all(|package| in_image(package) != configures(package)));
    assert_eq!(packages.len(), run.pins().len());
    assert!(find("adduser").requested_by.is_empty() && find("data").requested_by.len() == 1);
    assert!(find("server").dependencies.contains(&"adduser".parse().unwrap()));

    // The lock alone answers, also when less is wanted of it.
    assert_eq!(resolved_with(true, Some(&run.lock), None).lock, run.lock);
    assert_eq!(resolved_with(false, Some(&run.lock), None).lock, read.lock);
}

#[test]
fn images_of_a_body_share_a_lock_and_each_has_its_own() {
    let more = [("store 1", "Depends: data | sysvinit-utils, engine"), ("engine 1", "")];
    let index = index(&configuring(&[SERVER, &more].concat()));
    let roots = [root("server", "core")];
    let database = [(Role::database(), vec![root("store", "core")])];
    let given = |lock| Given { roots: &roots, lock, update: false, suites: &["trixie"], configure: true };
    let resolved =
        |lock, further: &[_], index: Option<&Index>| match run_further(&given(lock), further, index).unwrap()
        {
            Outcome::Resolved(resolution) => *resolution,
            Outcome::NeedsIndex => panic!("the lock or the index answers"),
        };
    let alone = resolved(None, &[], Some(&index));
    let both = resolved(Some(&alone.lock), &database, Some(&index));
    let moved: Vec<String> = both.moved.iter().map(ToString::to_string).collect();
    assert_eq!(moved, ["engine 1 added", "store 1 added"]);
    assert_eq!(recorded(&both, in_image), recorded(&alone, in_image));
    let further = |package: &SystemPackage| package.is_in_image(&Role::database());
    assert_eq!(recorded(&both, further), "data engine heavier heavy light store");
    let beside = |package: &SystemPackage| package.configures(&Role::database());
    assert_eq!(recorded(&both, beside), "debconf libfakeroot", "of the server's needs it has none");
    let packages = both.packages(&Mirrors::default());
    let find = |name: &str| packages.iter().find(|package| package.name.as_str() == name).unwrap();
    assert!(further(find("bash")) && !further(find("python3.13-minimal")), "there is no Python in it");
    assert_eq!(find("store").requested_by, BTreeSet::from([MemberId::core()]));
    let written = serde_json::to_value(find("store")).unwrap();
    assert_eq!(
        (&written["image"], &written["images"]),
        (&false.into(), &serde_json::json!({"database": "image"}))
    );
    // The lock alone answers, with the further image and without.
    assert_eq!(resolved(Some(&both.lock), &database, None).lock, both.lock);
    assert_eq!(resolved(Some(&both.lock), &[], None).lock, alone.lock);
}

fn without(resolution: Resolution, text: &str) -> Result<Resolution, String> {
    let source = Source::new("forge.toml", text);
    let names = text.split(' ').map(|name| {
        let start = text.find(name).unwrap();
        Located { value: name.parse().unwrap(), place: source.at(start..start + name.len()) }
    });
    resolution.without(&names.collect::<Vec<_>>()).map_err(|failure| failure.to_string())
}

#[test]
fn an_image_does_without_a_package_and_what_only_it_needs() {
    let index = index(&configuring(SERVER));
    for (configure, beside) in [(false, ""), (true, "adduser debconf heavier heavy libfakeroot passwd")] {
        let all = resolved_with(configure, None, Some(&index));
        let fewer = without(all.clone(), "heavy").unwrap();
        assert_eq!(recorded(&fewer, in_image), "data light lsb-base server");
        assert_eq!(recorded(&fewer, configures), beside);
        assert_eq!(
            recorded(&fewer, |package| !package.requested_by.is_empty()),
            "data light lsb-base server"
        );
        let names = BTreeSet::from(["heavy".parse().unwrap()]);
        let packages = fewer.packages(&Mirrors::default());
        let left_out = left_out(&packages, &names)
            .map(|all| all.iter().map(|package| package.name.to_string()).collect::<Vec<_>>().join(" "));
        assert_eq!(left_out.as_deref(), configure.then_some("heavier heavy"));
        assert_eq!((fewer.lock, fewer.moved), (all.lock, all.moved), "the lock is the same");
    }
    // What one of them needs may be named as well.
    let all = resolved_with(false, None, Some(&index));
    assert_eq!(recorded(&without(all, "heavier heavy").unwrap(), |_| true), "data light lsb-base server");
}

#[test]
fn an_image_cannot_do_without_what_is_asked_for_or_is_not_there() {
    let refused = |names: &str| {
        let index = index(&configuring(SERVER));
        without(resolved_with(true, None, Some(&index)), names).unwrap_err()
    };
    let error = refused("heavy light bash");
    for want in [
        "`without` in [substrate.debian]: somebody asks for `light`\n  at forge.toml:1:7\n",
        "core/pyproject.toml:1:1: asked for here",
        "requested by scribe",
        "somebody asks for `bash`\n  at forge.toml:1:13\n",
        "requested by the substrate",
    ] {
        assert!(error.contains(want), "{want}\n--- not in ---\n{error}");
    }
    assert!(refused("heav").contains("did you mean `heavier`?"));
    let error = refused("adduser haevy");
    for want in [
        "`without` in [substrate.debian]: no package of the image needs `adduser`\n  at forge.toml:1:1\n",
        "needs `haevy`\n  at forge.toml:1:9\n",
        "did you mean `heavy`?",
    ] {
        assert!(error.contains(want), "{want}\n--- not in ---\n{error}");
    }
}

#[test]
fn locales_are_made_by_a_package_that_the_image_has() {
    let with = [SERVER, &[("locales 1", "Depends: libc-bin, debconf")]].concat();
    let index = index(&configuring(&with));
    let suites = ["trixie".parse().unwrap()];
    let mut request = Request {
        platform: PLATFORM,
        suites: &suites,
        python: Some("3.13"),
        roots: &[],
        base: Base::Small,
        further: &[],
        locales: true,
        lock: None,
        update: false,
        compiler: false,
        configure: true,
    };
    let resolved = |request: &Request<'_>| match resolve(request, Some(&index)).unwrap() {
        Outcome::Resolved(resolution) => *resolution,
        Outcome::NeedsIndex => panic!("the index was there"),
    };
    let find = |resolution: &Resolution, name: &str| {
        let packages = resolution.packages(&Mirrors::default());
        packages.into_iter().find(|package| package.name.as_str() == name)
    };
    let made = resolved(&request);
    let locales = find(&made, "locales").unwrap();
    assert!(in_image(&locales) && locales.requested_by.is_empty());
    let debconf = find(&made, "debconf").unwrap();
    assert!(configures(&debconf));
    let refused = without(made, "locales").unwrap_err();
    assert!(refused.contains("somebody asks for `locales`"), "{refused}");
    request.locales = false;
    assert_eq!(find(&resolved(&request), "locales"), None);
}

/// A lock as an older forge wrote it: without what an image does not need.
fn partial(whole: &str) -> DebianLock {
    let mut lock: serde_json::Value = serde_json::from_str(whole).unwrap();
    lock["schema"] = "lychd-forge/debian-lock/1".into();
    let left_out = ["adduser", "passwd", "debconf"].map(serde_json::Value::from);
    let packages = lock["platforms"]["x86_64-linux"]["packages"].as_array_mut().unwrap();
    packages.retain(|package| !left_out.contains(&package["name"]));
    for package in packages {
        package["depends"].as_array_mut().unwrap().retain(|name| !left_out.contains(name));
    }
    DebianLock::parse(&Source::new("debian.lock.json", lock.to_string())).unwrap()
}

#[test]
fn a_lock_of_an_older_forge_is_completed_and_its_versions_stay() {
    let roots = [root("server", "core"), root("light", "scribe")];
    let before = index(&configuring(SERVER));
    let newer: Vec<(&str, &str)> = SERVER
        .iter()
        .map(|&(head, fields)| if head == "server 1" { ("server 2", fields) } else { (head, fields) })
        .collect();
    let newer = index(&configuring(&newer));
    for configure in [false, true] {
        let whole = resolved_with(configure, None, Some(&before));
        let old = partial(&whole.lock.to_canonical_json());
        assert!(old.to_canonical_json().contains("debian-lock/1"), "it is not called whole");
        let given = Given { roots: &roots, lock: Some(&old), update: false, suites: &["trixie"], configure };
        assert_eq!(run(&given, None), Ok(Outcome::NeedsIndex));
        // Also a version that the index no longer has gets back what its maintainer scripts need.
        for index in [&before, &newer] {
            let completed = resolved_with(configure, Some(&old), Some(index));
            assert_eq!(completed.lock, whole.lock);
            assert_eq!(moved(&completed), "adduser 1 added, debconf 1 added, passwd 1 added");
        }
    }
}
