//! Unit files of whole Codices: golden trees, judged by podman's generator and systemd, and each law's failing case.
#![expect(clippy::disallowed_methods, reason = "tests read golden files")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail so")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::{golden, validator::VALIDATOR};
use lychd_forge::{
    codex::{self, Codex, DatabaseImage},
    diagnostic::Source,
    host::file,
    image::ConfigDigest,
    name::Role,
    runes::{
        Layout, RenderInput, Rendered, RuneRecord, podman::PodmanVersion, render, systemd::SystemdVersion,
    },
    tree::FileTree,
};

/// A home of its own, so that no golden file knows a machine.
pub(crate) fn layout() -> Layout {
    let home = PathBuf::from("/home/magus");
    Layout {
        codex: home.join(".config/lychd"),
        crypt: home.join(".local/share/lychd"),
        support: home.join(".local/state/lychd-forge/support"),
        sites: vec![home.join(".config/containers/systemd"), home.join(".config/systemd/user")],
        own: vec![home.join(".local/state/lychd-forge"), home.join(".cache/lychd-forge")],
        closed: Vec::new(),
        home,
    }
}

pub(crate) const NO_MEMBERS: &str =
    r#"{ "runes": [], "schema": "lychd-forge/federation/1", "web_port": 8000 }"#;

pub(crate) fn rendered(
    codex: &Codex,
    federation: &str,
    podman: &str,
    ports: &BTreeMap<lychd_forge::name::RuneName, u16>,
) -> Result<Rendered, String> {
    let federated = RuneRecord::parse("federation.json", federation.as_bytes().to_vec())
        .map_err(|failure| failure.to_string())?;
    let podman: PodmanVersion = podman.parse().unwrap();
    let database = codex.lychd.database.image.value == DatabaseImage::Forged;
    let further = database.then(|| (Role::database(), ConfigDigest::of("database").into()));
    let inscribed = RenderInput {
        codex,
        federated: &federated,
        body: &ConfigDigest::of("body").into(),
        further: &further.into_iter().collect(),
        layout: &layout(),
        resolve: &|path: &Path| Ok(path.to_owned()),
        podman,
        systemd: SystemdVersion::new(257),
        ports,
    };
    render(&inscribed).map_err(|failure| failure.to_string())
}

pub(crate) fn cases() -> Vec<PathBuf> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/inscription");
    let mut cases: Vec<PathBuf> = fs::read_dir(golden).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

/// A file that containers of a golden set read, by its name without its hash.
pub(crate) fn support(case: &str, name: &str) -> PathBuf {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/inscription");
    let directory = golden.join(case).join("expected/support");
    let mut files = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let called = |path: &PathBuf| path.to_str().unwrap().ends_with(&format!("-{name}"));
    files.find(called).unwrap_or_else(|| panic!("no {name} in {}", directory.display()))
}

pub(crate) fn of_case(case: &Path, podman: &str) -> Rendered {
    let codex =
        codex::load(&case.join("codex")).unwrap_or_else(|error| panic!("{}: {error}", case.display()));
    let federation =
        fs::read_to_string(case.join("federation.json")).unwrap_or_else(|_| NO_MEMBERS.to_owned());
    rendered(&codex, &federation, podman, &BTreeMap::new())
        .unwrap_or_else(|error| panic!("{}: {error}", case.display()))
}

/// All files of a set in one tree.
fn all(rendered: &Rendered) -> FileTree {
    let mut tree = FileTree::new();
    for (name, part) in
        [("quadlets", &rendered.quadlets), ("units", &rendered.units), ("support", &rendered.support)]
    {
        tree.insert_tree(&name.parse().unwrap(), part);
    }
    tree
}

#[test]
fn every_set_is_the_golden_one() {
    let cases = cases();
    assert!(cases.len() >= 7);
    for case in cases {
        let tree = all(&of_case(&case, "5.4.2"));
        let name = case.file_name().unwrap().to_str().unwrap();
        golden::holds_tree(&format!("tests/golden/inscription/{name}/expected"), &tree);
    }
}

