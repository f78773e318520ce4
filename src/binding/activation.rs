//! From inscribed units to services that run.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::plan::Plan;
use crate::{
    diagnostic::Failure,
    engine::systemd::{Systemd, UnitState, last_words},
    host::{
        clock::{self, Stopwatch, pause},
        progress::Progress,
    },
    runes::POD_SERVICE,
};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// What became of services that were asked to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activated {
    /// Those that run, and are well where they can tell.
    pub running: BTreeSet<String>,
    /// The others, each with what systemd says of it and the last lines of its journal.
    pub not_running: BTreeMap<String, (String, Vec<String>)>,
}

/// Starts services, and waits until they run or `patience` is at its end.
///
/// # Errors
/// Unable when systemd does not answer.
pub fn start(
    systemd: &Systemd,
    services: BTreeSet<String>,
    patience: Duration,
    progress: &dyn Progress,
) -> Result<Activated, Failure> {
    for name in &services {
        // One that failed too often would refuse.
        systemd.reset_failed(name)?;
        match systemd.start(name) {
            // The others can start all the same; what becomes of this one is seen.
            Ok(()) | Err(Failure::Refused(_)) => {}
            Err(unable) => return Err(unable),
        }
    }
    wait(systemd, services, patience, progress)
}

/// Starts what is new and wanted at boot, restarts what changed and runs, and waits likewise.
///
/// # Errors
/// As [`start`].
pub fn restart(
    systemd: &Systemd,
    plan: &Plan,
    patience: Duration,
    progress: &dyn Progress,
) -> Result<Activated, Failure> {
    let mut waited: BTreeSet<String> = BTreeSet::new();
    // All go with their pod.
    let changed: BTreeSet<&String> = match plan.restart.get(POD_SERVICE) {
        Some(pod) => [pod].into(),
        None => plan.restart.iter().collect(),
    };
    for name in changed {
        if systemd.unit(name)?.is_up() {
            systemd.restart(name)?;
            waited.insert(name.clone());
        }
    }
    for name in &plan.start {
        systemd.reset_failed(name)?;
        systemd.start(name)?;
        waited.insert(name.clone());
    }
    wait(systemd, waited, patience, progress)
}

fn wait(
    systemd: &Systemd,
    services: BTreeSet<String>,
    patience: Duration,
    progress: &dyn Progress,
) -> Result<Activated, Failure> {
    let (watch, since) = (Stopwatch::start(), clock::unix_seconds());
    let mut waiting = services;
    let (mut activated, mut told) = (Activated::default(), String::new());
    loop {
        let mut states = BTreeMap::new();
        for name in &waiting {
            states.insert(name.clone(), systemd.unit(name)?);
        }
        let runs = |state: &UnitState| state.active == "active" && state.job == 0;
        for (name, _) in states.iter().filter(|(_, state)| runs(state)) {
            waiting.remove(name);
            activated.running.insert(name.clone());
        }
        if waiting.is_empty() {
            return Ok(activated);
        }
        // What failed for good is on its way no more.
        let failed =
            |name: &String| states.get(name).is_some_and(|one| one.active == "failed" && one.job == 0);
        if watch.elapsed() >= patience || waiting.iter().all(failed) {
            for (name, state) in states.into_iter().filter(|(name, _)| waiting.contains(name)) {
                let words = last_words(&name, since);
                activated.not_running.insert(name, (format!("{} ({})", state.active, state.sub), words));
            }
            return Ok(activated);
        }
        let shown =
            waiting.iter().map(|name| name.trim_end_matches(".service")).collect::<Vec<_>>().join(", ");
        if shown != told {
            progress.stage("start", &shown);
            told = shown;
        }
        pause(LOOK);
    }
}
