//! Whether a body that was started lives: a judgement on what is seen of it, look by look. Pure.

use std::time::Duration;

use crate::engine::systemd::{ServiceState, UnitState};

/// A service as systemd has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The unit.
    pub unit: UnitState,
    /// Its main process.
    pub service: ServiceState,
    /// What names this run of it; empty where it has not run.
    pub run: String,
}

impl Seen {
    fn has_fallen(&self) -> bool {
        self.unit.active == "failed" || self.service.restarts > 0 || self.service.has_failed
    }
}

/// What is seen at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Since the start was asked for.
    pub at: Duration,
    /// The migration; `None` where the body has none.
    pub migration: Option<Seen>,
    /// The application.
    pub vessel: Seen,
    /// Whether somebody answers behind the published port.
    pub answers: bool,
}

/// How long is waited, and how long is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until the application begins: migrations take what they take.
    pub start: Duration,
    /// From then on.
    pub window: Duration,
}

/// What is thought of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is on its way.
    Wait(Stage),
    /// It was well at the end of the window, in one run.
    Lives,
    /// It does not live.
    Failed(Why),
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Something comes before the application.
    Before,
    /// The application has begun, and is not well yet.
    Begun,
    /// It is well.
    Well,
}

/// Why it does not live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The service at fault, without suffix.
    pub service: &'static str,
    /// What it did.
    pub did: String,
}

/// A body that is watched.
#[derive(Clone, Debug)]
pub struct Watch {
    patience: Patience,
    /// The port that is asked, for what is said of it.
    port: u16,
    /// When the application began, and in which run.
    begun: Option<(Duration, String)>,
}

impl Watch {
    /// One that was just asked to start.
    #[must_use]
    pub fn new(patience: Patience, port: u16) -> Self {
        Self { patience, port, begun: None }
    }

    /// Judges a look; looks come in the order of their times.
    pub fn see(&mut self, look: &Look) -> Verdict {
        let Patience { start, window } = self.patience;
        let Look { at, migration, vessel, answers } = look;
        if migration.as_ref().is_some_and(Seen::has_fallen) {
            return failed(crate::runes::MIGRATE, "failed");
        }
        if vessel.has_fallen() {
            return failed(crate::runes::VESSEL, "ended");
        }
        let state = vessel.unit.active.as_str();
        let Some((since, run)) = &self.begun else {
            // What waits for its job has not begun.
            let has_begun = matches!(state, "activating" | "active") && !vessel.run.is_empty();
            if has_begun {
                self.begun = Some((*at, vessel.run.clone()));
                return Verdict::Wait(Stage::Begun);
            }
            if at >= &start {
                return failed(crate::runes::VESSEL, format!("did not begin within {} s", start.as_secs()));
            }
            return Verdict::Wait(Stage::Before);
        };
        if vessel.run != *run {
            return failed(crate::runes::VESSEL, "was started again");
        }
        if !matches!(state, "activating" | "active" | "reloading") {
            return failed(crate::runes::VESSEL, "ended");
        }
        let is_well = state == "active" && *answers;
        if at.saturating_sub(*since) < window {
            return Verdict::Wait(if is_well { Stage::Well } else { Stage::Begun });
        }
        let after = window.as_secs();
        match (is_well, state) {
            (true, _) => Verdict::Lives,
            (false, "active") => failed(
                crate::runes::VESSEL,
                format!(
                    "is well by its own account, and nobody answers at 127.0.0.1:{} after {after} s",
                    self.port
                ),
            ),
            (false, _) => failed(crate::runes::VESSEL, format!("is not well after {after} s")),
        }
    }
}

fn failed(service: &'static str, did: impl Into<String>) -> Verdict {
    Verdict::Failed(Why { service, did: did.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(active: &str, run: &str) -> Seen {
        let unit = UnitState { active: active.to_owned(), ..UnitState::default() };
        Seen { unit, service: ServiceState::default(), run: run.to_owned() }
    }

    fn look(at: u64, vessel: Seen, answers: bool) -> Look {
        Look { at: Duration::from_secs(at), migration: Some(seen("active", "m")), vessel, answers }
    }

    fn watch() -> Watch {
        let patience = Patience { start: Duration::from_mins(10), window: Duration::from_mins(1) };
        Watch::new(patience, 7134)
    }

    fn told(verdict: Verdict) -> String {
        match verdict {
            Verdict::Failed(Why { service, did }) => format!("{service} {did}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_body_lives_that_is_well_in_one_run_at_the_end_of_its_window() {
        let mut watch = watch();
        let before =
            Look { migration: Some(seen("activating", "m")), ..look(0, seen("inactive", ""), false) };
        assert_eq!(watch.see(&before), Verdict::Wait(Stage::Before));
        assert_eq!(watch.see(&Look { at: Duration::from_secs(500), ..before }), Verdict::Wait(Stage::Before));
        assert_eq!(watch.see(&look(510, seen("activating", "a"), false)), Verdict::Wait(Stage::Begun));
        assert_eq!(watch.see(&look(520, seen("active", "a"), true)), Verdict::Wait(Stage::Well));
        assert_eq!(watch.see(&look(569, seen("active", "a"), false)), Verdict::Wait(Stage::Begun));
        assert_eq!(watch.see(&look(570, seen("active", "a"), true)), Verdict::Lives);
    }

    #[test]
    fn what_falls_is_told_at_once_and_the_rest_at_the_end() {
        let mut fallen = seen("activating", "m");
        fallen.service.has_failed = true;
        let at_once = Look { migration: Some(fallen), ..look(3, seen("inactive", ""), false) };
        assert_eq!(told(watch().see(&at_once)), "lychd-migrate failed");
        let never = look(600, seen("inactive", ""), false);
        assert_eq!(told(watch().see(&never)), "lychd-vessel did not begin within 600 s");

        let begun = || {
            let mut watch = watch();
            assert_eq!(watch.see(&look(1, seen("activating", "a"), false)), Verdict::Wait(Stage::Begun));
            watch
        };
        let mut restarted = seen("activating", "a");
        restarted.service.restarts = 1;
        assert_eq!(told(begun().see(&look(2, restarted, false))), "lychd-vessel ended");
        assert_eq!(told(begun().see(&look(2, seen("active", "b"), true))), "lychd-vessel was started again");
        assert_eq!(told(begun().see(&look(2, seen("inactive", "a"), false))), "lychd-vessel ended");
        let sick = begun().see(&look(61, seen("activating", "a"), true));
        assert_eq!(told(sick), "lychd-vessel is not well after 60 s");
        let deaf = told(begun().see(&look(61, seen("active", "a"), false)));
        assert!(deaf.ends_with("and nobody answers at 127.0.0.1:7134 after 60 s"), "{deaf}");
    }
}
