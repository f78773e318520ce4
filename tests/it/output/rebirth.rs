//! What `rebirth` and `snapshots` print.

use lychd_forge::{
    body::Changed,
    digest::Sha256,
    rebirth::{
        codex::PutBack,
        past::Crypt,
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

fn put_back() -> PutBack {
    PutBack { back: vec!["lychd.toml".to_owned()], stay: vec!["forge.toml".to_owned()] }
}

/// The record of a snapshot with two tables.
pub(crate) fn snapshot(number: u64, notes: u64) -> Snapshot {
    serde_json::from_value(json!({
        "schema": "lychd-forge/snapshot/1", "snapshot": number, "kind": "departure", "generation": 41, "era": 3,
        "word": Sha256::of("word"), "image": Sha256::of("server").to_string(), "version": "17.6", "subvolume": null,
        "databases": [{
            "name": "lychd", "owner": "lich", "size": 123_456,
            "dump": { "file": "0.dump", "sha256": Sha256::of("dump") },
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
        confirm: bind.candidate,
        outcome: RebirthOutcome::Shown,
        from: 41,
        generation: None,
        past: None,
        databases: Databases::Kept,
        given: None,
        kept: None,
        compared: Some(compared()),
        plan: bind,
        told: Vec::new(),
        next: "nothing was done: this was a dry run",
    };
    is_told("rebirth", &shown, &["/plan/secrets"], &[]);
    let confirm = report::Digest(Sha256::of("what a past brings back"));
    let databases = Databases::Given;
    let back = report::Rebirth { past: Some(40), databases, given: Some(7), confirm, ..shown.clone() };
    is_told("rebirth-back", &back, &["/plan/secrets"], &[]);
    let lives = Lives { generation: 42, kept: Some(8), codex: put_back() };
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
        is_unkept: false,
        codex: put_back(),
    };
    let returned = Outcome::Returned(fallen.clone()).complain().unwrap_err();
    assert_eq!(returned.exit_code(), 1);
    assert_eq!(
        returned.to_string(),
        "returned to generation 41 because `lychd-migrate` failed\n  \
         note: no migration today\n  \
         note: what the database held is kept as snapshot 8: lychd.public.note 14 rows (12 before)\n  \
         note: the Codex is that of generation 41 again (lychd.toml); that of 42 is kept in generations/42/codex of the \
         state directory\n  \
         note: what was written into the Codex since stays: forge.toml"
    );
    let unkept = Fallen { left: None, is_unkept: true, codex: PutBack::default(), ..fallen.clone() };
    let unkept = Outcome::Returned(unkept).complain().unwrap_err().to_string();
    assert!(
        unkept.ends_with("note: no snapshot was taken: the databases are as the failed body left them"),
        "{unkept}"
    );
    let down = Outcome::Down(fallen).complain().unwrap_err();
    assert_eq!(down.exit_code(), 2);
    assert!(down.to_string().contains("generation 41, which is back, does not either"), "{down}");
}

#[test]
fn the_way_to_btrfs_is_told_as_it_is_typed() {
    let crypt =
        Crypt { directory: "/home/lych/.local/share/lychd".into(), is_immortal: false, free: 41 << 30 };
    is_told("ascension", &report::Ascension::of(&crypt), &[], &[]);
}
