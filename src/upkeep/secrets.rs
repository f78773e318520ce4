//! Secrets: which are asked for, whether podman has them, and who runs with an older one. What they hold goes from a
//! terminal, a pipe or chance to podman by its standard input, and is neither shown nor written anywhere else.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::BASE64URL_NOPAD;

use super::sight::{Organism, Sight};
use crate::{
    binding::{facts::Engines, generation::Generation, ground::Ground, staged},
    diagnostic::{Diagnostic, Failure},
    engine::podman::Podman,
    host::{directories::Directories, file, progress::Progress, random},
    name::SecretName,
    rebirth::{recovery, steps::Steps},
    runes::{DATA, DATABASE},
};

/// What is behind the name of a secret while the database gets another password.
const NEXT: &str = ".next";
/// Bytes of chance in one that is made.
const CHANCE: usize = 32;

/// A secret that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The services that get it, by what is inscribed.
    pub users: BTreeSet<String>,
    /// Those that would get it by what is staged alone.
    pub staged: BTreeSet<String>,
    /// Whether podman has it.
    pub is_there: bool,
    /// Those of its users that run with what it was before.
    pub older: BTreeSet<String>,
    /// Whether it is the database's password.
    pub is_password: bool,
}

/// All that are asked for, by name.
#[must_use]
pub fn asked(sight: &Sight, there: &BTreeSet<String>) -> BTreeMap<String, Asked> {
    let mut all: BTreeMap<String, Asked> = BTreeMap::new();
    if let Sight::Inscribed(organism) = sight {
        for (name, users) in &organism.generation.candidate.secrets {
            let one = all.entry(name.clone()).or_default();
            one.users.clone_from(users);
            one.older = older(organism, name);
        }
    }
    for manifest in sight.staged().values() {
        for (name, users) in &manifest.secrets {
            let one = all.entry(name.clone()).or_default();
            one.staged.extend(users.difference(&one.users).cloned());
        }
    }
    for (name, one) in &mut all {
        one.is_there = there.contains(name);
        one.is_password = one.users.contains(DATABASE) || one.staged.contains(DATABASE);
    }
    all
}

/// The services that run with what a secret was before it changed.
#[must_use]
pub fn older(organism: &Organism, name: &str) -> BTreeSet<String> {
    let Some(secret) = organism.secrets.get(name) else { return BTreeSet::new() };
    let runs_with_older = |user: &&String| {
        let service = organism.services.get(&format!("{user}.service"));
        let container = service.and_then(|service| service.container.as_ref());
        container.is_some_and(|container| container.state == "running" && container.created < secret.updated)
    };
    let users = organism.generation.candidate.secrets.get(name).into_iter().flatten();
    users.filter(runs_with_older).cloned().collect()
}

/// The name under which the next value of a secret lies, as long as the database does not know it.
#[must_use]
pub fn next(name: &str) -> String {
    format!("{name}{NEXT}")
}

/// Looks at those that are asked for.
///
/// # Errors
/// As [`Sight::of_user`]; unable when podman does not answer.
pub fn read(directories: &Directories) -> Result<BTreeMap<String, Asked>, Failure> {
    let sight = Sight::of_user(directories)?;
    let there = match &sight {
        Sight::Inscribed(organism) => organism.secrets.keys().cloned().collect(),
        Sight::Nothing { staged, .. } if staged.is_empty() => BTreeSet::new(),
        Sight::Nothing { .. } => Podman::on_path()?.secrets()?.into_keys().collect(),
    };
    Ok(asked(&sight, &there))
}

/// A secret that is about to change, with everything locked.
#[derive(Debug)]
pub struct Changing {
    ground: Ground,
    active: Option<Generation>,
    podman: Podman,
    name: SecretName,
    is_there: bool,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its name.
    pub name: String,
    /// Services that get it, by what is inscribed or staged.
    pub users: BTreeSet<String>,
    /// Services that run with what it was before.
    pub older: BTreeSet<String>,
}

