//! Loading into a real podman, on a storage of the test's own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::{Path, PathBuf};

use lychd_forge::{
    diagnostic::Failure,
    engine::podman::{LoadMethod, Loaded, Podman},
    host::{file, process::Command, progress::Silent},
    image::{self, EngineId, Image, Reference},
};

use crate::pseudo_store::{PseudoStore, conf, conf_text};

/// A podman whose storage goes away with it.
struct Realm {
    podman: Podman,
    directory: tempfile::TempDir,
}

impl Realm {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let podman = Podman::find("podman").expect("this test needs podman on PATH");
        let mut realm = Self { podman, directory };
        realm.podman = realm.storage(realm.podman.clone());
        realm
    }

    fn storage(&self, podman: Podman) -> Podman {
        let directory = self.directory.path();
        podman.with_storage(&directory.join("root"), &directory.join("run"))
    }

    /// Takes a reference away; the image stays.
    fn untag(&self, reference: &Reference) {
        let reference = reference.to_string();
        let output = Command::new("podman")
            .arg("--root")
            .arg(self.directory.path().join("root"))
            .arg("--runroot")
            .arg(self.directory.path().join("run"))
            .args(["untag", &reference, &reference])
            .output()
            .unwrap();
        assert!(output.success(), "{}", output.stderr);
    }

    fn scratch(&self) -> PathBuf {
        self.directory.path().join("scratch")
    }
}

fn store() -> PseudoStore {
    let store = PseudoStore::new();
    store.file("libc", b"lib/libc.so", &vec![1; 200_000], 0o555);
    store.file("python", b"bin/python", &vec![2; 300_000], 0o555);
    store.file("app-1", b"app/main.py", b"print(1)\n", 0o444);
    store.file("app-2", b"app/main.py", b"print(2)\n", 0o444);
    store.file("other", b"blob", &vec![3; 900_000], 0o444);
    store.customisation("root", &[("./etc/", 0o755, ""), ("./etc/passwd", 0o644, "root:x:0:0::/:\n")]);
    store.seal();
    store
}

fn image(store: &PseudoStore, cache: &Path, layers: &[&[&str]]) -> Image {
    image::prepare(&conf(&conf_text(layers, "root")), &store.root(), cache, &Silent).unwrap()
}

fn load(podman: &Podman, image: &Image, store: &PseudoStore, realm: &Realm) -> Result<Loaded, Failure> {
    podman.load(image, None, &store.root(), &realm.scratch(), &Silent)
}

/// What today's podman calls it.
fn id(image: &Image) -> EngineId {
    image.config_digest().into()
}

#[test]
fn images_are_loaded_whole_then_thin_and_are_read_back() {
    let (realm, store) = (Realm::new(), store());
    let cache = realm.directory.path().join("cache");
    let podman = &realm.podman;
    let load = |image: &Image| load(podman, image, &store, &realm).unwrap();

    let first = image(&store, &cache, &[&["libc"], &["python"], &["app-1"]]);
    assert!(!podman.exists(&id(&first)).unwrap());
    assert_eq!(load(&first), Loaded { method: LoadMethod::Full, fallback: None, engine_id: id(&first) });
    for reference in [first.reference(), &first.own_reference()] {
        assert_eq!(podman.image_of(reference).unwrap(), Some(id(&first)));
    }
    let held = podman.held_layers().unwrap();
    assert!(first.layers().iter().all(|layer| held.contains(&layer.diff_id())));

    // One small layer is new, and it is in the middle.
    let second = image(&store, &cache, &[&["libc"], &["app-2"], &["python"]]);
    let loaded = load(&second);
    assert_eq!(
        loaded.method,
        LoadMethod::Thin { layers: 1, bytes: second.layers()[1].size() },
        "{:?}",
        loaded.fallback
    );
    assert!(podman.exists(&loaded.engine_id).unwrap() && podman.exists(&id(&first)).unwrap());
    assert_eq!(podman.image_of(second.reference()).unwrap(), Some(id(&second)));
    let mut references = podman.references(&id(&second)).unwrap();
    references.sort();
    assert_eq!(references, [second.own_reference().to_string(), second.reference().to_string()]);
    assert_eq!(file::list(&realm.scratch()).unwrap(), []);

    // Again is nothing, mostly new is the whole archive.
    assert_eq!(load(&second).method, LoadMethod::Present);
    let third = image(&store, &cache, &[&["libc"], &["other"]]);
    assert_eq!(load(&third).method, LoadMethod::Full);

    // The first image keeps its own tag until that is taken away, and is found even then.
    let own = first.own_reference();
    assert_eq!(podman.references(&id(&first)).unwrap(), [own.to_string()]);
    realm.untag(&own);
    assert_eq!(podman.image_of(&own).unwrap(), None);
    assert!(podman.exists(&id(&first)).unwrap());
    assert_eq!(load(&first).method, LoadMethod::Present);
    assert_eq!(podman.image_of(&own).unwrap(), Some(id(&first)));

    // Somebody gave that tag to another image: a name alone proves nothing.
    podman.tag(&id(&third), &own).unwrap();
    assert_eq!(load(&first).method, LoadMethod::Present);
    assert_eq!(podman.image_of(&own).unwrap(), Some(id(&first)));
}

