//! Loading into a real podman, on a storage of the test's own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::{Path, PathBuf};

use lychd_forge::{
    forge::podman::{Podman, Road, body_reference},
    host::{file, process::Command, progress::Silent},
    image::{self, Image},
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

#[test]
fn images_are_loaded_whole_then_thin_and_keep_their_id() {
    let (realm, store) = (Realm::new(), store());
    let cache = realm.directory.path().join("cache");
    let podman = &realm.podman;
    let load = |image: &Image| podman.load(image, &store.root(), &realm.scratch(), &Silent).unwrap();

    let first = image(&store, &cache, &[&["libc"], &["python"], &["app-1"]]);
    assert!(!podman.exists(&first.id()).unwrap());
    let loaded = load(&first);
    assert_eq!((loaded.road, loaded.fallback), (Road::Full, None));
    assert_eq!(podman.image_of(&loaded.newest).unwrap(), Some(first.id()));
    assert_eq!(podman.image_of(&loaded.body).unwrap(), Some(first.id()));
    let held = podman.held_layers().unwrap();
    assert!(first.layers().iter().all(|layer| held.contains(&layer.diff_id())));

    // One small layer is new, and it is in the middle.
    let second = image(&store, &cache, &[&["libc"], &["app-2"], &["python"]]);
    let loaded = load(&second);
    assert_eq!(
        loaded.road,
        Road::Thin { layers: 1, bytes: second.layers()[1].size() },
        "{:?}",
        loaded.fallback
    );
    assert!(podman.exists(&second.id()).unwrap() && podman.exists(&first.id()).unwrap());
    assert_eq!(podman.image_of(&loaded.newest).unwrap(), Some(second.id()));
    let mut references = podman.references(&second.id()).unwrap();
    references.sort();
    assert_eq!(references, [loaded.body.to_string(), loaded.newest.to_string()]);
    assert_eq!(file::list(&realm.scratch()).unwrap(), []);

    // Again is nothing, mostly new is the whole archive.
    assert_eq!(load(&second).road, Road::Present);
    let third = image(&store, &cache, &[&["libc"], &["other"]]);
    assert_eq!(load(&third).road, Road::Full);

    // The first body keeps its own tag until that is taken away, and its image even then.
    let body = body_reference(first.reference(), &first.id()).unwrap();
    assert_eq!(podman.references(&first.id()).unwrap(), [body.to_string()]);
    podman.untag(&body).unwrap();
    podman.untag(&body).unwrap();
    assert_eq!(podman.image_of(&body).unwrap(), None);
    assert!(podman.exists(&first.id()).unwrap());
}

/// A podman that answers one question with a lie and is honest else.
fn lying(realm: &Realm, question: &str, answer: &str) -> Podman {
    let script = realm.directory.path().join("lying-podman");
    let text =
        format!("#!/bin/sh\ncase \"$*\" in *{question}*) echo '{answer}';; *) exec podman \"$@\";; esac\n");
    // Written by another process: a program that this one still holds open for writing cannot be started.
    let install = Command::new("sh").args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(&script);
    let (output, _) = install.output_fed(|input| input.write_all(text.as_bytes())).unwrap();
    assert!(output.success(), "{}", output.stderr);
    realm.storage(Podman::find(script).unwrap())
}

#[test]
fn a_layout_that_lacks_a_needed_blob_is_made_good_by_the_whole_archive() {
    let (realm, store) = (Realm::new(), store());
    let cache = realm.directory.path().join("cache");
    let first = image(&store, &cache, &[&["libc"], &["python"], &["app-1"]]);
    realm.podman.load(&first, &store.root(), &realm.scratch(), &Silent).unwrap();
    let second = image(&store, &cache, &[&["libc"], &["python"], &["app-2"]]);
    let all = second.layers().iter().map(|layer| format!("sha256:{}", layer.diff_id()));
    let podman = lying(&realm, "RootFS.Layers", &all.collect::<Vec<_>>().join("\n"));
    let loaded = podman.load(&second, &store.root(), &realm.scratch(), &Silent).unwrap();
    assert_eq!(loaded.road, Road::Full);
    assert!(loaded.fallback.is_some_and(|why| why.contains("pull")));
    assert!(realm.podman.exists(&second.id()).unwrap());
}

#[test]
fn another_image_id_is_refused_and_nothing_removed() {
    let (realm, store) = (Realm::new(), store());
    let cache = realm.directory.path().join("cache");
    let built = image(&store, &cache, &[&["app-1"]]);
    let podman = lying(&realm, "{{.Id}}", &"0".repeat(64));
    let refused = podman.load(&built, &store.root(), &realm.scratch(), &Silent).unwrap_err();
    assert_eq!(refused.exit_code(), 1);
    assert!(refused.to_string().contains(&built.id().to_string()), "{refused}");
    assert!(realm.podman.exists(&built.id()).unwrap());
}
