//! Snapshots: what the databases of an organism were, each with a record.
//!
//! `<state>/snapshots/<N>/` holds `snapshot.json`, and a dump of each database where no subvolume has them. Nobody but the user may read any of it.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{properties::Properties, soul::Rows};
use crate::{
    binding::manifest::unreadable,
    diagnostic::{Diagnostic, Failure},
    digest::Sha256,
    document::canonical_json,
    host::file::{self, TemporaryDirectory},
};

/// The schema of `snapshot.json`.
pub const SCHEMA: &str = "lychd-forge/snapshot/1";
/// The record in a snapshot's directory.
const RECORD: &str = "snapshot.json";
/// The highest number that one had which was removed.
const LAST: &str = "last";
/// The most that a record may hold, in bytes.
const LIMIT: u64 = 64 << 20;

/// Why a snapshot was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A generation was left for one of another era, or the databases got another past.
    Departure,
    /// A failed generation had this, and another past took its place.
    Left,
    /// Somebody asked for it.
    Taken,
}

/// What a snapshot is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// Why it is taken.
    pub kind: Kind,
    /// The generation that was active.
    pub generation: u64,
    /// Its era.
    pub era: u64,
    /// The consent that it is taken under.
    pub word: Option<Sha256>,
}

/// The record of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "snapshot.json")]
pub struct Snapshot {
    schema: String,
    /// Its number, from 1.
    #[serde(rename = "snapshot")]
    pub number: u64,
    /// Why it was taken.
    pub kind: Kind,
    /// The generation that was active.
    pub generation: u64,
    /// The era of that generation.
    pub era: u64,
    /// The consent that it was taken under: sha256 of its line.
    pub word: Option<Sha256>,
    /// What podman called the server's image.
    pub image: String,
    /// The server's version.
    pub version: String,
    /// The subvolume that has the server's whole directory, where it was kept as that; it cannot be written to.
    pub subvolume: Option<PathBuf>,
    /// The databases.
    pub databases: Vec<Kept>,
}

/// A database in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// The role that owned it.
    pub owner: String,
    /// Bytes of its dump, or those that it took on the server.
    pub size: u64,
    /// Its dump; `None` where a subvolume has it.
    pub dump: Option<Dump>,
    /// What it is besides its content; `None` where a subvolume has it.
    #[serde(default)]
    pub properties: Option<Properties>,
    /// How many rows each table has, by schema and name.
    pub rows: BTreeMap<String, u64>,
}

/// A database as a file, in the custom format of `pg_dump`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dump {
    /// The file, beside the record.
    pub file: String,
    /// sha256 of it.
    pub sha256: Sha256,
}

impl Snapshot {
    /// A new one.
    #[must_use]
    pub fn new(
        number: u64,
        about: About,
        (image, version): (String, String),
        subvolume: Option<PathBuf>,
        databases: Vec<Kept>,
    ) -> Self {
        let About { kind, generation, era, word } = about;
        let schema = SCHEMA.to_owned();
        Self { schema, number, kind, generation, era, word, image, version, subvolume, databases }
    }

    /// sha256 of its record.
    #[must_use]
    pub fn sha256(&self) -> Sha256 {
        Sha256::of(canonical_json(self))
    }

    /// Bytes of all databases in it.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.databases.iter().map(|one| one.size).sum()
    }

    /// Rows by database, schema and table.
    #[must_use]
    pub fn rows(&self) -> Rows {
        let each = |one: &Kept| {
            let name = one.name.clone();
            one.rows.clone().into_iter().map(move |(table, rows)| (format!("{name}.{table}"), rows))
        };
        self.databases.iter().flat_map(each).collect()
    }
}

/// A snapshot that is being taken; what it has so far goes with this value.
#[derive(Debug)]
pub struct Draft {
    /// The number that it gets.
    pub number: u64,
    /// Where its files are written.
    pub place: PathBuf,
    _scratch: TemporaryDirectory,
}

/// The snapshots of a state directory.
#[derive(Clone, Debug)]
pub struct Snapshots {
    directory: PathBuf,
}

impl Snapshots {
    /// Those below `<state>/snapshots`.
    #[must_use]
    pub fn of_state(state: &Path) -> Self {
        Self { directory: state.join("snapshots") }
    }

    /// Where they lie: a directory that is there.
    ///
    /// # Errors
    /// Unable when it cannot be made.
    pub fn made(&self) -> Result<&Path, Failure> {
        file::create_private_directory(&self.directory)
            .map_err(|error| file::unable("create", &self.directory, &error))?;
        Ok(&self.directory)
    }

    /// Where one lies.
    #[must_use]
    pub fn place(&self, number: u64) -> PathBuf {
        self.directory.join(number.to_string())
    }

    /// All of them, the oldest first.
    ///
    /// # Errors
    /// Unable when one cannot be read.
    pub fn list(&self) -> Result<Vec<Snapshot>, Failure> {
        self.numbers()?.into_iter().map(|number| self.read(number)).collect()
    }