#[test]
fn a_set_depends_on_nothing_but_its_codex() {
    for case in cases() {
        let first = all(&of_case(&case, "5.4.2"));
        assert_eq!(first, all(&of_case(&case, "5.4.2")), "{}", case.display());
        // The order in which files are found says nothing.
        let mut sources = Vec::new();
        for (path, _) in file::read_tree(&case.join("codex")).unwrap().iter() {
            let text = fs::read_to_string(case.join("codex").join(path.as_str())).unwrap();
            sources.insert(0, Source::new(path.as_str(), text));
        }
        let codex = codex::parse(&sources).unwrap();
        let federation =
            fs::read_to_string(case.join("federation.json")).unwrap_or_else(|_| NO_MEMBERS.to_owned());
        let shuffled = rendered(&codex, &federation, "5.4.2", &BTreeMap::new()).unwrap();
        assert_eq!(first, all(&shuffled), "{}", case.display());
    }
}

#[test]
fn podman_and_systemd_accept_every_set() {
    for case in cases() {
        for podman in ["5.3.0", "5.4.2"] {
            let rendered = of_case(&case, podman);
            let verdict =
                VALIDATOR.check(&rendered.quadlets, &rendered.units, &rendered.generated()).unwrap();
            let told: Vec<String> = verdict.findings.iter().map(ToString::to_string).collect();
            assert_eq!(told, Vec::<String>::new(), "{} for podman {podman}", case.display());
        }
    }
}

#[test]
fn a_body_that_lacks_the_image_that_the_codex_wants_of_it_is_told_so() {
    let codex = codex::load(Path::new("tests/golden/inscription/forged/codex")).unwrap();
    let refused = render(&RenderInput {
        codex: &codex,
        federated: &RuneRecord::parse("federation.json", NO_MEMBERS.as_bytes().to_vec()).unwrap(),
        body: &ConfigDigest::of("body").into(),
        further: &BTreeMap::new(),
        layout: &layout(),
        resolve: &|path: &Path| Ok(path.to_owned()),
        podman: "5.4.2".parse().unwrap(),
        systemd: SystemdVersion::new(257),
        ports: &BTreeMap::new(),
    });
    let told = refused.unwrap_err().to_string();
    assert!(
        told.starts_with(
            "the body has no image `database`, which is wanted of it\n  at lychd.toml:2:9\n  \
             help: add [tool.lychd.images.database] to `core/pyproject.toml` and forge again\n"
        ),
        "{told}"
    );
}

/// A member's rune may run an image of the body as the Phylactery does.
#[test]
fn a_rune_runs_an_image_of_the_body() {
    let rendered = |image: &str| {
        let federation = json!({
            "migrate": [], "schema": "lychd-forge/federation/2", "web_port": 8000,
            "runes": [{ "member": "core", "place": "core/pyproject.toml:1:1", "rune": {
                "capabilities": [], "expose-port": false, "groups": [], "image": image, "name": "cache", "port": 6379,
                "volumes": [], "grants": { "devices": [], "image-user": false, "label-disable": false,
                    "linux-capabilities": [], "new-privileges": false, "tmpfs": [], "writable": false },
            } }],
        });
        let further =
            ["cache", "database"].map(|role| (role.parse().unwrap(), ConfigDigest::of(role).into()));
        render(&RenderInput {
            codex: &codex::load(Path::new("tests/golden/inscription/forged/codex")).unwrap(),
            federated: &RuneRecord::parse("federation.json", federation.to_string().into_bytes()).unwrap(),
            body: &ConfigDigest::of("body").into(),
            further: &further.into(),
            layout: &layout(),
            resolve: &|path: &Path| Ok(path.to_owned()),
            podman: "5.4.2".parse().unwrap(),
            systemd: SystemdVersion::new(257),
            ports: &BTreeMap::new(),
        })
    };
    let set = rendered("forged:cache").unwrap();
    let unit = set.quadlets.file(&"lychd-cache.container".parse().unwrap()).unwrap();
    let unit = String::from_utf8_lossy(unit);
    assert!(unit.contains(&format!("\nImage=sha256:{}\nPull=never\n", ConfigDigest::of("cache"))), "{unit}");
    assert!(set.images.is_empty(), "nothing of other people: {:?}", set.images);
    let pinned = format!("forged@sha256:{}", "0".repeat(64));
    for (image, want) in [
        ("forged:other", "the body has no image `other`, which is wanted of it\n"),
        ("forged", "the image `forged` of `lychd-cache` is none of the body\n"),
        (&pinned, "of `lychd-cache` is none of the body\n"),
    ] {
        let told = rendered(image).unwrap_err().to_string();
        assert!(told.contains(want) && told.matches("\n  help:").count() <= 2, "{told}");
    }
}

