//! What `gc` takes and what it leaves.

use std::time::{Duration, UNIX_EPOCH};

use lychd_forge::{
    binding::{
        generation::{Generation, Generations},
        manifest::Manifest,
    },
    body::{Bodies, Record},
    rebirth::snapshots::Snapshot,
    report,
    upkeep::gc::{Keep, Stock, Sweep, Swept},
};
use serde_json::json;

use super::{is_told, rebirth::snapshot};
use crate::bodies::{State, body, evidence};

const KEEP: Keep = Keep { generations: 2, bodies: 1 };

fn manifest(record: &Record) -> Manifest {
    let images = record.body.images.iter().map(|(role, image)| (role, image.found_by())).collect();
    super::upkeep::bare_manifest(record.body.id(), images)
}

fn generation(number: u64, era: u64, record: &Record) -> Generation {
    let generations = Generations::of_state("/home/lych/state".as_ref());
    let mut one = generations.next(None, manifest(record)).unwrap();
    (one.number, one.era) = (number, era);
    one
}

fn of(number: u64, era: u64, generation: u64, kind: &str) -> Snapshot {
    let mut value = serde_json::to_value(snapshot(number, 12)).unwrap();
    value["era"] = json!(era);
    value["generation"] = json!(generation);
    value["kind"] = json!(kind);
    serde_json::from_value(value).unwrap()
}

/// Five generations of four bodies in three eras, one of which did not live; a newer body that nobody activated.
fn stock() -> (Stock, Vec<Record>, State) {
    let state = State::new();
    let bodies: Bodies = state.bodies();
    for image in ["first", "second", "third", "fourth", "newest"] {
        let evidence = evidence(image);
        bodies.record(&body(image, &evidence), &evidence).unwrap();
    }
    let mut records = bodies.list().unwrap().records;
    records.reverse();
    let generations = vec![
        (generation(1, 0, &records[0]), true),
        (generation(2, 0, &records[0]), true),
        (generation(3, 3, &records[1]), true),
        (generation(4, 4, &records[2]), false),
        (generation(5, 5, &records[3]), true),
    ];
    let staged = |record: &Record, at: u64| {
        let manifest = manifest(record);
        (manifest.id(), manifest, UNIX_EPOCH + Duration::from_secs(at))
    };
    let mut older = staged(&records[4], 7);
    older.1.front = 1;
    older.0 = older.1.id();
    let containers = [
        "lychd-generation-1-vessel",
        "lychd-generation-3-vessel",
        "lychd-generation-5-vessel",
        "lychd-vessel",
        "mine",
    ];
    let stock = Stock {
        active: Some(5),
        numbers: (1..=5).collect(),
        generations,
        snapshots: vec![
            of(1, 0, 2, "departure"),
            of(2, 3, 3, "departure"),
            of(3, 0, 1, "taken"),
            of(4, 0, 2, "left"),
        ],
        staged: vec![staged(&records[4], 9), older, staged(&records[0], 8)],
        bodies: records.iter().rev().cloned().collect(),
        containers: containers.map(str::to_owned).into(),
    };
    (stock, records, state)
}

#[test]
fn what_nothing_needs_goes_and_nothing_else() {
    let (stock, records, _state) = stock();
    let sweep = Sweep::of(&stock, KEEP);
    // Two that lived stay, and what came between them; of the first era nothing is left to come back to.
    assert_eq!(sweep.generations, [1, 2].into());
    assert_eq!(sweep.keepers, ["lychd-generation-1-vessel".to_owned()].into());
    assert_eq!(sweep.snapshots.keys().copied().collect::<Vec<_>>(), [1, 4], "one was taken by hand");
    assert_eq!(sweep.bodies, [records[0].body.id()].into(), "the fallen one's stays with its generation");
    assert_eq!(sweep.images, [records[0].body.images.vessel.found_by().reference()].into());
    let staged: Vec<_> = [1, 2].map(|at| stock.staged[at].0).into();
    assert_eq!(
        sweep.candidates,
        staged.into_iter().collect(),
        "the older of two, and that of a body that goes"
    );
    is_told("gc", &report::Gc::shown(&sweep), &["/snapshots"], &[]);
    let used = Swept { used: sweep.images.clone(), stores: ["/home/lych/store".to_owned()].into() };
    is_told("gc-done", &report::Gc::done(&sweep, used), &["/snapshots"], &[]);
}

#[test]
fn what_is_swept_once_has_nothing_left_to_sweep() {
    let (mut stock, ..) = stock();
    let sweep = Sweep::of(&stock, KEEP);
    let goes = |number: u64| sweep.generations.contains(&number);
    stock.generations.retain(|(one, _)| !goes(one.number));
    stock.numbers.retain(|number| !goes(*number));
    // Killed here, what is left of those is found by what it is called.
    let left = Sweep::of(&stock, KEEP);
    assert_eq!(
        (left.generations.len(), &left.keepers, &left.snapshots),
        (0, &sweep.keepers, &sweep.snapshots)
    );
    assert_ne!(left.candidate(), sweep.candidate(), "a word is to what is seen");
    stock.containers.retain(|name| !sweep.keepers.contains(name));
    stock.snapshots.retain(|one| !sweep.snapshots.contains_key(&one.number));
    stock.bodies.retain(|one| !sweep.bodies.contains(&one.body.id()));
    stock.staged.retain(|(id, ..)| !sweep.candidates.contains(id));
    assert!(Sweep::of(&stock, KEEP).is_empty());
}

#[test]
fn images_that_two_bodies_share_stay_with_the_one() {
    let (mut stock, records, _state) = stock();
    let mut shared = records[0].clone();
    shared.body.images.vessel = records[4].body.images.vessel.clone();
    stock.bodies = stock
        .bodies
        .iter()
        .map(|one| if one == &records[0] { shared.clone() } else { one.clone() })
        .collect();
    let sweep = Sweep::of(&stock, KEEP);
    assert_eq!((sweep.bodies.len(), sweep.images.len()), (1, 0));
}

#[test]
fn where_nothing_is_inscribed_only_bodies_go() {
    let (stock, ..) = stock();
    let bodies = Stock { bodies: stock.bodies.clone(), ..Stock::default() };
    let sweep = Sweep::of(&bodies, Keep { generations: 1, bodies: 2 });
    assert_eq!((sweep.bodies.len(), sweep.generations.len(), sweep.snapshots.len()), (3, 0, 0));
    let none = Stock { snapshots: stock.snapshots.clone(), containers: stock.containers, ..Stock::default() };
    assert!(Sweep::of(&none, KEEP).is_empty(), "what nobody can tell the use of stays");
}
