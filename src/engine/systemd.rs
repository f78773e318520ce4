//! The systemd of a user, spoken to over its bus: what is loaded and runs, and the few things that are asked of it.
//!
//! No answer is waited for without an end. What a lost answer leaves open is asked again: [`Systemd::unit`] tells what is.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use data_encoding::HEXLOWER;
use zbus::wire::{OwnedObjectPath, OwnedVariant};

use crate::{
    diagnostic::{Diagnostic, Failure, Fault},
    host::{
        bus::{Bus, BusError, Method},
        clock::{Stopwatch, pause},
        environment, file,
        process::Command,
    },
};

/// How long one call may take. A reload runs all generators: a quarter of a second, and more where there are hundreds of
/// units on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two looks at a unit that is on its way.
const LOOK: Duration = Duration::from_millis(40);

/// How long what nothing depends on may take.
const SHORT: Duration = Duration::from_secs(5);

const SYSTEM_BUS: &str = "/run/dbus/system_bus_socket";
const SERVICE: &str = "org.freedesktop.systemd1";
const MANAGER: &str = "/org/freedesktop/systemd1";
const UNITS: &str = "/org/freedesktop/systemd1/unit/";
const OF_MANAGER: &str = "org.freedesktop.systemd1.Manager";
const OF_UNIT: &str = "org.freedesktop.systemd1.Unit";
const OF_SERVICE: &str = "org.freedesktop.systemd1.Service";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// How many lines of a unit are its last words.
const WORDS: usize = 8;

/// A user's systemd.
#[derive(Clone, Debug)]
pub struct Systemd {
    bus: Bus,
}

/// What systemd says of a unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitState {
    /// `loaded`, `not-found`, `bad-setting` and the like.
    pub load: String,
    /// `active`, `inactive`, `failed`, `activating` and the like.
    pub active: String,
    /// What that is in the unit's own words, such as `running` or `auto-restart`.
    pub sub: String,
    /// The file that it was loaded from.
    pub fragment: PathBuf,
    /// What that file says that it was made of.
    pub source: PathBuf,
    /// The number of a job that is on its way; 0 for none.
    pub job: u32,
}

/// How the main process of a service fared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceState {
    /// How often systemd has started it again by itself since somebody else did.
    pub restarts: u32,
    /// Whether the last run of it that ended did so by a status other than 0, or by a signal.
    pub has_failed: bool,
}

/// What systemd lists of a unit, in its order.
#[derive(Debug, serde::Deserialize, zbus::wire::Type)]
struct Listed {
    name: String,
    _description: String,
    load: String,
    active: String,
    sub: String,
    _follows: String,
    _object: OwnedObjectPath,
    job: u32,
    _job_kind: String,
    _job_object: OwnedObjectPath,
}

/// A command as systemd tells it: the program, its command line, and how its last run went.
type Exec = (String, Vec<String>, bool, u64, u64, u64, u64, u32, i32, i32);

impl UnitState {
    /// Whether it is there to be started.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.load == "loaded"
    }

    /// Whether anything of it runs, or is about to.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.job != 0 || !matches!(self.active.as_str(), "inactive" | "failed")
    }
}

impl Systemd {
    /// That of the user whose bus is behind this socket.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it does not answer.
    pub fn connect(socket: &Path) -> Result<Self, Failure> {
        let bus = Bus::connect(socket, PATIENCE).map_err(|error| {
            let message = format!("systemd cannot be reached by `{}`: {error}", socket.display());
            Failure::unable(Diagnostic::new(message).of_kind(Fault::Program))
        })?;
        Ok(Self { bus })
    }

    /// That of the user who runs this: by the runtime directory of the session, or the one that the user has where the
    /// environment names none, as under `sudo` or cron.
    ///
    /// # Errors
    /// As [`Systemd::connect`], or when there is no bus.
    pub fn of_user() -> Result<Self, Failure> {
        let usual = || PathBuf::from(format!("/run/user/{}", environment::uid()));
        let runtime = environment::variable("XDG_RUNTIME_DIR").map(PathBuf::from);
        let socket = runtime.filter(|path| path.is_absolute()).unwrap_or_else(usual).join("bus");
        if file::kind_behind(&socket)?.is_none() {
            let message =
                format!("the systemd of this user does not run: there is no `{}`", socket.display());
            return Err(Failure::unable(Diagnostic::new(message).of_kind(Fault::Program).help(
                "log in as this user, or have its services run without that: `loginctl enable-linger`",
            )));
        }
        Self::connect(&socket)
    }

