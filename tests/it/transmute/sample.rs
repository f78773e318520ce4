//! Synthesis values made by hand, for the golden flake and for the bench.

use std::collections::{BTreeMap, BTreeSet};

use lychd_forge::{
    crypt::WorkingCopy,
    debian::{Part, SystemPackage},
    digest::{
        Sha256,
        nar::nar_sha256,
        store_path::{StoreName, StorePath},
    },
    hook::{
        Limits,
        record::{Hook, HookEngine},
    },
    name::{
        self, MemberId, Platform,
        url::{ArtifactUrl, HostPolicy},
    },
    python::record::{BuildBackend, BuildEnvironment, File, Origin, PackageSource, Place, PythonPackage},
    synthesis::value::{Image, Member, NixpkgsPackage, Policy, Role, SCHEMA, Substrate, Synthesis, User},
    tree::FileTree,
};

pub(crate) type Sources = BTreeMap<MemberId, FileTree>;

const ENVIRONMENT: &str = "0123456789abcdef";

fn ids(ids: &[&str]) -> BTreeSet<MemberId> {
    ids.iter().map(|id| id.parse().unwrap()).collect()
}

/// An address of the public index.
pub(crate) fn address(path: &str) -> ArtifactUrl {
    HostPolicy::new([]).check(&format!("https://files.pythonhosted.org/packages/{path}")).unwrap()
}

pub(crate) fn wheel(name: &str, version: &str, size: u64, requested_by: &[&str]) -> PythonPackage {
    let filename = format!("{}-{version}-py3-none-any.whl", name.replace('-', "_"));
    let sha256 = Sha256::of(&filename);
    PythonPackage {
        name: name.parse().unwrap(),
        version: version.to_owned(),
        source: PackageSource::Wheel(File {
            place: Place::Download(address(&format!("{}/{filename}", sha256.short(2)))),
            name: filename,
            size,
            origin: Origin::Unnamed,
        }),
        sha256,
        requested_by: ids(requested_by),
        dependencies: BTreeSet::new(),
    }
}

pub(crate) fn deb(
    name: &str,
    version: &str,
    megabytes: u64,
    image: bool,
    tool: bool,
    by: &[&str],
) -> SystemPackage {
    let upstream = version.split_once(':').map_or(version, |(_, rest)| rest);
    let filename = format!("{name}_{upstream}_amd64.deb");
    let sha256 = Sha256::of(&filename);
    SystemPackage {
        name: name.parse().unwrap(),
        version: version.to_owned(),
        architecture: "amd64".to_owned(),
        url: format!("http://deb.debian.org/debian/pool/main/{}/{name}/{filename}", &name[..1]),
        sha256,
        size: megabytes << 18,
        installed_size: megabytes << 20,
        filename: StoreName::mapped(&filename),
        requested_by: ids(by),
        dependencies: BTreeSet::new(),
        images: image.then(|| (name::Role::vessel(), Part::Image)).into_iter().collect(),
        tool,
        compiler: false,
    }
}

/// The same as what maintainer scripts alone need.
fn configuring(package: SystemPackage) -> SystemPackage {
    SystemPackage { images: [(name::Role::vessel(), Part::Configure)].into(), ..package }
}

/// The same as a part of the database's image as well.
fn of_database(mut package: SystemPackage, part: Part) -> SystemPackage {
    package.images.insert(name::Role::database(), part);
    package
}

