//! What `rebirth` and `snapshots` print.

use lychd_forge::{
    body::Changed,
    digest::Sha256,
    rebirth::{
        snapshots::Snapshot,
        steps::{Fallen, Lives, Outcome},
    },
    report::{self, Databases, RebirthOutcome},
};
use serde_json::json;

use super::{is_told, plan};

fn compared() -> report::Compared {
    let changed = |name: &str, before: Option<&str>, after: Option<&str>| Changed {
        name: name.to_owned(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
        requested_by: vec!["core".to_owned()],
    };
    report::Compared {
        equal: false,
        equal_synthesis: false,
        equal_federation: true,
        members: vec![changed("scribe", Some("0.1.0"), Some("0.2.0"))],
        python: vec![
            changed("asyncpg", Some("0.30.0"), Some("0.31.0")),
            changed("httpx", None, Some("0.28.1")),
        ],
        npm: Vec::new(),
        system: vec![changed("libpq5", Some("17.5-1"), None)],
        images: Vec::new(),
        size_before: 800_000_000,
        size_after: 812_345_678,
    }
}

/// The record of a snapshot with two tables.
pub(crate) fn snapshot(number: u64, notes: u64) -> Snapshot {
    serde_json::from_value(json!({
        "schema": "lychd-forge/snapshot/1", "snapshot": number, "kind": "departure", "generation": 41, "era": 3,
        "word": Sha256::of("word"), "image": Sha256::of("server").to_string(), "version": "17.6",
        "databases": [{
            "name": "lychd", "owner": "lich", "file": "0.dump", "size": 123_456, "sha256": Sha256::of("dump"),
            "rows": { "public.note": notes, "public.tag": 3 },
        }],
    }))
    .unwrap()
}

#[test]
fn a_rebirth_is_told_to_people_and_machines() {
    let mut bind = plan();
    bind.widens = vec!["port 127.0.0.1:7134 -> 8000".to_owned()];
    let shown = report::Rebirth {
        outcome: RebirthOutcome::Shown,
        from: 41,
        generation: None,
        past: None,
        databases: Databases::Kept,
        given: None,
        kept: None,
        compared: Some(compared()),
        plan: bind,
    };
    is_told("rebirth", &shown, &["/plan/secrets"], &[]);
    let back =
        report::Rebirth { past: Some(40), databases: Databases::Given, given: Some(7), ..shown.clone() };
    is_told("rebirth-back", &back, &["/plan/secrets"], &[]);
    let lives = Lives { generation: 42, kept: Some(8), stay: vec!["forge.toml".to_owned()] };
    is_told("rebirth-lives", &shown.lives(&lives, Vec::new()), &["/plan/secrets"], &[]);
    is_told("snapshots", &report::Snapshots::of(&[snapshot(7, 12)]), &[], &[]);
}

#[test]
fn a_return_says_why_and_what_is_left_of_it() {
    let fallen = Fallen {
        generation: 42,
        old: 41,
        why: "`lychd-migrate` failed".to_owned(),
        words: vec!["no migration today".to_owned()],
        left: Some(Box::new((snapshot(8, 14), snapshot(7, 12)))),
        stay: Vec::new(),
    };
    let returned = Outcome::Returned(fallen.clone()).complain().unwrap_err();
    assert_eq!(returned.exit_code(), 1);
    assert_eq!(
        returned.to_string(),
        "returned to generation 41 because `lychd-migrate` failed\n  \
         note: no migration today\n  \
         note: what the database held is kept as snapshot 8: lychd.public.note 14 rows (12 before)"
    );
    let down = Outcome::Down(fallen).complain().unwrap_err();
    assert_eq!(down.exit_code(), 2);
    assert!(down.to_string().contains("generation 41, which is back, does not either"), "{down}");
}