    /// Whether the services of a user run without a session; `None` where the system does not say.
    #[must_use]
    pub fn lingers(uid: u32) -> Option<bool> {
        let bus = Bus::connect(Path::new(SYSTEM_BUS), SHORT).ok()?;
        let object = format!("/org/freedesktop/login1/user/_{uid}");
        let method =
            Method { service: "org.freedesktop.login1", object: &object, interface: PROPERTIES, name: "Get" };
        let answer: OwnedVariant = bus.call(method, &("org.freedesktop.login1.User", "Linger")).ok()?;
        bool::try_from(answer).ok()
    }

    fn manager<A, R>(&self, name: &str, arguments: &A) -> Result<R, BusError>
    where
        A: serde::Serialize + zbus::wire::DynamicType,
        R: serde::de::DeserializeOwned + zbus::wire::Type,
    {
        let method = Method { service: SERVICE, object: MANAGER, interface: OF_MANAGER, name };
        self.bus.call(method, arguments)
    }

    /// Its version, as it writes it: `257.13-1~deb13u1`.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it does not answer.
    pub fn version(&self) -> Result<String, Failure> {
        let method = Method { service: SERVICE, object: MANAGER, interface: PROPERTIES, name: "Get" };
        let answer: Result<OwnedVariant, _> = self.bus.call(method, &(OF_MANAGER, "Version"));
        let version = answer.and_then(|value| Ok(String::try_from(value)?));
        version.map_err(|error| unable("tell its version", &error))
    }

    /// Has it read all units again, which is when a changed site begins to count.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it says no, or nothing: then it may have been done.
    pub fn reload(&self) -> Result<(), Failure> {
        self.manager("Reload", &()).map_err(|error| unable("reload", &error))
    }

    /// What it says of a unit, which it loads for that where it is not.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it does not answer.
    pub fn unit(&self, name: &str) -> Result<UnitState, Failure> {
        let object = format!("{UNITS}{}", label(name));
        let method = Method { service: SERVICE, object: &object, interface: PROPERTIES, name: "GetAll" };
        let properties: BTreeMap<String, OwnedVariant> = self
            .bus
            .call(method, &(OF_UNIT,))
            .map_err(|error| unable(&format!("tell of `{name}`"), &error))?;
        let mut properties = Properties(properties);
        Ok(UnitState {
            load: properties.text("LoadState"),
            active: properties.text("ActiveState"),
            sub: properties.text("SubState"),
            fragment: properties.text("FragmentPath").into(),
            source: properties.text("SourcePath").into(),
            job: properties.job(),
        })
    }

    /// What names the last run of a unit, in hex; empty for one that did not run since the manager started.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it does not answer.
    pub fn run(&self, name: &str) -> Result<String, Failure> {
        self.property::<Vec<u8>>(name, (OF_UNIT, "InvocationID")).map(|bytes| HEXLOWER.encode(&bytes))
    }

    /// Since when a unit has been what it is, in seconds since 1970; 0 of one that was nothing else since the manager started.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it does not answer.
    pub fn since(&self, name: &str) -> Result<u64, Failure> {
        self.property::<u64>(name, (OF_UNIT, "StateChangeTimestamp")).map(|micros| micros / 1_000_000)
    }

    /// The command lines of a service's start, with all that systemd puts in for what its file says, the programs first.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it does not answer.
    pub fn runs(&self, name: &str) -> Result<Vec<Vec<String>>, Failure> {
        let mut runs = Vec::new();
        for property in ["ExecStartPre", "ExecStart"] {
            let all: Vec<Exec> = self.property(name, (OF_SERVICE, property))?;
            // Variables are put in at each start, by which `$$` stands for itself.
            let words = |exec: Exec| exec.1.iter().map(|word| word.replace("$$", "$")).collect();
            runs.extend(all.into_iter().map(words));
        }
        Ok(runs)
    }

    fn property<T>(&self, name: &str, which: (&str, &str)) -> Result<T, Failure>
    where
        T: TryFrom<OwnedVariant>,
        BusError: From<T::Error>,
    {
        let object = format!("{UNITS}{}", label(name));
        let method = Method { service: SERVICE, object: &object, interface: PROPERTIES, name: "Get" };
        let answer: Result<OwnedVariant, _> = self.bus.call(method, &which);
        let value = answer.and_then(|value| Ok(T::try_from(value)?));
        value.map_err(|error| unable(&format!("tell of `{name}`"), &error))
    }