#[test]
fn a_members_rune_is_told_by_where_it_was_written() {
    let case = cases().into_iter().find(|case| case.ends_with("members")).unwrap();
    let codex = codex::load(&case.join("codex")).unwrap();
    let federation = fs::read_to_string(case.join("federation.json")).unwrap().replace("8600", "5432");
    let error = rendered(&codex, &federation, "5.4.2", &BTreeMap::new()).unwrap_err();
    for want in [
        "port 5432 of the pod is wanted by LychD's database and rune `speech` of `speech`",
        "requested by speech",
        "note: rune `speech` of `speech` is written at extensions/speech/pyproject.toml:5:1",
    ] {
        assert!(error.contains(want), "{want}\n--- not in ---\n{error}");
    }
}

/// What is closed stays closed when it lies on a disk that the desktop mounts, or where the environment puts it.
#[test]
fn what_is_closed_is_so_wherever_it_lies() {
    let set = |volume: &str| {
        let text = format!("name = 'a'\nmodel_path = '/models/a.gguf'\nvolumes = ['{volume}:/models']\n");
        let sources = [
            Source::new("runes/animator/soulstones/llamacpp/a.toml", text),
            Source::new("lychd.toml", "[extensions]\nbuiltins = [\"animator/llamacpp\"]\n".to_owned()),
            Source::new(
                "forge.toml",
                "[policy]\nallow-tags = [\"docker.io/pgvector/pgvector\", \"ghcr.io/ggml-org/llama.cpp\"]\n"
                    .to_owned(),
            ),
        ];
        let mut layout = layout();
        layout.closed = vec!["/data/containers".into()];
        let codex = codex::parse(&sources).unwrap();
        let resolve = |path: &Path| match path.strip_prefix("/home/magus/.ssh") {
            Ok(below) => Ok(Path::new("/run/media/magus/disk/ssh").join(below)),
            Err(_) => Ok(path.to_owned()),
        };
        render(&RenderInput {
            codex: &codex,
            federated: &RuneRecord::parse("federation.json", NO_MEMBERS.as_bytes().to_vec()).unwrap(),
            body: &ConfigDigest::of("body").into(),
            further: &BTreeMap::new(),
            layout: &layout,
            resolve: &resolve,
            podman: "5.4.2".parse().unwrap(),
            systemd: SystemdVersion::new(257),
            ports: &BTreeMap::new(),
        })
        .map_err(|failure| failure.to_string())
    };
    for (volume, root) in [
        ("/run/media/magus/disk", "/home/magus/.ssh"),
        ("/run/media/magus/disk/ssh", "/home/magus/.ssh"),
        ("/run/media", "/run"),
        ("/data", "/data/containers"),
        ("/data/containers/storage", "/data/containers"),
        ("/var/tmp/x", "/var/tmp"),
    ] {
        let told = set(volume).unwrap_err();
        assert!(told.contains(&format!("overlaps `{root}`")), "{volume}: {told}");
    }
    set("/run/media/magus/disk/models").unwrap();
}

#[test]
fn a_mount_that_cannot_be_looked_at_is_neither_rendered_nor_refused() {
    let text = "name = 'a'\nmodel_path = '/models/a.gguf'\nvolumes = ['/closed/models:/models']\n";
    let lychd = Source::new("lychd.toml", "[extensions]\nbuiltins = ['animator/llamacpp']\n");
    let rune = Source::new("runes/animator/soulstones/llamacpp/a.toml", text);
    let codex = codex::parse(&[lychd, rune]).unwrap();
    let layout = layout();
    let resolve = |path: &Path| {
        if path.starts_with("/closed") {
            return Err(file::unable("read", path, &std::io::ErrorKind::PermissionDenied.into()));
        }
        Ok(path.to_owned())
    };
    let failure = render(&RenderInput {
        codex: &codex,
        federated: &RuneRecord::parse("federation.json", NO_MEMBERS.as_bytes().to_vec()).unwrap(),
        body: &ConfigDigest::of("body").into(),
        further: &BTreeMap::new(),
        layout: &layout,
        resolve: &resolve,
        podman: "5.4.2".parse().unwrap(),
        systemd: SystemdVersion::new(257),
        ports: &BTreeMap::new(),
    })
    .unwrap_err();
    assert_eq!(failure.exit_code(), 2, "{failure}");
    let text = failure.to_string();
    assert!(
        text.contains("cannot read `/closed/models`: permission denied\n  at runes/animator/soulstones/llamacpp/a.toml:3:"),
        "{text}"
    );
}
