//! Generations: what was inscribed, one after the other, each with all that it takes to inscribe it again.
//!
//! `<state>/generations/<N>/` holds the record, the units, the files that containers read and the Codex that they were
//! made of. The site has a copy of the record of the generation that lies there: its receipt.

use std::{
    io,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::manifest::{Manifest, unreadable};
use crate::{
    diagnostic::Failure,
    digest::Sha256,
    document::canonical_json,
    host::file,
    tree::{FileTree, relative_path},
};

/// The schema of `generation.json` and of a site's `receipt.json`.
pub const SCHEMA: &str = "lychd-forge/generation/1";
/// The record in a generation's directory.
const RECORD: &str = "generation.json";
/// The same in the site.
pub const RECEIPT: &str = "receipt.json";
/// Beside it in a generation that did not live: why.
const FALLEN: &str = "fallen";
/// The most that a record may hold, in bytes.
const LIMIT: u64 = 16 << 20;

/// The record of a generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "generation.json, and receipt.json in the site")]
pub struct Generation {
    schema: String,
    /// Its number, from 1.
    #[serde(rename = "generation")]
    pub number: u64,
    /// sha256 of the record of the generation before it; `None` of the first.
    pub previous: Option<Sha256>,
    /// The state directory that keeps it.
    pub state: PathBuf,
    /// The number of the generation with which the database got the schema that it has under this one; 0 for what it had
    /// from the beginning. Those of one era understand one another's data. One that follows nothing, though others were
    /// before, begins an era: what became of the database meanwhile nobody knows.
    #[serde(default)]
    pub era: u64,
    /// The number of the generation that lay in the site before; `None` of the first, and of what an older forge wrote.
    #[serde(default)]
    pub after: Option<u64>,
    /// The number of the snapshot that was taken as the era before it ended here.
    #[serde(default)]
    pub left: Option<u64>,
    /// What it is made of.
    pub candidate: Manifest,
}

impl Generation {
    /// Its canonical text.
    #[must_use]
    pub fn to_text(&self) -> String {
        canonical_json(self)
    }

    /// sha256 of its canonical text.
    #[must_use]
    pub fn sha256(&self) -> Sha256 {
        Sha256::of(self.to_text())
    }

    /// From its text; `shown` names it.
    ///
    /// # Errors
    /// Unable when it is none that this forge reads.
    pub fn parse(shown: &str, text: &[u8]) -> Result<Self, Failure> {
        let read: Self =
            serde_json::from_slice(text).map_err(|error| unreadable(shown, &error.to_string()))?;
        if read.schema != SCHEMA {
            let why = format!("its schema is `{}`, not `{SCHEMA}`", read.schema.escape_debug());
            return Err(unreadable(shown, &why));
        }
        read.candidate.check(shown)?;
        Ok(read)
    }

    /// The one whose record lies at `path`; `None` where there is none.
    ///
    /// # Errors
    /// Unable when it cannot be read.
    pub fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let Some(text) = file::if_there(path, file::read(path, LIMIT))? else { return Ok(None) };
        Self::parse(&path.display().to_string(), &text).map(Some)
    }

    /// Where a file of its support directory lies.
    #[must_use]
    pub fn support(&self, name: &str) -> PathBuf {
        support(&self.state).join(name)
    }
}

/// Where a state directory has the files that containers read.
#[must_use]
pub fn support(state: &Path) -> PathBuf {
    state.join("support")
}

/// The generations of a state directory.
#[derive(Clone, Debug)]
pub struct Generations {
    state: PathBuf,
}

impl Generations {
    /// Those below `<state>/generations`.
    #[must_use]
    pub fn of_state(state: &Path) -> Self {
        Self { state: state.to_owned() }
    }

    fn directory(&self) -> PathBuf {
        self.state.join("generations")
    }

    /// Where a generation lies.
    #[must_use]
    pub fn place(&self, number: u64) -> PathBuf {
        self.directory().join(number.to_string())
    }