/// Another program in podman's place.
fn script(realm: &Realm, text: &str) -> Podman {
    let script = realm.directory.path().join("other-podman");
    // Written by another process: a program that this one still holds open for writing cannot be started.
    let install = Command::new("sh").args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(&script);
    let (output, _) = install.output_fed(|input| input.write_all(text.as_bytes())).unwrap();
    assert!(output.success(), "{}", output.stderr);
    realm.storage(Podman::find(script).unwrap())
}

/// A podman that does not call an image by its configuration, as podman's maintainers announce: the fault that is
/// feared is made here, because no podman that does so can be had. `names` maps what podman calls an image to what
/// this one does.
fn calling_otherwise(realm: &Realm, names: &[(EngineId, &str)]) -> Podman {
    use std::fmt::Write as _;
    let (mut asked, mut answered, mut unknown) = (String::new(), String::new(), String::new());
    for (real, other) in names {
        write!(asked, "s/{other}/{real}/g;").unwrap();
        write!(answered, "s/{real}/{other}/g;").unwrap();
        write!(unknown, "*{real}*|").unwrap();
    }
    let unknown = unknown.trim_end_matches('|');
    script(
        realm,
        &format!(
            "#!/bin/sh\n\
             case \"$*\" in {unknown}) echo 'image not known' >&2; exit 1;; esac\n\
             for word; do shift; set -- \"$@\" \"$(printf %s \"$word\" | sed '{asked}')\"; done\n\
             answer=$(podman \"$@\") || exit\n\
             printf '%s\\n' \"$answer\" | sed '{answered}'\n"
        ),
    )
}

#[test]
fn an_engine_may_call_images_what_it_likes() {
    let (realm, store) = (Realm::new(), store());
    let cache = realm.directory.path().join("cache");
    let first = image(&store, &cache, &[&["libc"], &["python"], &["app-1"]]);
    let second = image(&store, &cache, &[&["libc"], &["python"], &["app-2"]]);
    let podman = calling_otherwise(&realm, &[(id(&first), "f1f1f1f1f1f1"), (id(&second), "sha512:5ec0d")]);

    let loaded = load(&podman, &first, &store, &realm).unwrap();
    assert_eq!((&loaded.method, loaded.engine_id.as_str()), (&LoadMethod::Full, "f1f1f1f1f1f1"));
    assert!(!podman.exists(&id(&first)).unwrap(), "it is not known by our name");
    for reference in [first.reference(), &first.own_reference()] {
        assert_eq!(podman.image_of(reference).unwrap(), Some(loaded.engine_id.clone()));
    }
    assert_eq!(load(&podman, &first, &store, &realm).unwrap().method, LoadMethod::Present);
    let thin = load(&podman, &second, &store, &realm).unwrap();
    assert!(matches!(thin.method, LoadMethod::Thin { .. }), "{:?}", thin.fallback);
    assert_eq!(thin.engine_id.as_str(), "sha512:5ec0d");

    // Without its tag it is found by what was answered for it, which the body's record keeps.
    realm.untag(&first.own_reference());
    let known =
        podman.load(&first, Some(&loaded.engine_id), &store.root(), &realm.scratch(), &Silent).unwrap();
    assert_eq!(known, Loaded { method: LoadMethod::Present, ..loaded });
    assert_eq!(podman.image_of(&first.own_reference()).unwrap(), Some(known.engine_id));
}