impl Changing {
    /// One of this name.
    ///
    /// # Errors
    /// As [`recovery::settle`]; unable when podman does not answer.
    pub fn of(directories: &Directories, name: SecretName, progress: &dyn Progress) -> Result<Self, Failure> {
        let ground = Ground::take(directories, progress)?;
        recovery::settle(&ground, progress)?;
        let active = Generation::read(&ground.sites.receipt())?;
        let podman = Podman::on_path()?;
        let is_there = podman.secrets()?.contains_key(name.as_str());
        Ok(Self { ground, active, podman, name, is_there })
    }

    fn is_password(&self) -> bool {
        self.active.as_ref().is_some_and(|active| is_password(active, self.name.as_str()))
    }

    /// Whether it can be given another value by itself.
    ///
    /// # Errors
    /// Refused when it is the password of a database that knows it.
    pub fn check(&self) -> Result<(), Failure> {
        let data = self.ground.directories.crypt.join(DATA).join("PG_VERSION");
        if self.name.as_str().ends_with(NEXT) {
            let message = format!("`{}` is a name for what a secret becomes while that changes", self.name);
            return Err(Diagnostic::new(message).into());
        }
        // The database knows it as well while nothing is inscribed.
        let records = self.ground.generations().records()?;
        let is_password = records.iter().any(|one| is_password(one, self.name.as_str()));
        if !(self.is_there && is_password && file::exists(&data)?) {
            return Ok(());
        }
        let message = format!("`{}` is the database's password, which the database knows as well", self.name);
        Err(Diagnostic::new(message)
            .note("with another one nobody could log in any more after the next start")
            .help(format!("`lychd-forge secrets rotate {}` changes it in both", self.name))
            .into())
    }

    /// Gives it a value.
    ///
    /// # Errors
    /// As [`Changing::check`]; refused when podman does not take it.
    pub fn set(self, value: &[u8], directories: &Directories) -> Result<Changed, Failure> {
        self.check()?;
        if value.is_empty() {
            return Err(Diagnostic::new("an empty secret is none").into());
        }
        self.podman.put_secret(self.name.as_str(), value)?;
        self.changed(directories)
    }

    /// Changes the password of the database, in the database too.
    ///
    /// # Errors
    /// Refused when it is no password of the database; as [`Steps::change_password`].
    pub fn rotate(self, directories: &Directories, progress: &dyn Progress) -> Result<Changed, Failure> {
        let Some(active) = self.active.as_ref().filter(|_| self.is_password()) else {
            let message = format!("`{}` is not the password of a database that is inscribed", self.name);
            let told = Diagnostic::new(message);
            return Err(if self.active.is_some() {
                told.help(format!("`lychd-forge secrets set {} --random` changes it", self.name)).into()
            } else {
                told.help("nothing is inscribed: `lychd-forge bind --first`, then try again").into()
            });
        };
        let next = next(self.name.as_str());
        // What was cut short goes on with the value that the database may know already.
        if !self.podman.secrets()?.contains_key(&next) {
            self.podman.put_secret(&next, &random_value()?)?;
        }
        let engines = Engines::of_user()?;
        let steps = Steps { ground: &self.ground, engines: &engines, progress };
        steps.change_password(&active.candidate, self.name.as_str(), &next)?;
        self.changed(directories)
    }

    fn changed(self, directories: &Directories) -> Result<Changed, Failure> {
        let name = self.name.to_string();
        let older = match Sight::of_user(directories)? {
            Sight::Inscribed(organism) => older(&organism, &name),
            Sight::Nothing { .. } => BTreeSet::new(),
        };
        let active = self.active.iter().map(|active| &active.candidate);
        let staged = staged::list(&self.ground.state)?;
        let all = active.chain(staged.values()).filter_map(|manifest| manifest.secrets.get(&name));
        Ok(Changed { users: all.flatten().cloned().collect(), older, name })
    }
}

fn is_password(generation: &Generation, name: &str) -> bool {
    generation.candidate.secrets.get(name).is_some_and(|users| users.contains(DATABASE))
}

/// One that nobody guesses, in letters, digits, `-` and `_`.
///
/// # Errors
/// Unable when the system gives no chance.
pub fn random_value() -> Result<Vec<u8>, Failure> {
    let chance = random::bytes::<CHANCE>()
        .map_err(|error| Failure::unable(Diagnostic::new(format!("the system gives no chance: {error}"))))?;
    Ok(BASE64URL_NOPAD.encode(&chance).into_bytes())
}
