//! The Rebirth Gate on a real systemd, with a real database: what lives, what does not, and what is left of either.
#![expect(clippy::disallowed_methods, reason = "what is there is looked at")]

use std::fs;

use lychd_forge::binding::{consents::Consent, generation::Generation};
use serde_json::{Value, json};

use super::{
    APPLICATION, Realm, VESSEL,
    bodies::Nature,
    database::answer,
    inscription::{Bound, names},
    realm,
};

/// Short, and long enough for a machine that does other things.
const WATCH: &str = "--watch 12";

impl Realm {
    /// `lychd-forge` as the user runs it, behind these words of a shell.
    pub(super) fn forge_by(&self, before: &str, arguments: &str) -> Bound {
        let output = self.machine.user(&format!("umask 022; {before} lychd-forge --quiet {arguments}"));
        Bound {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(super) fn forge(&self, arguments: &str) -> Bound {
        self.forge_by("", arguments)
    }

    /// What would change with a rebirth, as the forge tells it.
    pub(super) fn shown(&self, target: &str) -> Value {
        let shown = self.forge(&format!("rebirth {target} --dry-run --json"));
        assert_eq!(shown.code, 0, "{shown:?}");
        serde_json::from_str(&shown.stdout).unwrap()
    }

    /// The words of a rebirth whose candidate was looked at and is confirmed.
    pub(super) fn confirmed(&self, target: &str) -> String {
        let shown = self.shown(target);
        let hash = shown["confirm"].as_str().unwrap().strip_prefix("sha256:").unwrap();
        format!("rebirth {target} {WATCH} --confirm {hash}")
    }

    /// The same, and it lives.
    pub(super) fn lives(&self, target: &str) -> Value {
        let lives = self.forge(&format!("{} --json", self.confirmed(target)));
        assert_eq!(lives.code, 0, "{lives:?}\n{}", self.report());
        self.until_well();
        let told: Value = serde_json::from_str(&lives.stdout).unwrap();
        assert_eq!(told["outcome"], "lives", "{told}");
        assert_eq!(told["generation"].as_u64(), Some(self.inscribed().number));
        told
    }

    /// Writes a note by the application that runs.
    pub(super) fn note(&self, text: &str) {
        let note = json!({ "text": text });
        self.user(&format!("curl --silent --show-error --fail --json '{note}' {APPLICATION}/notes"));
    }

    /// How many notes of this text there are, in a table of this name; `None` without the table.
    pub(super) fn notes(&self, table: &str, text: &str) -> Option<u64> {
        let is_there = answer(self, &format!("select count(*) from pg_class where relname = '{table}'"));
        (is_there == "1").then(|| {
            answer(self, &format!("select count(*) from {table} where text = '{text}'")).parse().unwrap()
        })
    }

    fn state(&self, below: &str) -> std::path::PathBuf {
        self.machine.home().join(".local/state/lychd-forge").join(below)
    }

    /// Nothing of a rebirth is on its way, and no database is out of its place.
    pub(super) fn is_settled(&self, told: &str) {
        let workshop = names(&self.machine.home().join(".config/containers/.lychd"));
        assert_eq!(workshop, ["lock".to_owned()].into(), "{told}");
        let others = answer(self, "select count(*) from pg_database where starts_with(datname, 'lychd-')");
        assert_eq!(others, "0", "{told}");
        let closed =
            answer(self, "select count(*) from pg_db_role_setting where setconfig::text like '%read_only%'");
        assert_eq!(closed, "0", "{told}");
    }

    /// A body of this nature does not live: the rows of before are there, its own are kept, and every unit is up in the
    /// set of before.
    pub(super) fn returns(&self, nature: Nature, why: &str) {
        let before = self.inscribed();
        let at = answer(self, "select count(*) from note");
        let text = format!("from before a body that {nature:?}, after {at} others");
        self.note(&text);
        let patience = if nature == Nature::Hangs { " --start 12" } else { "" };
        let failed = self.forge(&format!("{}{patience}", self.confirmed(&self.body(nature))));
        let told = format!("{nature:?}: {failed:?}");
        assert_eq!(failed.code, 1, "{told}\n{}", self.report());
        if nature == Nature::Ends {
            // Its own words, and none of the body's before it.
            let words: Vec<&str> =
                failed.stderr.lines().filter(|line| line.starts_with(" = note: ")).collect();
            assert!(words[0].ends_with("no life today") && !failed.stderr.contains("granian"), "{told}");
        }
        let want = format!("returned to generation {} because {why}", before.number);
        assert!(failed.stderr.contains(&want), "{want}\n{told}");
        self.until_well();
        assert_eq!(self.inscribed(), before, "{told}");
        assert_eq!((self.notes("note", &text), self.notes("remark", &text)), (Some(1), None), "{told}");
        self.is_settled(&told);
        let left = self.forge("snapshots --json").stdout;
        let left: Value = serde_json::from_str(&left).unwrap();
        let left = left["snapshots"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(left["kind"], "left", "{left}");
        assert!(failed.stderr.contains(&format!("is kept as snapshot {}", left["snapshot"])), "{told}");
        assert!(failed.stderr.contains("lychd.public.remark"), "{told}");
        let fallen = self.state(&format!("generations/{}/fallen", left["generation"]));
        assert!(fs::read_to_string(fallen).unwrap().contains(why), "{told}");
    }
}

#[test]
fn a_body_that_fails_gives_way_to_the_old_one() {
    let Some(realm) = realm("a_body_that_fails_gives_way_to_the_old_one") else { return };
    realm.returns(Nature::Migrates, "`lychd-migrate` failed");
}

#[test]
#[ignore = "minutes: make test-realm"]
fn a_body_that_only_seems_to_live_gives_way_as_well() {
    let Some(realm) = realm("a_body_that_only_seems_to_live_gives_way_as_well") else { return };
    realm.returns(Nature::Deaf, "`lychd-vessel` is well by its own account, and nobody answers");
    // It takes no signal either, and has three seconds.
    realm.returns(Nature::Stubborn, "`lychd-vessel` is not well");
    let tries = || {
        realm
            .user("journalctl --user --quiet --identifier lychd-vessel --grep 'no life today' | wc -l")
            .trim()
            .parse::<u64>()
            .unwrap()
    };
    let before = tries();
    realm.returns(Nature::Ends, "`lychd-vessel` ended");
    // What failed is not tried again for as long as it is waited for.
    assert!(tries() - before <= 2, "{} tries", tries() - before);
    realm.returns(Nature::Hangs, "`lychd-vessel` did not begin within 12 s");
}

#[test]
fn a_good_body_lives_and_a_word_can_be_taken_back() {
    let Some(realm) = realm("a_good_body_lives_and_a_word_can_be_taken_back") else { return };
    let first = realm.inscribed();
    let good = realm.body(Nature::Good);
    realm.note("of the first");

    let shown = realm.shown(&good);
    assert_eq!((shown["databases"].as_str(), shown["from"].as_u64()), (Some("kept"), Some(first.number)));
    let unasked = realm.forge(&format!("rebirth {good}"));
    assert!(unasked.code == 1 && unasked.stderr.contains("needs a human's word"), "{unasked:?}");
    let image = shown["plan"]["image_id"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
    let other = realm.forge(&format!("rebirth {good} --confirm {image}"));
    assert!(other.code == 1 && other.stderr.contains("neither a body's nor an image's ID"), "{other:?}");
    assert_eq!(realm.inscribed(), first);

    // With it comes a change of the Codex.
    let settings = realm.machine.home().join(".config/lychd/forge.toml");
    let codex = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, format!("{codex}\n# of the second\n")).unwrap();
    let second = realm.lives(&good);
    assert_eq!(realm.notes("remark", "of the first"), Some(1));
    answer(&realm, "update remark set text = 'of the second' where text = 'of the first'");
    let same = realm.forge(&format!("rebirth {good} --json"));
    assert!(same.code == 0 && same.stdout.contains("\"unchanged\""), "{same:?}");

    // Back: the rows of before, and the Codex of before; what the second wrote is kept.
    let third = realm.lives("--rollback");
    assert_eq!((third["databases"].as_str(), third["past"].as_u64()), (Some("given"), Some(first.number)));
    assert_eq!(third["given"], second["kept"]);
    assert_eq!(realm.inscribed().candidate.body, first.candidate.body);
    assert_eq!(
        (realm.notes("note", "of the first"), realm.notes("remark", "of the second")),
        (Some(1), None)
    );
    assert_eq!(fs::read_to_string(&settings).unwrap(), codex);
    realm.is_settled("after a rollback");

    // And back from that.
    let fourth = realm.lives("--rollback");
    assert_eq!(
        (fourth["past"].clone(), fourth["given"].clone()),
        (second["generation"].clone(), third["kept"].clone())
    );
    assert_eq!(realm.notes("remark", "of the second"), Some(1));
    assert!(fs::read_to_string(&settings).unwrap().ends_with("# of the second\n"));
    let listed: Value = serde_json::from_str(&realm.forge("bodies --json").stdout).unwrap();
    let active: Vec<&Value> =
        listed["bodies"].as_array().unwrap().iter().filter(|one| one["active"] == true).collect();
    assert_eq!(active.len(), 1, "{listed}");
    assert_eq!(
        (active[0]["body"].as_str(), active[0]["loaded"].as_bool()),
        (Some(&*format!("sha256:{good}")), Some(true))
    );

    realm.lives(&format!("--rollback {}", third["generation"]));
    assert_eq!(realm.notes("note", "of the first"), Some(1));
    assert_eq!(fs::read_to_string(&settings).unwrap(), codex);
    let log = fs::read_to_string(realm.state("consents.jsonl")).unwrap();
    let consents: Vec<Consent> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut previous = None;
    for (line, consent) in log.lines().zip(&consents) {
        assert_eq!(consent.previous, previous);
        previous = Some(lychd_forge::digest::Sha256::of(line));
    }
    let last = consents.last().unwrap();
    assert_eq!(last.candidate, realm.inscribed().candidate.id());
    // What a past brings back is covered as well.
    assert_ne!(last.confirmed, last.candidate);
    let of_second = consents.iter().find(|one| one.active == Some(first.number)).unwrap();
    assert_eq!((of_second.confirmed, of_second.verb.as_str()), (of_second.candidate, "rebirth"));
    let receipt: Generation = realm.inscribed();
    assert_eq!(receipt.era, first.era);
    assert!(realm.unit(VESSEL).is("active", "running"));
}
