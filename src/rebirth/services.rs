//! What a rebirth stops, starts and looks at.

use std::{collections::BTreeSet, time::Duration};

use super::watch::{Look, Patience, Seen, Stage, Verdict, Watch, Why};
use crate::{
    binding::{activation, facts::Engines, manifest::Manifest},
    diagnostic::{Diagnostic, Failure},
    engine::systemd::Systemd,
    host::{
        clock::{Stopwatch, pause},
        ports,
        progress::Progress,
    },
    runes::{DATABASE_SERVICE, MIGRATE_SERVICE, POD_SERVICE, VESSEL_SERVICE},
};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);
/// How long somebody behind the port may take for an answer.
const ANSWER: Duration = Duration::from_secs(3);
/// How long a database may take until it runs: it may have to come back from a crash.
const DATABASE_STARTS: Duration = Duration::from_mins(10);
/// How long it may take to stop: it has a minute of its own, and podman's answer comes after it.
const DATABASE_STOPS: Duration = Duration::from_secs(100);
/// How long a killed service may take to be down.
const KILLED: Duration = Duration::from_mins(1);

/// How often services are stopped that run again afterwards.
const TRIES: usize = 3;

/// How gently services are stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// They have what their units give them.
    Gently,
    /// They failed, and have three seconds.
    Quickly,
}

/// The services of an organism.
#[derive(Clone, Copy)]
pub(super) struct Services<'a> {
    pub(super) engines: &'a Engines,
    pub(super) progress: &'a dyn Progress,
}

