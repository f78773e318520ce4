//! The password of the database: what the server knows and what podman gives to those who ask become another, together.

use std::{collections::BTreeSet, time::Duration};

use super::{soul::Server, steps::Steps};
use crate::{
    binding::{activation, manifest::Manifest},
    diagnostic::{Diagnostic, Failure},
    host::clock::{Stopwatch, pause},
    runes::DATABASE_SERVICE,
};

/// Between two tries.
const LOOK: Duration = Duration::from_millis(500);
/// How long services may take until they run again: the database may have to come back from a crash.
const START: Duration = Duration::from_mins(5);

impl Steps<'_> {
    /// Gives the database's role the password that podman's secret `next` holds, then the secret `name`, and starts those
    /// again that run with the old one. Whoever was cut short calls it again: `next` is there until all is done.
    ///
    /// # Errors
    /// Refused when the database does not start, the server says no, or something does not run afterwards; unable when podman
    /// or systemd does not answer.
    pub fn change_password(&self, manifest: &Manifest, name: &str, next: &str) -> Result<(), Failure> {
        let podman = &self.engines.podman;
        let value = podman.value_of_secret(next)?;
        let up = self.services().up(manifest)?;
        if !podman.secrets()?.contains_key(name) {
            // Without one the server's container does not begin; what it knows is looked at by nobody then.
            podman.put_secret(name, &value)?;
        }
        self.tell_server(&value)?;
        podman.put_secret(name, &value)?;
        self.start_again(manifest, name, &up)?;
        podman.remove_secret(next)
    }

    /// Has the server know it, which may not be well by its own account: that is asked with the password of its container.
    fn tell_server(&self, value: &[u8]) -> Result<(), Failure> {
        let systemd = &self.engines.systemd;
        systemd.reset_failed(DATABASE_SERVICE)?;
        systemd.start(DATABASE_SERVICE)?;
        self.progress.stage("change", "the database's password");
        let watch = Stopwatch::start();
        loop {
            match Server::new(&self.engines.podman).set_password(value) {
                Err(Failure::Refused(_))
                    if watch.elapsed() < START && systemd.unit(DATABASE_SERVICE)?.is_up() => {}
                done => return done,
            }
            pause(LOOK);
        }
    }

    fn start_again(&self, manifest: &Manifest, name: &str, up: &BTreeSet<String>) -> Result<(), Failure> {
        let users = manifest.secrets.get(name).into_iter().flatten().map(|user| format!("{user}.service"));
        // What runs to its end and is not wanted at boot is waited for by those who need it.
        let stays = |user: &String| up.contains(user) && manifest.services.get(user) == Some(&true);
        let mut again: BTreeSet<String> = users.filter(stays).collect();
        again.insert(DATABASE_SERVICE.to_owned());
        let systemd = &self.engines.systemd;
        systemd.restart(DATABASE_SERVICE)?;
        for service in again.iter().filter(|service| *service != DATABASE_SERVICE) {
            systemd.restart(service)?;
        }
        let activated = activation::start(systemd, again, START, self.progress)?;
        let told = activated.not_running.into_iter().next().map(|(service, (state, words))| {
            let told =
                Diagnostic::new(format!("the password is another, and `{service}` does not run: {state}"));
            words.into_iter().fold(told, Diagnostic::note).help(format!("journalctl --user --unit {service}"))
        });
        told.map_or(Ok(()), |told| Err(told.into()))
    }
}
