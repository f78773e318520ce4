//! How long an inscription of many units takes, beside the reload that is a part of it.
#![expect(clippy::disallowed_methods, reason = "files are laid out as a user's are")]

use std::fs;

use super::{
    cuts::say,
    organism::{rune, soulstone},
    realm,
};

/// Which calls touch the journal of an inscription, with the time of each in seconds.
const WATCHED: &str = "strace --output=trace --absolute-timestamps=format:unix,precision:us --follow-forks --seccomp-bpf \
                       --trace=rename,renameat,renameat2,unlink,unlinkat";
/// How many Soulstones come: each is two units, its service and its gate.
const STONES: u16 = 25;

/// From the journal's first word to its removal.
fn took(trace: &str) -> f64 {
    let moments: Vec<f64> = trace
        .lines()
        .filter(|line| line.contains("/journal.json\""))
        .map(|line| {
            line.split_whitespace().find_map(|word| word.parse().ok().filter(|at| *at > 1e9)).unwrap()
        })
        .collect();
    assert!(moments.len() >= 2, "{trace}");
    moments[moments.len() - 1] - moments[0]
}

#[test]
#[ignore = "minutes: make test-faults"]
fn faults_of_waiting_for_fifty_units() {
    let Some(realm) = realm("faults_of_waiting_for_fifty_units") else { return };
    let home = realm.machine.home();
    let names: Vec<String> = (0..STONES).map(|at| format!("breeze-{at}")).collect();
    let inscribed = |there: bool| {
        for (name, port) in names.iter().zip(8200..) {
            if there {
                soulstone(&home, name, "wind", port);
            } else {
                fs::remove_file(rune(&home, name)).unwrap();
            }
        }
        realm.machine.give(&[".config/lychd"]);
        let bound = realm.bind_by(WATCHED, &format!("--confirm {}", realm.candidate()));
        assert_eq!(bound.code, 0, "{bound:?}");
        let told = realm.user(
            "for n in 1 2 3; do a=$(date +%s%N); systemctl --user daemon-reload; echo $(( ($(date +%s%N) - a) / 1000000 )); done",
        );
        let reload: f64 =
            told.lines().map(|line| line.parse::<f64>().unwrap()).fold(f64::MAX, f64::min) / 1e3;
        (took(&fs::read_to_string(home.join("trace")).unwrap()), reload)
    };
    for _ in 0..3 {
        let ((came, full), (went, bare)) = (inscribed(true), inscribed(false));
        say(&format!(
            "{} units come: {came:.2} s from the journal's first word to its removal, {full:.2} s for a reload alone; they go: {went:.2} s and {bare:.2} s",
            2 * STONES
        ));
    }
    realm.until_well();
}