impl Services<'_> {
    fn systemd(&self) -> &Systemd {
        &self.engines.systemd
    }

    /// Those of a set that run.
    pub(super) fn up(&self, manifest: &Manifest) -> Result<BTreeSet<String>, Failure> {
        let mut up = BTreeSet::new();
        for name in manifest.services.keys() {
            if self.systemd().unit(name)?.is_up() {
                up.insert(name.clone());
            }
        }
        Ok(up)
    }

    /// Stops what writes into the database, and what would start it again.
    pub(super) fn stop_writers(&self, manifest: &Manifest, how: Stop) -> Result<(), Failure> {
        let writers = manifest.writers();
        let timers: Vec<String> =
            writers.iter().map(|name| timer(name)).filter(|timer| has_unit(manifest, timer)).collect();
        for _ in 0..TRIES {
            for timer in &timers {
                self.systemd().ask_to_stop(timer)?;
            }
            self.stop(&writers, how)?;
            // What fails as it is stopped starts its timer once more; and that may have fired before.
            for timer in &timers {
                self.systemd().stop(timer, KILLED)?;
            }
            let mut is_down = true;
            for name in &writers {
                is_down &= !self.systemd().unit(name)?.is_up();
            }
            if is_down {
                return Ok(());
            }
        }
        let message = "somebody starts what is to be stopped, again and again";
        let who = writers.iter().map(|name| format!("systemctl --user status {name}"));
        Err(who.fold(Diagnostic::new(message), Diagnostic::help).into())
    }

    /// Stops these services.
    fn stop(&self, writers: &BTreeSet<String>, how: Stop) -> Result<(), Failure> {
        let patience = match how {
            Stop::Gently => Duration::from_secs(100),
            Stop::Quickly => Duration::from_secs(3),
        };
        for name in writers {
            self.systemd().ask_to_stop(name)?;
        }
        // One may wait for another: what is late is so for all of them.
        let watch = Stopwatch::start();
        let mut late = Vec::new();
        for name in writers {
            self.progress.stage("stop", name.trim_end_matches(".service"));
            if !self.systemd().await_down(name, patience.saturating_sub(watch.elapsed()))? {
                late.push(name);
            }
        }
        for name in &late {
            self.engines.podman.kill(name.trim_end_matches(".service"))?;
        }
        for name in late {
            if !self.systemd().await_down(name, KILLED)? {
                return Err(Diagnostic::new(format!("`{name}` does not stop"))
                    .help(format!("systemctl --user kill --signal KILL {name}"))
                    .into());
            }
        }
        Ok(())
    }

    /// Has the database run.
    pub(super) fn start_database(&self) -> Result<(), Failure> {
        let wanted = [DATABASE_SERVICE.to_owned()].into();
        let started = activation::start(self.systemd(), wanted, DATABASE_STARTS, self.progress)?;
        let told = started.not_running.into_iter().next().map(|(name, (state, words))| {
            let told = Diagnostic::new(format!("`{name}` does not run: {state}"));
            words.into_iter().fold(told, Diagnostic::note)
        });
        told.map_or(Ok(()), |told| Err(told.into()))
    }

    /// Has the database stop, and what needs it.
    pub(super) fn stop_database(&self) -> Result<(), Failure> {
        if self.systemd().stop(DATABASE_SERVICE, DATABASE_STOPS)? {
            return Ok(());
        }
        Err(Diagnostic::new(format!("`{DATABASE_SERVICE}` does not stop"))
            .help(format!("systemctl --user stop {DATABASE_SERVICE}"))
            .into())
    }

    /// Has what runs and is another one now run as that.
    pub(super) fn renew(&self, before: &Manifest, now: &Manifest) -> Result<(), Failure> {
        let changed = now.changed_since(before);
        // All go with their pod.
        let changed: BTreeSet<String> =
            if changed.contains(POD_SERVICE) { [POD_SERVICE.to_owned()].into() } else { changed };
        for name in changed.difference(&now.writers()) {
            if self.systemd().unit(name)?.is_up() {
                self.systemd().restart(name)?;
            }
        }
        Ok(())
    }

    /// Asks for all that is wanted at boot, and for these.
    pub(super) fn start(&self, manifest: &Manifest, besides: &BTreeSet<String>) -> Result<(), Failure> {
        let at_boot = manifest.services.iter().filter(|(_, at_boot)| **at_boot).map(|(name, _)| name.clone());
        self.start_again(manifest, &at_boot.chain(besides.iter().cloned()).collect())
    }

    /// Asks for those of these that a set has.
    pub(super) fn start_again(&self, manifest: &Manifest, wanted: &BTreeSet<String>) -> Result<(), Failure> {
        for name in manifest.writers().iter().chain(manifest.services.keys()) {
            self.systemd().reset_failed(name)?;
        }
        // The application first: what it needs comes by that.
        let others = wanted.iter().filter(|name| *name != VESSEL_SERVICE && *name != MIGRATE_SERVICE);
        let first = wanted.iter().filter(|name| *name == VESSEL_SERVICE);
        for name in first.chain(others).filter(|name| manifest.services.contains_key(*name)) {
            match self.systemd().start(name) {
                // What becomes of it is seen.
                Ok(()) | Err(Failure::Refused(_)) => {}
                Err(unable) => return Err(unable),
            }
        }
        Ok(())
    }

    /// Watches an application that was asked to start, until it is known whether it lives.
    pub(super) fn watch(&self, manifest: &Manifest, patience: Patience) -> Result<Result<(), Why>, Failure> {
        let watch = Stopwatch::start();
        let mut judge = Watch::new(patience, manifest.front);
        let mut told = None;
        loop {
            let seen = |name: &str| -> Result<Seen, Failure> {
                let systemd = self.systemd();
                Ok(Seen {
                    unit: systemd.unit(name)?,
                    service: systemd.service(name)?,
                    run: systemd.run(name)?,
                })
            };
            let at = watch.elapsed();
            let vessel = seen(VESSEL_SERVICE)?;
            let look = Look {
                at,
                migration: if manifest.migrates() { Some(seen(MIGRATE_SERVICE)?) } else { None },
                answers: vessel.unit.active == "active"
                    && (manifest.front == 0 || ports::answers(manifest.front, ANSWER)),
                vessel,
            };
            match judge.see(&look) {
                Verdict::Lives => return Ok(Ok(())),
                Verdict::Failed(why) => return Ok(Err(why)),
                Verdict::Wait(stage) if told != Some(stage) => {
                    let window = patience.window.as_secs();
                    self.progress.stage(
                        "watch",
                        &match stage {
                            Stage::Before => "what comes before the application".to_owned(),
                            Stage::Begun => format!("the application begins: {window} s"),
                            Stage::Well => format!("it is well after {:.1} s", at.as_secs_f64()),
                        },
                    );
                    told = Some(stage);
                }
                Verdict::Wait(_) => {}
            }
            pause(LOOK);
        }
    }
}

/// What starts a service again.
fn timer(service: &str) -> String {
    format!("{}.timer", service.trim_end_matches(".service"))
}

fn has_unit(manifest: &Manifest, name: &str) -> bool {
    manifest.plain_units().any(|unit| unit == name)
}