fn member(id: &str, backend: Option<&str>) -> (Member, FileTree) {
    let id: MemberId = id.parse().unwrap();
    let name = format!("lychd-{}", id.as_str().replace(['/', '_'], "-"));
    let mut tree = FileTree::new();
    tree.insert_text("pyproject.toml".parse().unwrap(), format!("[project]\nname = \"{name}\"\n"));
    tree.insert_text("src/odd name ${x}.py".parse().unwrap(), "print('hi')\n");
    let nar = nar_sha256(&tree).unwrap();
    let member = Member {
        role: if id.is_core() { Role::Core } else { Role::Extension },
        name: name.parse().unwrap(),
        version: Some("0.1.0".to_owned()),
        nar_sha256: nar,
        working_copy: WorkingCopy::Unversioned,
        store_path: StorePath::of_source(&nar, &StoreName::mapped(&format!("{name}-source"))),
        hook: id.is_core().then(|| Hook {
            sha256: Sha256::of("hook"),
            registered_sha256: Sha256::of("registered"),
            engine: HookEngine {
                name: "bubblewrap".to_owned(),
                version: "1".to_owned(),
                sha256: Sha256::of("engine"),
            },
            limits: Limits::default(),
        }),
        place: None,
        build_environment: backend.map(|_| ENVIRONMENT.to_owned()),
        build_backend: backend.map(|object| BuildBackend { object: object.to_owned(), path: vec![] }),
        native: false,
        system_dependencies: vec![],
        dependencies: BTreeSet::new(),
        id,
    };
    (member, tree)
}

fn text_map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A core and two extensions, five Debian packages, four wheels, one build environment of three.
pub(crate) fn small() -> (Synthesis, Sources) {
    let members = [
        member("core", Some("hatchling.build")),
        member("scribe", Some("hatchling.build")),
        member("vision/ocr_2", Some("flit_core.buildapi")),
    ];
    let sources = members.iter().map(|(member, tree)| (member.id.clone(), tree.clone())).collect();
    let synthesis = Synthesis {
        schema: SCHEMA,
        forge: "0.1.0".to_owned(),
        source_date_epoch: 1,
        platform: Platform::X86_64Linux,
        python: "3.13".to_owned(),
        substrate: Substrate::Debian {
            suites: vec!["trixie".to_owned()],
            without: BTreeSet::from(["libmagic-mgc".parse().unwrap()]),
            locales: Vec::new(),
        },
        members: members.into_iter().map(|(member, _)| member).collect(),
        python_packages: vec![
            wheel("idna", "3.10", 70_442, &["core", "scribe"]),
            wheel("litestar", "2.18.0", 570_023, &["core"]),
            wheel("numpy", "2.3.5", 16_600_000, &["vision/ocr_2"]),
            wheel("torch", "2.9.1+cpu", 180_000_000, &["vision/ocr_2"]),
        ],
        node: None,
        system_packages: vec![
            of_database(configuring(deb("dpkg", "1.22.21", 6, false, false, &[])), Part::Configure),
            of_database(deb("libc6", "2.41-12", 12, true, true, &[]), Part::Image),
            configuring(deb("libmagic-mgc", "1:5.46-5", 9, false, false, &[])),
            deb("libmagic1t64", "1:5.46-5", 1, true, false, &["scribe"]),
            of_database(deb("postgresql-17", "17.6-0+deb13u1", 55, false, false, &["core"]), Part::Image),
            deb("python3.13-minimal", "3.13.5-2", 6, false, true, &[]),
        ],
        build_environments: vec![BuildEnvironment {
            id: ENVIRONMENT.to_owned(),
            requires: vec!["hatchling".to_owned()],
            packages: vec![
                wheel("hatchling", "1.28.0", 76_000, &["core", "scribe"]),
                wheel("packaging", "25.0", 66_000, &["core", "scribe"]),
                wheel("pathspec", "0.12.1", 31_000, &["core", "scribe"]),
            ],
        }],
        image: Image {
            name: "localhost/lychd".to_owned(),
            command: ["granian", "--interface", "asgi", "app:create_app"].map(str::to_owned).to_vec(),
            user: User { name: "lich".to_owned(), uid: 1001 },
            environment: text_map(&[("PYTHONDONTWRITEBYTECODE", "1"), ("HOME", "/home/lich")]),
            directories: vec!["/home/lich".to_owned()],
            volumes: BTreeSet::new(),
            labels: text_map(&[("org.opencontainers.image.licenses", "MPL-2.0")]),
            ports: BTreeSet::from([8000, 443]),
            stop_signal: None,
            entry: None,
            starts: [("command", "granian".to_owned()), ("migrate", "lychd".to_owned())].into(),
            collisions: text_map(&[("/app/.venv/share/a \"${x}\".txt", "numpy")]),
            missing_libraries: BTreeMap::from([(
                "torch".to_owned(),
                ["libgomp.so.1.0.0", "libtbb.so.12"].map(str::to_owned).into(),
            )]),
        },
        images: [(name::Role::database(), database())].into(),
        inputs: BTreeMap::new(),
        tools: BTreeMap::new(),
        policy: Policy::default(),
    };
    (synthesis, sources)
}

