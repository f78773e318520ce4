//! The realm: the units of the forge on a real systemd with rootless podman, and what befalls them there.
//!
//! One machine is booted for all tests of this kind, which use it one after the other. It goes with this process, however
//! that ends.
#![expect(clippy::disallowed_methods, reason = "the tools are run as a user would")]

mod app;
mod attacks;
mod bodies;
mod covens;
mod cuts;
mod database;
mod ends;
mod faults;
mod inscription;
mod kills;
mod lost;
mod lychds;
mod machine;
mod misfortunes;
mod observer;
mod organism;
mod pace;
mod rebirth;
mod rites;
mod soul;
mod upkeep;

use std::{
    collections::BTreeMap,
    io::Write as _,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use lychd_forge::binding::generation::Generation;
use machine::Machine;
use organism::Organism;
use serde_json::Value;

/// How long anything may take before it counts as never: far more than it needs on a machine that does other things.
const PATIENCE: Duration = Duration::from_secs(150);

/// Where the application is published.
const APPLICATION: &str = "http://127.0.0.1:7134";
const POD: &str = "lychd-pod.service";
const DATABASE: &str = "lychd-phylactery.service";
const MIGRATE: &str = "lychd-migrate.service";
const VESSEL: &str = "lychd-vessel.service";

/// The machine with the organism in it.
struct Realm {
    machine: Machine,
    organism: Organism,
}

/// Why there is none here, or the realm.
static REALM: LazyLock<Result<Mutex<Realm>, String>> = LazyLock::new(|| {
    if let Some(reason) = Machine::unable() {
        return Err(reason);
    }
    let (machine, organism) = organism::inscribed();
    Ok(Mutex::new(Realm { machine, organism }))
});

/// The realm for a test alone, with all units up; `None`, and a word of it, on a machine that cannot boot one.
fn realm(test: &str) -> Option<MutexGuard<'static, Realm>> {
    match &*REALM {
        Ok(realm) => {
            // What failed in another test is told there.
            let realm = realm.lock().unwrap_or_else(PoisonError::into_inner);
            realm.rouse();
            realm.come_back();
            Some(realm)
        }
        Err(reason) => {
            // Past the harness, which keeps what a passing test prints to itself.
            let told = format!("\n*** skipped: {test}: this machine boots no realm: {reason} ***\n\n");
            std::io::stderr().write_all(told.as_bytes()).unwrap();
            None
        }
    }
}

/// What systemd says of a unit.
#[derive(Clone, Debug, Default)]
struct Unit(BTreeMap<String, String>);

impl Unit {
    fn text(&self, property: &str) -> &str {
        self.0.get(property).map_or("", String::as_str)
    }

    fn number(&self, property: &str) -> u64 {
        self.text(property).parse().unwrap_or_else(|_| panic!("{property} in {self:?}"))
    }

    fn is(&self, active: &str, sub: &str) -> bool {
        self.text("ActiveState") == active && self.text("SubState") == sub
    }

    /// Whether it failed since its last start by hand.
    fn has_failed(&self) -> bool {
        self.number("NRestarts") > 0 || self.text("ActiveState") == "failed"
    }
}

/// All units that are wanted at boot, whether any unit is on its way, and what the application says of itself.
#[derive(Clone, Debug)]
struct Look {
    units: BTreeMap<String, Unit>,
    idle: bool,
    health: Option<Value>,
}

impl Look {
    fn unit(&self, name: &str) -> &Unit {
        self.units.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    fn invocation(&self, name: &str) -> &str {
        self.unit(name).text("InvocationID")
    }

    /// Whether all run, nothing is on its way, and the application is well.
    fn is_well(&self) -> bool {
        let health = self.health.as_ref();
        self.idle
            && self.units.values().all(|unit| unit.is("active", "running"))
            && health.is_some_and(|health| health["status"] == "ok" && health["database"] == "up")
    }
}

impl Realm {
    /// What a script of the user prints.
    fn user(&self, script: &str) -> String {
        let output = self.machine.user(script);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}\n{told}\n{}", self.report());
        String::from_utf8(output.stdout).unwrap()
    }

    /// Units as systemd sees them.
    fn units<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, Unit> {
        let names: Vec<&str> = names.into_iter().collect();
        parse(&self.user(&format!("systemctl --user show {}", names.join(" "))))
    }

    fn unit(&self, name: &str) -> Unit {
        self.units([name]).remove(name).unwrap_or_else(|| panic!("systemd tells nothing of {name}"))
    }

    fn look(&self) -> Look {
        let wanted = self.organism.at_boot.join(" ");
        let told = self.user(&format!(
            "systemctl --user show {wanted}; echo; echo ----; systemctl --user list-jobs --no-legend; echo ----; \
             curl --silent --fail --max-time 5 {APPLICATION}/health || echo none"
        ));
        let mut parts = told.split("----\n");
        let mut part = || parts.next().unwrap();
        Look { units: parse(part()), idle: part().is_empty(), health: serde_json::from_str(part()).ok() }
    }

    /// Looks until something is there.
    fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}\n{}", self.report());
            thread::sleep(Duration::from_millis(150));
        }
    }

    /// Waits until all is well.
    fn until_well(&self) -> Look {
        self.until("all units run and the application is well", || Some(self.look()).filter(Look::is_well))
    }

    /// Waits until all is well by itself, after a fault that cost these units their run.
    fn until_back(&self, before: &Look, lost: &[&str]) -> Look {
        self.until(&format!("new runs of {lost:?}, and all is well"), || {
            let look = self.look();
            let new = lost.iter().all(|name| look.invocation(name) != before.invocation(name));
            (new && look.is_well()).then_some(look)
        })
    }

    /// Brings the organism up, whatever the last test left.
    fn rouse(&self) {
        if !self.look().is_well() {
            self.user("systemctl --user reset-failed");
            self.start();
            self.until_well();
        }
    }

    /// The body that all tests begin with, whatever the last one left.
    fn come_back(&self) {
        let receipt = Generation::read(&self.site().join("receipt.json")).unwrap();
        if receipt.is_some_and(|receipt| receipt.candidate.body.to_string() != self.organism.body) {
            self.forge("rebirth --recover");
            self.lives(&format!("{} --no-snapshot", self.organism.body));
        }
    }

    /// Asks for all that is wanted at boot.
    fn start(&self) {
        self.user(&format!("systemctl --user start --no-block {}", self.organism.at_boot.join(" ")));
    }

    /// What a person would look at.
    fn report(&self) -> String {
        let output = self.machine.user(
            "systemctl --user list-units --all --no-pager --plain --no-legend 'lychd*'
             systemctl --user list-jobs --no-pager
             podman ps --all --format '{{.Names}} {{.Status}}'
             journalctl --user --boot --no-pager --output=short-monotonic --lines=80 --unit='lychd*'",
        );
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }
}

/// The answer of `systemctl show`.
fn parse(told: &str) -> BTreeMap<String, Unit> {
    let blocks = told.split("\n\n").map(|block| {
        Unit(
            block
                .lines()
                .filter_map(|line| line.split_once('='))
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        )
    });
    blocks.filter(|unit| !unit.0.is_empty()).map(|unit| (unit.text("Id").to_owned(), unit)).collect()
}
