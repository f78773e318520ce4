//! What packages are for: the images, what builds them, what their maintainer scripts run in.

use super::*;

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