/// A further image.
fn database() -> Image {
    Image {
        name: "localhost/lychd-database".to_owned(),
        command: vec!["postgres".to_owned()],
        user: User { name: "postgres".to_owned(), uid: 1001 },
        environment: text_map(&[("PGDATA", "/var/lib/postgresql/data")]),
        directories: vec!["/run/postgresql".to_owned()],
        volumes: BTreeSet::from(["/var/lib/postgresql/data".to_owned()]),
        labels: BTreeMap::new(),
        ports: BTreeSet::from([5432]),
        stop_signal: Some("SIGINT".parse().unwrap()),
        entry: Some("postgresql"),
        starts: [("command", "postgres".to_owned()), ("health", "pg_isready".to_owned())].into(),
        collisions: BTreeMap::new(),
        missing_libraries: BTreeMap::new(),
    }
}

/// As [`small`], on nixpkgs: the Debian packages under the names they have there.
#[allow(dead_code, reason = "the bench has no use for it")]
pub(crate) fn on_nixpkgs() -> (Synthesis, Sources) {
    let (mut synthesis, sources) = small();
    synthesis.system_packages.clear();
    synthesis.images.clear();
    let mut packages: Vec<_> = [
        ("bash", "bash"),
        ("ca-certificates", "cacert"),
        ("coreutils", "coreutils"),
        ("libc-bin", "glibc.bin"),
        ("libc6", "glibc"),
        ("libstdc++6", "stdenv.cc.cc.lib"),
        ("media-types", "mailcap"),
        ("netbase", "iana-etc"),
        ("python3.13-minimal", "python313"),
        ("tzdata", "tzdata"),
        ("zlib1g", "zlib"),
    ]
    .into_iter()
    .map(|(name, attribute)| nixpkgs_package(name, attribute, &[], &[]))
    .collect();
    let asked = nixpkgs_package("libmagic1", "file", &["scribe"], &["extensions/scribe/pyproject.toml:9:24"]);
    packages.push(asked);
    synthesis.substrate = Substrate::Nixpkgs {
        reference: "github:NixOS/nixpkgs/531670d871c0e29724a02f3cbcac170adc65b58c".parse().unwrap(),
        nar_hash: Sha256::of("nixpkgs"),
        glibc: [2, 40],
        packages,
    };
    (synthesis, sources)
}

#[allow(dead_code, reason = "the bench has no use for it")]
pub(crate) fn nixpkgs_package(name: &str, attribute: &str, by: &[&str], places: &[&str]) -> NixpkgsPackage {
    NixpkgsPackage {
        name: name.parse().unwrap(),
        attribute: attribute.parse().unwrap(),
        requested_by: ids(by),
        places: places.iter().map(|place| (*place).to_owned()).collect(),
    }
}

/// As [`small`], with `packages` packages: half of them wheels, half Debian's.
#[allow(dead_code, reason = "the bench alone uses it")]
pub(crate) fn of_size(packages: usize) -> (Synthesis, Sources) {
    let (mut synthesis, sources) = small();
    let size = |index: usize| (index as u64 * 7_919) % 40;
    synthesis.python_packages = (0..packages / 2)
        .map(|index| wheel(&format!("package-{index:04}"), "1.26.4", size(index) << 17, &["core", "scribe"]))
        .collect();
    synthesis.system_packages = (0..packages - packages / 2)
        .map(|index| {
            deb(&format!("library{index:04}"), "1:2.41-12+deb13u1", size(index), true, index < 60, &["core"])
        })
        .collect();
    (synthesis, sources)
}
