//! Debian's live archive: its signatures hold, and what we choose is what apt chooses.
//!
//! apt runs in a root of its own, with an empty status file and lists made from the very texts that
//! the forge verified. `--print-uris` gives apt's choice without simulating the order of unpacking,
//! which is what takes `-s` its time; one set goes through `-s` as well.

#![expect(clippy::expect_used, clippy::panic, reason = "a test's own helpers")]

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use lychd_forge::{
    debian::{
        self, Base, Mirrors, Outcome, Request, Resolution, Root, SystemSources, index::Index,
        relation::compare, unneeded,
    },
    host::{clock, environment, file, http::Client, process::Command, progress::Silent},
    name::{Platform, Role, debian::Suite, url::HostPolicy},
};

const TRIXIE: [&str; 3] = ["trixie", "trixie-updates", "trixie-security"];
const BOOKWORM: [&str; 3] = ["bookworm", "bookworm-updates", "bookworm-security"];

/// Sets of different kinds.
const SETS: [&str; 32] = [
    "nginx",
    "apache2",
    "redis-server",
    "postgresql-17-pgvector",
    "mariadb-server",
    "rabbitmq-server",
    "ffmpeg tesseract-ocr",
    "tesseract-ocr-deu poppler-utils ghostscript",
    "imagemagick",
    "libgtk-3-0t64",
    "gtk-4-examples",
    "fonts-noto-core fontconfig",
    "fonts-liberation fonts-dejavu",
    "python3-scipy",
    "python3-numpy python3-pandas",
    "libopenblas0 liblapack3",
    "octave",
    "perl libwww-perl",
    "libdbd-pg-perl",
    "openjdk-21-jre-headless",
    "default-jre-headless maven",
    "nodejs npm",
    "postfix",
    "exim4-daemon-light mutt",
    "python3-django",
    "python3-lxml python3-cryptography python3-psycopg2",
    "0ad-data",
    "libreoffice-writer-nogui",
    "git curl ca-certificates openssh-client",
    "gdal-bin",
    "texlive-latex-base",
    "gstreamer1.0-plugins-good gstreamer1.0-libav",
];

fn suites(names: &[&str]) -> Vec<Suite> {
    names.iter().map(|name| name.parse().expect("a suite")).collect()
}

fn packages(platform: Platform, names: &[&str]) -> Vec<(Suite, String)> {
    let client = Client::new(HostPolicy::new([]));
    let suites = suites(names);
    let mirrors = Mirrors::default();
    let sources = SystemSources { platform, suites: &suites, mirrors: &mirrors, keyring: None };
    debian::read_packages(&client, &sources, clock::unix_seconds(), &Silent).expect("a verified index")
}

fn apt_root(root: &Path, packages: &[(Suite, String)]) {
    let put = |path: String, text: &str| file::write(&root.join(path), text.as_bytes()).expect("a file");
    for directory in [
        "etc/apt/apt.conf.d",
        "etc/apt/preferences.d",
        "etc/apt/sources.list.d",
        "etc/apt/trusted.gpg.d",
        "var/lib/apt/lists/partial",
        "var/cache/apt/archives/partial",
        "var/log/apt",
    ] {
        file::create_directory(&root.join(directory)).expect("a directory");
    }
    put("var/lib/dpkg/status".to_owned(), "");
    let mut sources = String::new();
    for (suite, text) in packages {
        let base = suite.archive().default_url();
        writeln!(sources, "deb [trusted=yes] {base} {suite} main").expect("a string grows");
        let list = format!("{}_dists_{suite}", base.trim_start_matches("http://").replace('/', "_"));
        let release = format!(
            "Origin: Debian\nSuite: {suite}\nCodename: {suite}\nArchitectures: amd64\nComponents: main\n"
        );
        put(format!("var/lib/apt/lists/{list}_Release"), &release);
        put(format!("var/lib/apt/lists/{list}_main_binary-amd64_Packages"), text);
    }
    put("etc/apt/sources.list".to_owned(), &sources);
    let at = root.display();
    put(
        "apt.conf".to_owned(),
        &format!(
            "Dir \"{at}\";\nDir::State::status \"{at}/var/lib/dpkg/status\";\nAPT::Architecture \"amd64\";\n\
             APT::Architectures {{ \"amd64\"; }};\nAPT::Solver \"internal\";\nAcquire::Languages \"none\";\n"
        ),
    );
    let built = apt(root, "apt-cache", &["gencaches"]);
    assert!(built.success(), "{}", built.stderr);
}

