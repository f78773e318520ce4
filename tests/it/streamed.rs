//! `stream`, from a record and a store alone: the archive, and what a changed record does to it.

use std::fs;

use lychd_forge::{
    body::{Evidence, ImageEvidence, Store},
    digest::Sha256,
    host::{file, progress::Silent},
    image,
    name::Role,
};
use serde_json::{Value, json};

use crate::{
    bodies::{State, bare, body, evidence, told},
    pseudo_store::{PseudoStore, conf, conf_text, store_path},
};

/// A store that Nix never saw, and the image that is made of it.
fn image(state: &State) -> (PseudoStore, String, image::Image) {
    let store = PseudoStore::new();
    store.file("app", b"app/main.py", b"print(1)\n", 0o444);
    store.customisation("root", &[("./etc/", 0o755, ""), ("./etc/passwd", 0o644, "root:x:0:0::/:\n")]);
    let text = conf_text(&[&["app"]], "root");
    store.file("conf.json", b"", text.as_bytes(), 0o444);
    store.seal();
    let image = image::prepare(&conf(&text), &store.root(), &state.path("layers"), &Silent).unwrap();
    (store, text, image)
}

/// The two tags in the archive's own manifest, and whether the library writes the same bytes.
fn check_archive(archive: &[u8], store: &PseudoStore, image: &image::Image) {
    let references = [image.own_reference(), image.reference().clone()];
    let mut ours = Vec::new();
    image::stream(image, &references, &store.root(), &mut ours).unwrap();
    assert!(archive == ours, "the archive is another");
    let mut entries = tar::Archive::new(archive);
    let manifest = entries
        .entries()
        .unwrap()
        .map(Result::unwrap)
        .find(|entry| entry.path().unwrap().to_str() == Some("manifest.json"));
    let manifest: Value = serde_json::from_reader(manifest.unwrap()).unwrap();
    let tag = format!("localhost/lychd-forge-test:b-{}", image.config_digest().short(12));
    assert_eq!(manifest[0]["RepoTags"], json!([tag, "localhost/lychd-forge-test:custom"]));
}

#[test]
fn a_body_is_streamed_from_its_record_and_its_store_without_nix() {
    let state = State::new();
    let (store, text, image) = image(&state);
    let of_image =
        ImageEvidence { config: image.config().into(), manifest: image.manifest().into(), conf: text };
    let evidence =
        Evidence { images: [(Role::vessel(), of_image)].into(), ..evidence(crate::inscription::NO_MEMBERS) };
    let mut forged = body("", &evidence);
    forged.images.vessel.config_digest = image.config_digest();
    forged.images.vessel.manifest_digest = image.manifest_digest();
    forged.images.vessel.reference = image.own_reference();
    forged.store = Some(Store::Below(store.directory().to_owned()));
    let record = state.bodies().record(&forged, &evidence).unwrap();
    let kept = record.kept.directory().join("images/vessel");
    assert_eq!(Sha256::of(fs::read(kept.join("config.json")).unwrap()), image.config_digest().sha256());
    assert_eq!(Sha256::of(fs::read(kept.join("manifest.json")).unwrap()), image.manifest_digest());
    check_archive(&state.done(&["stream", "newest"]).stdout, &store, &image);

    // A record that was changed gives its image no other name, nor another image its own.
    let conf = kept.join("conf.json");
    let right = fs::read_to_string(&conf).unwrap();
    file::write(&conf, right.replace("localhost/lychd-forge-test", "docker.io/library/postgres").as_bytes())
        .unwrap();
    let refused = state.refused(&["stream", "newest"]);
    assert!(refused.contains("`docker.io/library/postgres:b-"), "{refused}");
    file::write(&conf, right.as_bytes()).unwrap();
    for name in ["config.json", "manifest.json"] {
        let right = fs::read(kept.join(name)).unwrap();
        file::write(&kept.join(name), b"{}").unwrap();
        let unable = state.run(&["stream", "newest"]);
        assert_eq!((unable.status.code(), unable.stdout.len()), (Some(2), 0));
        assert!(told(&unable).contains(&format!("`images/vessel/{name}` has sha256")), "{}", told(&unable));
        file::write(&kept.join(name), &right).unwrap();
    }

    // What it was made of is in the record; the store may lie elsewhere by now.
    fs::remove_file(store.place("conf.json", b"")).unwrap();
    let elsewhere = state.path("moved");
    fs::rename(store.directory(), &elsewhere).unwrap();
    let output = state.run(&["stream", "newest"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(told(&output).contains("`--nix-store` names another store"), "{}", told(&output));
    let moved = state.done(&["stream", "newest", "--nix-store", elsewhere.to_str().unwrap()]);
    fs::rename(&elsewhere, store.directory()).unwrap();
    check_archive(&moved.stdout, &store, &image);
}

#[test]
fn a_body_of_an_older_record_is_streamed_from_the_store_that_is_named() {
    let state = State::new();
    let (store, _, image) = image(&state);
    let old = json!({
        "backend": "nix", "conf": store_path("conf.json"), "flake_nar_sha256": Sha256::of("flake"),
        "image_id": image.config_digest(), "layers": 2, "manifest_digest": image.manifest_digest(),
        "reference": image.own_reference().to_string(), "size": image.size(),
        "store_path": store_path("stream"), "substrate": "debian", "synthesis_sha256": Sha256::of("s"),
        "tools": { "nix": "2.8.0", "podman": "4.3.1" },
    });
    let id = image.config_digest().to_string();
    state.put(&id, &old.to_string());
    let output = state.run(&["stream", &id]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(told(&output).contains("was it forged with `--nix-store`?"), "{}", told(&output));
    let directory = store.directory().to_str().unwrap();
    check_archive(&state.done(&["stream", &id, "--nix-store", directory]).stdout, &store, &image);
    // Loaded by that forge, it was called so by podman.
    assert_eq!(bare(&state.json(&["bodies"])["bodies"][0]["images"]["vessel"]["engine_id"]), id);
}