    fn numbers(&self) -> Result<Vec<u64>, Failure> {
        let names = match file::names(&self.directory) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(file::unable("read", &self.directory, &error)),
        };
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// One of them.
    ///
    /// # Errors
    /// Refused when there is none of this number; unable when it cannot be read.
    pub fn read(&self, number: u64) -> Result<Snapshot, Failure> {
        let path = self.place(number).join(RECORD);
        let Some(text) = file::if_there(&path, file::read(&path, LIMIT))? else {
            return Err(Diagnostic::new(format!("there is no snapshot {number}"))
                .help("lychd-forge snapshots")
                .into());
        };
        let shown = path.display().to_string();
        let read: Snapshot =
            serde_json::from_slice(&text).map_err(|error| unreadable(&shown, &error.to_string()))?;
        if read.schema != SCHEMA {
            let why = format!("its schema is `{}`, not `{SCHEMA}`", read.schema.escape_debug());
            return Err(unreadable(&shown, &why));
        }
        Ok(read)
    }

    /// The one that was taken of this kind under a consent, if it came so far.
    ///
    /// # Errors
    /// As [`Snapshots::list`].
    pub fn of_word(&self, word: Sha256, kind: Kind) -> Result<Option<Snapshot>, Failure> {
        Ok(self.list()?.into_iter().rfind(|one| one.word == Some(word) && one.kind == kind))
    }

    /// Begins one.
    ///
    /// # Errors
    /// Unable when nothing can be written.
    pub fn draft(&self) -> Result<Draft, Failure> {
        let scratch = file::temporary_directory(self.made()?)
            .map_err(|error| file::unable("create a directory in", &self.directory, &error))?;
        // What is renamed must not be the directory that goes with the value.
        let place = scratch.path().join("snapshot");
        file::create_private_directory(&place).map_err(|error| file::unable("create", &place, &error))?;
        let number = self.numbers()?.last().copied().unwrap_or(0).max(self.last()?).saturating_add(1);
        Ok(Draft { number, place, _scratch: scratch })
    }

    /// Ends one: when this returns, it is there and on the disk.
    ///
    /// # Errors
    /// Unable when it cannot be written.
    pub fn finish(&self, draft: &Draft, snapshot: &Snapshot) -> Result<(), Failure> {
        let (record, end) = (draft.place.join(RECORD), self.place(draft.number));
        file::write(&record, canonical_json(snapshot).as_bytes())
            .and_then(|()| file::sync_directory(&draft.place))
            .and_then(|()| file::rename_new(&draft.place, &end))
            .and_then(|()| file::sync_directory(&self.directory))
            .map_err(|error| file::unable("write", &end, &error))
    }

    /// Whether there is one of this number.
    ///
    /// # Errors
    /// Unable when that cannot be looked at.
    pub fn has(&self, number: u64) -> Result<bool, Failure> {
        file::exists(&self.place(number).join(RECORD))
    }

    /// The highest number that one had which was removed; 0 where none was.
    fn last(&self) -> Result<u64, Failure> {
        let path = self.directory.join(LAST);
        let Some(text) = file::if_there(&path, file::read_text(&path))? else { return Ok(0) };
        text.trim().parse().map_err(|_| unreadable(&path.display().to_string(), "it is no number"))
    }

    /// Removes the record of one and what lies beside it, if it is there. Its number is never given again.
    ///
    /// # Errors
    /// Unable when it cannot be removed.
    pub fn remove(&self, number: u64) -> Result<(), Failure> {
        let (place, last) = (self.place(number), self.directory.join(LAST));
        if self.last()? < number {
            file::write(&last, number.to_string().as_bytes())
                .and_then(|()| file::sync_directory(&self.directory))
                .map_err(|error| file::unable("write", &last, &error))?;
        }
        file::remove(&place).map_err(|error| file::unable("remove", &place, &error))
    }

    /// What it would be given from is there, and what was recorded.
    ///
    /// # Errors
    /// Refused when it is not.
    pub fn check(&self, snapshot: &Snapshot) -> Result<(), Failure> {
        let other = "another snapshot may do, see `lychd-forge snapshots`";
        if let Some(subvolume) = &snapshot.subvolume
            && !file::exists(subvolume)?
        {
            let message = format!("the subvolume `{}` is gone", subvolume.display());
            return Err(Diagnostic::new(message).help(other).into());
        }
        for dump in snapshot.databases.iter().filter_map(|one| one.dump.as_ref()) {
            let path = self.place(snapshot.number).join(&dump.file);
            let sha256 = file::sha256(&path).map_err(|error| file::unable("read", &path, &error))?;
            if sha256 != dump.sha256 {
                let message = format!("`{}` is not the dump that was recorded", path.display());
                return Err(Diagnostic::new(message).help(format!("it was changed since: {other}")).into());
            }
        }
        Ok(())
    }
}