    /// What it says of a service's main process.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it does not answer.
    pub fn service(&self, name: &str) -> Result<ServiceState, Failure> {
        let object = format!("{UNITS}{}", label(name));
        let method = Method { service: SERVICE, object: &object, interface: PROPERTIES, name: "GetAll" };
        let properties: BTreeMap<String, OwnedVariant> = self
            .bus
            .call(method, &(OF_SERVICE,))
            .map_err(|error| unable(&format!("tell of `{name}`"), &error))?;
        let mut properties = Properties(properties);
        let result = properties.text("Result");
        Ok(ServiceState {
            restarts: properties.number("NRestarts"),
            has_failed: !matches!(result.as_str(), "success" | ""),
        })
    }

    /// What it says of many units. Each is held until this connection ends: one that nothing holds is forgotten between
    /// two questions, and the next loads it again with all that it names. Of each only what is wanted is asked for, since
    /// all of its properties take systemd milliseconds.
    ///
    /// # Errors
    /// As [`Systemd::unit`].
    pub fn units<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<BTreeMap<String, UnitState>, Failure> {
        let names: Vec<&str> = names.into_iter().collect();
        self.hold(&names)?;
        let listed: Vec<Listed> = self
            .manager("ListUnitsByNames", &(&names,))
            .map_err(|error| unable("tell of its units", &error))?;
        let names: Vec<&str> = listed.iter().map(|one| one.name.as_str()).collect();
        let (fragments, sources) = (self.paths(&names, "FragmentPath")?, self.paths(&names, "SourcePath")?);
        let told = listed.into_iter().zip(fragments.into_iter().zip(sources));
        let told = told.map(|(Listed { name, load, active, sub, job, .. }, (fragment, source))| {
            (name, UnitState { load, active, sub, fragment, source, job })
        });
        Ok(told.collect())
    }

    /// A property of each unit that is a path.
    fn paths(&self, names: &[&str], property: &str) -> Result<Vec<PathBuf>, Failure> {
        let answers = self.of_each::<_, OwnedVariant>(names, (PROPERTIES, "Get"), (OF_UNIT, property));
        let path = |(answer, name): (Result<OwnedVariant, BusError>, &&str)| {
            let path = answer.and_then(|value| Ok(String::try_from(value)?));
            path.map(PathBuf::from).map_err(|error| unable(&format!("tell of `{name}`"), &error))
        };
        answers.into_iter().zip(names).map(path).collect()
    }

    fn hold(&self, names: &[&str]) -> Result<(), Failure> {
        for (answer, name) in self.of_each(names, (OF_UNIT, "Ref"), ()).into_iter().zip(names) {
            match answer {
                // What it does not hold only takes longer.
                Ok(()) | Err(BusError::Answered { .. }) => {}
                Err(lost) => return Err(unable(&format!("tell of `{name}`"), &lost)),
            }
        }
        Ok(())
    }

    /// Calls the same method of each of these units.
    fn of_each<A, R>(
        &self,
        names: &[&str],
        (interface, name): (&str, &str),
        arguments: A,
    ) -> Vec<Result<R, BusError>>
    where
        A: Copy + serde::Serialize + zbus::wire::DynamicType,
        R: serde::de::DeserializeOwned + zbus::wire::Type,
    {
        let objects: Vec<String> = names.iter().map(|name| format!("{UNITS}{}", label(name))).collect();
        let method = |object| (Method { service: SERVICE, object, interface, name }, arguments);
        self.bus.call_all(&objects.iter().map(|object| method(object.as_str())).collect::<Vec<_>>())
    }

    /// Asks for a start, and does not wait for it.
    ///
    /// # Errors
    /// Refused when it will not start the unit; unable when it does not answer.
    pub fn start(&self, name: &str) -> Result<(), Failure> {
        self.job("StartUnit", "start", name)
    }

    /// Asks for a restart of a unit that runs, and does not wait for it.
    ///
    /// # Errors
    /// As [`Systemd::start`].
    pub fn restart(&self, name: &str) -> Result<(), Failure> {
        self.job("TryRestartUnit", "restart", name)
    }