/// A podman that answers one question with a lie and is honest else.
fn lying(realm: &Realm, question: &str, answer: &str) -> Podman {
    script(
        realm,
        &format!(
            "#!/bin/sh\ncase \"$*\" in *\"{question}\"*) echo '{answer}';; *) exec podman \"$@\";; esac\n"
        ),
    )
}

#[test]
fn a_layout_that_lacks_a_needed_blob_is_made_good_by_the_whole_archive() {
    let (realm, store) = (Realm::new(), store());
    let cache = realm.directory.path().join("cache");
    let first = image(&store, &cache, &[&["libc"], &["python"], &["app-1"]]);
    load(&realm.podman, &first, &store, &realm).unwrap();
    let second = image(&store, &cache, &[&["libc"], &["python"], &["app-2"]]);
    let all = second.layers().iter().map(|layer| format!("sha256:{}", layer.diff_id()));
    let podman = lying(&realm, "RootFS.Layers", &all.collect::<Vec<_>>().join("\n"));
    let loaded = load(&podman, &second, &store, &realm).unwrap();
    assert_eq!(loaded.method, LoadMethod::Full);
    assert!(loaded.fallback.is_some_and(|why| why.contains("pull")));
    assert!(realm.podman.exists(&id(&second)).unwrap());
}

#[test]
fn another_image_is_refused_and_nothing_removed() {
    let (realm, store) = (Realm::new(), store());
    let cache = realm.directory.path().join("cache");
    let built = image(&store, &cache, &[&["app-1"]]);
    let other = image(&store, &cache, &[&["app-2"]]);
    load(&realm.podman, &other, &store, &realm).unwrap();
    let shown = realm_podman(&realm, &["image", "inspect", &other.own_reference().to_string()]);
    let podman = lying(&realm, "image inspect", &shown.replace('\'', "\\u0027"));
    let refused = load(&podman, &built, &store, &realm).unwrap_err();
    assert_eq!(refused.exit_code(), 1);
    let told = refused.to_string();
    let [ours, theirs] = [&built, &other].map(|image| image.layers()[0].diff_id().to_string());
    for want in [&ours, &theirs, &built.config_digest().to_string(), "do not activate"] {
        assert!(told.contains(want), "{want}\n--- not in ---\n{told}");
    }
    assert!(realm.podman.exists(&id(&built)).unwrap());
}

/// What the real podman prints.
fn realm_podman(realm: &Realm, arguments: &[&str]) -> String {
    let directory = realm.directory.path();
    let output = Command::new("podman")
        .arg("--root")
        .arg(directory.join("root"))
        .arg("--runroot")
        .arg(directory.join("run"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.success(), "{}", output.stderr);
    output.text()
}

/// What `stream` writes, loaded by hand: the image has its own tag, so that nothing prunes it.
#[test]
fn an_archive_gives_the_image_all_the_names_it_carries() {
    let (realm, store) = (Realm::new(), store());
    let built = image(&store, &realm.directory.path().join("cache"), &[&["app-1"]]);
    let references = [built.own_reference(), built.reference().clone()];
    let mut archive = Vec::new();
    image::stream(&built, &references, &store.root(), &mut archive).unwrap();
    let path = realm.directory.path().join("archive.tar");
    file::write(&path, &archive).unwrap();
    realm_podman(&realm, &["load", "--quiet", "--input", path.to_str().unwrap()]);
    for reference in &references {
        assert_eq!(realm.podman.image_of(reference).unwrap(), Some(id(&built)), "{reference}");
    }
    assert_eq!(load(&realm.podman, &built, &store, &realm).unwrap().method, LoadMethod::Present);
}
