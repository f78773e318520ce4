//! Images that the forge knows how to make: packages, command and entry point of a server, by one word.

use std::collections::{BTreeMap, BTreeSet};

use super::contract::{Health, ImageContract, User};

/// What starts in an image before its command, a file of the Nix library's `entry/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// Makes the database at the first start, from the variables that the official image of `PostgreSQL` takes.
    Postgresql,
}

impl Entry {
    /// Its file's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Postgresql => "postgresql",
        }
    }
}

/// A preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// What `preset` says.
    pub name: &'static str,
    /// Debian's packages of it, with what its entry point calls: `flock` of util-linux, and what unpacks scripts.
    pub packages: &'static [&'static str],
    /// Where its programs lie, which are not on the usual `PATH`.
    programs: &'static str,
    /// What starts before its command.
    pub entry: Entry,
}

/// All of them: `PostgreSQL` with pgvector, which bookworm has not.
pub const ALL: [Preset; 1] = [Preset {
    name: "postgresql-17-pgvector",
    packages: &["postgresql-17", "postgresql-17-pgvector", "gzip", "util-linux", "xz-utils", "zstd"],
    programs: "/usr/lib/postgresql/17/bin",
    entry: Entry::Postgresql,
}];

impl Preset {
    /// What an image of it promises.
    #[must_use]
    pub fn contract(&self) -> ImageContract {
        const DATA: &str = "/var/lib/postgresql/data";
        let texts = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let path = format!("{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", self.programs);
        let env = [("PATH", path.as_str()), ("PGDATA", DATA)];
        ImageContract {
            command: texts(&["postgres"]),
            user: User { name: "postgres".to_owned(), ..User::default() },
            env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            // The last is where scripts for the first start are mounted. That of the data is no directory of the image: an
            // engine gives a new volume to the container's user only where there is none.
            directories: texts(&["/run/postgresql", "/docker-entrypoint-initdb.d"]),
            volumes: BTreeSet::from([DATA.to_owned()]),
            ports: BTreeSet::from([5432]),
            // Fast shutdown: `SIGTERM` waits for every client to leave.
            stop_signal: "SIGINT".parse().ok(),
            // Over TCP: the server of the first start listens on a socket alone.
            health: Some(Health::Command(texts(&["pg_isready", "--quiet", "--host=127.0.0.1"]))),
            labels: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_name_what_can_be_asked_for() {
        for preset in ALL {
            assert!(preset.packages.iter().all(|name| name.parse::<crate::name::DebianName>().is_ok()));
            assert_eq!(preset.contract().stop_signal.unwrap().as_str(), "SIGINT");
        }
    }
}