fn apt(root: &Path, program: &str, arguments: &[&str]) -> lychd_forge::host::process::Output {
    tool(program)
        .args(arguments)
        .only_env([
            ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
            ("LC_ALL", "C".to_owned()),
            ("APT_CONFIG", root.join("apt.conf").display().to_string()),
        ])
        .output()
        .expect("it starts")
}

/// A tool of the host; these tests run on Debian, which has both apt and dpkg.
fn tool(program: &str) -> Command {
    let found = environment::program(program);
    Command::new(found.unwrap_or_else(|| panic!("`{program}` is needed for this test and is not installed")))
}

/// The order of the roots counts, for apt and for us; the forge takes them sorted.
fn sorted(set: &str) -> Vec<&str> {
    let mut roots: Vec<&str> = set.split(' ').collect();
    roots.sort_unstable();
    roots
}

/// Names of what apt would install: of `'http://…' bash_5.2_amd64.deb …`, or of `Inst bash (…)`.
fn chosen_by_apt(root: &Path, set: &str, simulate: bool) -> BTreeSet<String> {
    let how = if simulate { "-s" } else { "--print-uris" };
    let options = ["-y", "--no-install-recommends", how, "install"];
    let arguments: Vec<&str> = options.into_iter().chain(sorted(set)).collect();
    let output = apt(root, "apt-get", &arguments);
    assert!(output.success(), "apt cannot install {set}: {}", output.stderr);
    let text = output.text();
    let name = |line: &str| {
        if simulate {
            line.strip_prefix("Inst ")?.split(' ').next().map(str::to_owned)
        } else {
            line.strip_prefix('\'')?.split(' ').nth(1)?.split('_').next().map(str::to_owned)
        }
    };
    text.lines().filter_map(name).collect()
}

fn chosen_by_us(index: &Index, set: &str) -> BTreeSet<String> {
    pinned(&resolve(&TRIXIE, (None, Base::None), set, false, index))
}

fn pinned(resolution: &Resolution) -> BTreeSet<String> {
    resolution.pins().keys().map(ToString::to_string).collect()
}

fn resolve(
    names: &[&str],
    (python, base): (Option<&str>, Base),
    roots: &str,
    configure: bool,
    index: &Index,
) -> Resolution {
    let root = |name: &str| Root {
        name: name.parse().expect("a name"),
        requested_by: Some("core".parse().expect("a member")),
        place: None,
    };
    let roots: Vec<Root> = roots.split(' ').map(root).collect();
    let request = Request {
        platform: index.platform(),
        suites: &suites(names),
        python,
        roots: &roots,
        base,
        further: &[],
        locales: false,
        lock: None,
        update: false,
        compiler: false,
        configure,
    };
    match debian::resolve(&request, Some(index)).expect("a closed set") {
        Outcome::Resolved(resolution) => *resolution,
        Outcome::NeedsIndex => panic!("the index was there"),
    }
}

#[test]
fn the_closure_is_apts() {
    let packages = packages(Platform::X86_64Linux, &TRIXIE);
    let root = tempfile::tempdir().expect("a directory");
    apt_root(root.path(), &packages);
    let index = Index::new(Platform::X86_64Linux, packages).expect("an index");
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    while let Some(set) = SETS.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let apt = chosen_by_apt(root.path(), set, false);
                        assert!(!apt.is_empty(), "{set}");
                        assert_eq!(chosen_by_us(&index, set), apt, "{set}");
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.join().expect("every set is as apt's");
        }
    });
    assert_eq!(chosen_by_us(&index, "ffmpeg"), chosen_by_apt(root.path(), "ffmpeg", true));

    // The lock is apt's whole set; the image is that less what is unneeded and what only that pulls in.
    let wanted = "ffmpeg libmagic1 postgresql-17-pgvector rabbitmq-server tesseract-ocr";
    let small = (Some("3.13"), Base::Small);
    let resolution = resolve(&TRIXIE, small, wanted, false, &index);
    let asked = format!("{wanted} python3.13-minimal libpython3.13-stdlib {}", debian::roots::BASE.join(" "));
    let whole = chosen_by_apt(root.path(), &asked, false);
    assert_eq!(pinned(&resolution), whole);
    let image = of_image(&resolution);
    let left_out: BTreeSet<&String> = whole.difference(&image).collect();
    let listed = |name: &str| unneeded::UNNEEDED.iter().any(|entry| entry.on == name);
    assert!(left_out.iter().any(|name| listed(name)), "{left_out:?}");
    for name in ["dpkg", "debconf", "init-system-helpers", "systemd"] {
        assert!(!image.contains(name), "{name}");
    }
    assert!(image.contains("libmagic1t64") && image.contains("perl"), "{image:?}");

    // With what maintainer scripts run in there is more in the lock, and the same in the image.
    let run = resolve(&TRIXIE, small, wanted, true, &index);
    assert_eq!(of_image(&run), image);
    assert!(whole.is_subset(&pinned(&run)));
    let packages = run.packages(&Mirrors::default());
    assert_eq!(packages.len(), run.pins().len());
    assert!(
        packages
            .iter()
            .all(|package| package.is_in_image(&Role::vessel()) != package.configures(&Role::vessel()))
    );
    for name in debian::roots::of_configuring() {
        assert!(packages.iter().any(|package| package.name.as_str() == name), "{name}");
    }
}