    /// The numbers of all, the oldest first.
    ///
    /// # Errors
    /// Unable when the directory cannot be read.
    pub fn numbers(&self) -> Result<Vec<u64>, Failure> {
        let directory = self.directory();
        let names = match file::names(&directory) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(file::unable("read", &directory, &error)),
        };
        let mut numbers: Vec<u64> = names
            .iter()
            .filter_map(|name| name.to_str()?.parse().ok())
            .filter(|number| *number > 0)
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The record of one.
    ///
    /// # Errors
    /// Unable when it cannot be read.
    pub fn read(&self, number: u64) -> Result<Option<Generation>, Failure> {
        Generation::read(&self.place(number).join(RECORD))
    }

    /// The record of the generation that comes next; `active` is the one that lies in the site.
    ///
    /// # Errors
    /// Unable when those before it cannot be read.
    pub fn next(&self, active: Option<&Generation>, candidate: Manifest) -> Result<Generation, Failure> {
        let numbers = self.numbers()?;
        let last = numbers.last().copied().max(active.map(|active| active.number));
        let mut previous = active.cloned();
        // A number that anything has is not given again; what has no record is no link of the chain.
        for number in
            numbers.iter().rev().take_while(|number| active.is_none_or(|active| **number > active.number))
        {
            if let Some(record) = self.read(*number)? {
                previous = Some(record);
                break;
            }
        }
        Ok(Generation {
            schema: SCHEMA.to_owned(),
            number: last.unwrap_or(0).saturating_add(1),
            previous: previous.as_ref().map(Generation::sha256),
            state: self.state.clone(),
            // Whoever changes the schema says so. Where nothing lay in the site meanwhile, others may have.
            era: match active {
                Some(active) => active.era,
                None => numbers.last().map_or(0, |last| last.saturating_add(1)),
            },
            after: active.map(|active| active.number),
            left: None,
            candidate,
        })
    }

    /// Writes one: `files` and its record. What a killed forge left in its place goes.
    ///
    /// # Errors
    /// Unable when it cannot be written.
    pub fn write(&self, generation: &Generation, mut files: FileTree) -> Result<(), Failure> {
        files.insert_text(relative_path!("generation.json"), generation.to_text());
        let (place, directory) = (self.place(generation.number), self.directory());
        file::create_directory(&directory).map_err(|error| file::unable("create", &directory, &error))?;
        self.remove(generation.number)?;
        file::create_tree(&place, &files).map_err(|error| file::unable("write", &place, &error))
    }

    /// All records that can be read.
    ///
    /// # Errors
    /// Unable when the directory cannot be read.
    pub fn records(&self) -> Result<Vec<Generation>, Failure> {
        let numbers = self.numbers()?;
        Ok(numbers.into_iter().filter_map(|number| self.read(number).ok().flatten()).collect())
    }

    /// The last one that lived.
    ///
    /// # Errors
    /// Unable when they cannot be read.
    pub fn last_that_lived(&self) -> Result<Option<Generation>, Failure> {
        for number in self.numbers()?.into_iter().rev() {
            if self.fallen(number)?.is_none()
                && let Some(one) = self.read(number)?
            {
                return Ok(Some(one));
            }
        }
        Ok(None)
    }

    /// Notes that one did not live, and why.
    ///
    /// # Errors
    /// Unable when that cannot be written.
    pub fn fell(&self, number: u64, why: &str) -> Result<(), Failure> {
        let path = self.place(number).join(FALLEN);
        file::write(&path, why.as_bytes()).map_err(|error| file::unable("write", &path, &error))
    }

    /// Why one did not live; `None` of those that did.
    ///
    /// # Errors
    /// Unable when that cannot be read.
    pub fn fallen(&self, number: u64) -> Result<Option<String>, Failure> {
        let path = self.place(number).join(FALLEN);
        file::if_there(&path, file::read_text(&path))
    }

    /// Takes one away, if it is there.
    ///
    /// # Errors
    /// Unable when it cannot be removed.
    pub fn remove(&self, number: u64) -> Result<(), Failure> {
        let place = self.place(number);
        file::remove(&place).map_err(|error| file::unable("remove", &place, &error))
    }
}
