//! What a recorded body is made of, and what differs between two.

use std::fs;

use lychd_forge::{
    body::{Contents, Evidence, Parts, Record, compare},
    digest::Sha256,
    name::Role,
    synthesis::Synthesis,
};

use crate::{
    bodies::{State, body, evidence},
    transmute::{node, sample},
};

/// The record of a body that was forged from this Synthesis.
fn record(state: &State, synthesis: &str) -> Record {
    let evidence = Evidence { synthesis: synthesis.to_owned(), ..evidence("{}") };
    let mut body = body(synthesis, &evidence);
    body.synthesis_sha256 = Sha256::of(synthesis);
    state.bodies().record(&body, &evidence).unwrap();
    state.bodies().list().unwrap().find("newest").unwrap().clone()
}

fn contents(synthesis: &Synthesis) -> Contents {
    Contents::read(&record(&State::new(), &synthesis.to_canonical_json())).unwrap()
}

fn versions(parts: &Parts) -> Vec<String> {
    let of = |(name, part): (&String, &lychd_forge::body::Part)| {
        let texts: Vec<&str> = part.versions.iter().filter_map(|version| version.text.as_deref()).collect();
        format!("{name} {}", texts.join(", "))
    };
    parts.iter().map(of).collect()
}

#[test]
fn a_record_says_what_its_images_hold() {
    let contents = contents(&sample::small().0);
    assert_eq!(versions(&contents.members), ["core 0.1.0", "scribe 0.1.0", "vision/ocr_2 0.1.0"]);
    assert_eq!(
        versions(&contents.python),
        ["idna 3.10", "litestar 2.18.0", "numpy 2.3.5", "torch 2.9.1+cpu"]
    );
    // What only the build or the maintainer scripts need is in no image; the database's image counts.
    assert_eq!(
        versions(&contents.system),
        ["libc6 2.41-12", "libmagic1t64 1:5.46-5", "postgresql-17 17.6-0+deb13u1"]
    );
    assert!(contents.node.is_empty());
    assert_eq!(contents.python["idna"].requested_by, ["core", "scribe"].map(str::to_owned).into());
    assert_eq!(contents.images[&Role::vessel()].size, 1);
}

#[test]
fn npm_packages_of_front_ends_count() {
    let (synthesis, _) = node::with_front_end(&[]);
    assert_eq!(versions(&contents(&synthesis).node), ["@s/a 1.0.0", "vite 1.0.0"]);
}

#[test]
fn on_nixpkgs_the_pin_is_a_part() {
    let contents = contents(&sample::on_nixpkgs().0);
    let system = versions(&contents.system);
    assert!(system.contains(&"libmagic1 file".to_owned()), "{system:?}");
    let pin = "nixpkgs github:NixOS/nixpkgs/531670d871c0e29724a02f3cbcac170adc65b58c";
    assert!(system.contains(&pin.to_owned()), "{system:?}");
}

#[test]
fn two_records_are_compared() {
    let (mut synthesis, _) = sample::small();
    let before = contents(&synthesis);
    assert!(compare(&before, &contents(&synthesis)).is_empty());

    synthesis.python_packages[0] = sample::wheel("idna", "3.11", 71_000, &["core"]);
    synthesis.members[1].nar_sha256 = Sha256::of("edited");
    let compared = compare(&before, &contents(&synthesis));
    let [idna] = compared.python.as_slice() else { panic!("{:?}", compared.python) };
    assert_eq!((idna.before.as_deref(), idna.after.as_deref()), (Some("3.10"), Some("3.11")));
    assert_eq!(idna.requested_by, ["core"]);
    let [scribe] = compared.members.as_slice() else { panic!("{:?}", compared.members) };
    let edited = format!("0.1.0 ({})", Sha256::of("edited").short(12));
    assert_eq!(scribe.after.as_deref(), Some(edited.as_str()));
    assert_eq!(compared.images.len(), 1);
    assert!(compared.system.is_empty() && compared.node.is_empty() && compared.equal_federation);
}

#[test]
fn a_synthesis_that_is_not_the_body_s_is_refused() {
    let state = State::new();
    let refused = |record: &Record| Contents::read(record).unwrap_err().to_string();
    let other = refused(&record(&state, r#"{ "schema": "lychd-forge/synthesis/9" }"#));
    assert!(other.contains("it is of the schema `lychd-forge/synthesis/9`"), "{other}");

    let record = record(&state, &sample::small().0.to_canonical_json());
    let path = record.kept.synthesis();
    fs::remove_file(&path).unwrap();
    assert!(refused(&record).contains("cannot read `"));
    fs::write(&path, "{}").unwrap();
    assert!(refused(&record).contains("is not the one that the body was forged with"));
}