fn of_image(resolution: &Resolution) -> BTreeSet<String> {
    let packages = resolution.packages(&Mirrors::default());
    packages
        .iter()
        .filter(|package| package.is_in_image(&Role::vessel()))
        .map(|package| package.name.to_string())
        .collect()
}

/// What the archive calls Essential.
fn essential(packages: &[(Suite, String)]) -> BTreeSet<&str> {
    let paragraphs = packages.iter().flat_map(|(_, text)| text.split("\n\n"));
    let essential = paragraphs.filter(|text| text.lines().any(|line| line == "Essential: yes"));
    essential.filter_map(|text| text.lines().find_map(|line| line.strip_prefix("Package: "))).collect()
}

#[test]
fn other_suites_and_platforms_are_verified_and_resolved() {
    let bookworm = Platform::X86_64Linux;
    let old = packages(bookworm, &BOOKWORM);
    // Whatever a suite calls Essential is in the table, and nothing else is.
    let table: BTreeSet<&str> = debian::essential::ESSENTIAL.iter().map(|entry| entry.name).collect();
    let new = packages(bookworm, &TRIXIE);
    let both: BTreeSet<&str> = essential(&old).union(&essential(&new)).copied().collect();
    assert_eq!(both, table);
    let index = Index::new(bookworm, old).expect("an index");
    let pins = resolve(&BOOKWORM, (Some("3.11"), Base::Small), "tesseract-ocr", true, &index);
    assert!(pins.pins().values().any(|pin| pin.name.as_str() == "python3.11-minimal"));
    let arm = Platform::Aarch64Linux;
    let index = Index::new(arm, packages(arm, &TRIXIE[2..])).expect("an index");
    assert!(index.len() > 1_000, "{}", index.len());
}

#[test]
fn versions_are_ordered_as_dpkg_orders_them() {
    let table = [
        ("1.0", "1.0-0"),
        ("1.0~beta1", "1.0"),
        ("1.0~beta1~svc1", "1.0~beta1"),
        ("1.0~~", "1.0~"),
        ("1.0-1", "1.0-1+b1"),
        ("1.0-1+b2", "1.0-1+b10"),
        ("1.0-1+b1", "1.0-1.1"),
        ("1.0-1+deb13u1", "1.0-1~deb13u1"),
        ("1:0.1", "2.0"),
        ("0:1", "1"),
        ("10:0", "9:9"),
        ("1.0a", "1.0"),
        ("1.0a-1", "1.0+dfsg-1"),
        ("1.0z", "1.0.1"),
        ("1.9", "1.10"),
        ("1.01", "1.1"),
        ("1.0-2-1", "1.0-10-1"),
        ("7:7.1.5-0+deb13u1", "7:7.1.5-0+deb13u2"),
        ("2.41-12+deb13u4", "2.41-12"),
        ("20240203", "20240203~deb12u1"),
        ("1.2.11.1~dfsg", "1.2.11.1+dfsg"),
        ("5.36.0-7+deb12u3", "5.36.0-7+deb12u10"),
    ];
    for (left, right) in table {
        for (a, b) in [(left, right), (right, left)] {
            let expected = match compare(a, b) {
                std::cmp::Ordering::Less => "lt",
                std::cmp::Ordering::Equal => "eq",
                std::cmp::Ordering::Greater => "gt",
            };
            let output = tool("dpkg").args(["--compare-versions", a, expected, b]).output();
            assert!(output.expect("it starts").success(), "{a} {expected} {b}");
        }
    }
}
