//! The password of the database: what the server knows and what podman gives to those who ask become another, together.

use std::{collections::BTreeSet, time::Duration};

use super::{soul::Server, steps::Steps};
use crate::{
    binding::{activation, manifest::Manifest},
    diagnostic::{Diagnostic, Failure},
    runes::DATABASE_SERVICE,
};

/// How long services may take until they run again: the database may have to come back from a crash.
const START: Duration = Duration::from_mins(5);

impl Steps<'_> {
    /// Gives the database's role the password that podman's secret `next` holds, then the secret `name`, and starts those
    /// again that run with the old one. Whoever was cut short calls it again: `next` is there until all is done.
    ///
    /// # Errors
    /// Refused when the database does not run, the server says no, or something does not run afterwards; unable when podman
    /// or systemd does not answer.
    pub fn change_password(&self, manifest: &Manifest, name: &str, next: &str) -> Result<(), Failure> {
        let podman = &self.engines.podman;
        let value = podman.value_of_secret(next)?;
        let services = self.services();
        let up = services.up(manifest)?;
        if !podman.secrets()?.contains_key(name) {
            // Without one the server's container does not begin; what it knows is looked at by nobody then.
            podman.put_secret(name, &value)?;
        }
        services.start_database()?;
        Server::new(podman).set_password(&value)?;
        podman.put_secret(name, &value)?;
        self.start_again(manifest, name, &up)?;
        podman.remove_secret(next)
    }

    fn start_again(&self, manifest: &Manifest, name: &str, up: &BTreeSet<String>) -> Result<(), Failure> {
        let users = manifest.secrets.get(name).into_iter().flatten().map(|user| format!("{user}.service"));
        let mut again: BTreeSet<String> = users.filter(|user| up.contains(user)).collect();
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