    fn job(&self, method: &str, what: &str, name: &str) -> Result<(), Failure> {
        let answer: Result<OwnedObjectPath, _> = self.manager(method, &(name, "replace"));
        match answer {
            Ok(_) => Ok(()),
            Err(BusError::Answered { said, .. }) => {
                Err(Diagnostic::new(format!("systemd does not {what} `{name}`: {said}")).into())
            }
            Err(lost) => Err(unable(&format!("{what} `{name}`"), &lost)),
        }
    }

    /// Asks for a stop, and does not wait for it.
    ///
    /// # Errors
    /// As [`Systemd::start`].
    pub fn ask_to_stop(&self, name: &str) -> Result<(), Failure> {
        self.job("StopUnit", "stop", name)
    }

    /// Stops a unit and waits until nothing of it runs; `false` when that takes longer than `patience`.
    ///
    /// # Errors
    /// As [`Systemd::start`].
    pub fn stop(&self, name: &str, patience: Duration) -> Result<bool, Failure> {
        self.ask_to_stop(name)?;
        self.await_down(name, patience)
    }

    /// Waits until nothing of a unit runs; `false` when that takes longer than `patience`.
    ///
    /// # Errors
    /// As [`Systemd::unit`].
    pub fn await_down(&self, name: &str, patience: Duration) -> Result<bool, Failure> {
        let watch = Stopwatch::start();
        loop {
            if !self.unit(name)?.is_up() {
                return Ok(true);
            }
            if watch.elapsed() >= patience {
                return Ok(false);
            }
            pause(LOOK);
        }
    }

    /// Forgets that a unit failed, and how often it was tried.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it does not answer; a unit that did not fail is none.
    pub fn reset_failed(&self, name: &str) -> Result<(), Failure> {
        match self.manager("ResetFailedUnit", &(name,)) {
            // What is not loaded has not failed.
            Ok(()) | Err(BusError::Answered { .. }) => Ok(()),
            Err(lost) => Err(unable(&format!("reset `{name}`"), &lost)),
        }
    }
}

/// The last lines that a unit wrote since then (seconds since 1970), as people read them; of before, where it said nothing
/// since; none where the journal cannot be asked.
#[must_use]
pub fn last_words(unit: &str, since: u64) -> Vec<String> {
    let words = ["--user", "--no-pager", "--output=cat", "--lines=16", "--unit", unit];
    let said = |more: &[&str]| -> Vec<String> {
        let output = Command::new("journalctl").args(words).args(more).output();
        let text = output.map(|output| output.text()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines.iter().skip(lines.len().saturating_sub(WORDS)).map(|line| (*line).to_owned()).collect()
    };
    // What the container itself said, where it came to that: podman names it in a field of the journal's.
    let (since, own) =
        (format!("--since=@{since}"), format!("CONTAINER_NAME={}", unit.trim_end_matches(".service")));
    let ways: [&[&str]; 3] = [&[since.as_str(), own.as_str()], &[since.as_str()], &[]];
    ways.into_iter().map(said).find(|lines| !lines.is_empty()).unwrap_or_default()
}

struct Properties(BTreeMap<String, OwnedVariant>);

impl Properties {
    fn text(&mut self, name: &str) -> String {
        self.0.remove(name).and_then(|value| String::try_from(value).ok()).unwrap_or_default()
    }

    fn number(&mut self, name: &str) -> u32 {
        self.0.remove(name).and_then(|value| u32::try_from(value).ok()).unwrap_or_default()
    }

    /// `Job` is its number and its path.
    fn job(&mut self) -> u32 {
        let job = self.0.remove("Job").map(<(u32, OwnedObjectPath)>::try_from);
        job.and_then(Result::ok).map_or(0, |(number, _)| number)
    }
}

/// A unit's name in a path of an object: whatever is neither letter nor digit, and a digit at the beginning, as `_` and
/// two hex digits.
fn label(name: &str) -> String {
    let mut label = String::new();
    for (at, byte) in name.bytes().enumerate() {
        if byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit()) {
            label.push(char::from(byte));
        } else {
            // A text takes whatever is written to it.
            let _whole = write!(label, "_{byte:02x}");
        }
    }
    label
}

fn unable(doing: &str, error: &BusError) -> Failure {
    Failure::unable(Diagnostic::new(format!("systemd does not {doing}: {error}")).of_kind(Fault::Program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_labels_of_objects() {
        assert_eq!(label("lychd-pod.service"), "lychd_2dpod_2eservice");
        assert_eq!(label("4a@é.x"), "_34a_40_c3_a9_2ex");
    }
}
