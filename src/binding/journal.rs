//! What an inscription is about to do, written before it does any of it: whoever comes after a crash knows from it what
//! to undo or to finish.
//!
//! The journal does not say how far its writer came. That is seen: the site holds the generation of `from` or that of
//! `to`, since one exchange makes the one into the other.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{manifest::unreadable, site::Sites};
use crate::{
    diagnostic::{Diagnostic, Failure, Fault},
    digest::Sha256,
    document::canonical_json,
    host::{
        environment,
        file::{self, LockGuard},
        progress::Progress,
    },
};

/// The schema of `journal.json`.
pub const SCHEMA: &str = "lychd-forge/journal/1";
/// The most that it may hold, in bytes.
const LIMIT: u64 = 16 << 20;
/// The name of what a rebirth writes beside the journal.
const RITE: &str = "rebirth.json";
/// How the names begin under which what is the user's own of a site is kept.
const LEFT: &str = "left-";
/// How long another inscription is waited for: it stops services, which may take what they are given for that.
const PATIENCE: Duration = Duration::from_mins(3);

/// An inscription that is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "journal.json")]
pub struct Journal {
    schema: String,
    /// The state directory whose forge writes it.
    pub state: PathBuf,
    /// The number of the generation that is to lie in the site.
    pub generation: u64,
    /// sha256 of the receipt before; `None` where nothing is inscribed.
    pub from: Option<Sha256>,
    /// sha256 of the receipt afterwards; `None` where nothing is to be inscribed any more.
    pub to: Option<Sha256>,
    /// Links to plain units that are made, by name.
    pub links: BTreeSet<String>,
    /// Units that run, and are stopped because they will be there no longer.
    pub stopped: Vec<String>,
    /// Directories that are made for mounts, the upper ones first.
    pub made: Vec<PathBuf>,
    /// Containers that are made to keep images, by name.
    pub keepers: BTreeSet<String>,
    /// Support files that are made, by name.
    pub support: BTreeSet<String>,
    /// Files of another inscription that go, or come back when this one goes, in order.
    pub moves: Vec<Move>,
    /// Whether the generation lay in the site before, and is kept whatever becomes of this.
    #[serde(default)]
    pub is_kept: bool,
}

/// A file that goes from one place to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// Where it is before.
    pub from: PathBuf,
    /// Where it is afterwards.
    pub to: PathBuf,
}

impl Move {
    /// The same the other way.
    #[must_use]
    pub fn back(&self) -> Self {
        Self { from: self.to.clone(), to: self.from.clone() }
    }

    /// Moves the file, unless that was done already.
    ///
    /// # Errors
    /// Unable when it cannot be moved, or something else is in its place.
    pub(super) fn carry_out(&self) -> Result<(), Failure> {
        // Where something else has come meanwhile, that is the newer one.
        if !file::exists(&self.from)? || file::exists(&self.to)? {
            return Ok(());
        }
        let unable = |error| file::unable("move a file of LychD's to", &self.to, &error);
        if let Some(directory) = self.to.parent() {
            file::create_directory(directory).map_err(unable)?;
        }
        file::rename_new(&self.from, &self.to).map_err(unable)
    }
}

impl Journal {
    /// Of an inscription that is about to begin.
    #[must_use]
    pub fn new(state: &Path, generation: u64, from: Option<Sha256>, to: Option<Sha256>) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            state: state.to_owned(),
            generation,
            from,
            to,
            links: BTreeSet::new(),
            stopped: Vec::new(),
            made: Vec::new(),
            keepers: BTreeSet::new(),
            support: BTreeSet::new(),
            moves: Vec::new(),
            is_kept: false,
        }
    }

    fn parse(shown: &str, text: &[u8]) -> Result<Self, Failure> {
        let read: Self =
            serde_json::from_slice(text).map_err(|error| unreadable(shown, &error.to_string()))?;
        if read.schema == SCHEMA {
            return Ok(read);
        }
        Err(unreadable(shown, &format!("its schema is `{}`, not `{SCHEMA}`", read.schema.escape_debug())))
    }
}

/// The place beside podman's directory where an inscription is prepared: on the file system of the site, and outside of
/// what podman reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workshop {
    directory: PathBuf,
}

impl Workshop {
    /// That of a site.
    ///
    /// # Errors
    /// Unable when it cannot be told where the site is.
    pub fn of(sites: &Sites) -> Result<Self, Failure> {
        let podmans = sites.quadlets.parent().unwrap_or(&sites.quadlets);
        let real = file::resolved(podmans)?;
        Ok(Self { directory: real.parent().unwrap_or(&real).join(".lychd") })
    }

    /// Where the next site is written, and the last one ends up.
    #[must_use]
    pub fn shadow(&self) -> PathBuf {
        self.directory.join("shadow")
    }

    /// Where the files of another inscription are kept that was taken over.
    #[must_use]
    pub fn adopted(&self) -> PathBuf {
        self.directory.join("adopted")
    }

    /// Where it is written what a rebirth is about to do, as long as it is on its way.
    #[must_use]
    pub fn rite(&self) -> PathBuf {
        self.directory.join(RITE)
    }

    fn journal(&self) -> PathBuf {
        self.directory.join("journal.json")
    }

    /// Keeps other inscriptions out. Who holds the cache or the state directory as well holds those first.
    ///
    /// # Errors
    /// Unable when it cannot be locked, or another holds it for minutes.
    pub fn hold(&self, progress: &dyn Progress) -> Result<LockGuard, Failure> {
        let unable = |error| file::unable("prepare an inscription in", &self.directory, &error);
        file::create_private_directory(&self.directory).map_err(unable)?;
        // What lies there is carried out: it is nobody else's.
        let status =
            file::status(&self.directory).map_err(|error| file::unable("read", &self.directory, &error))?;
        let is_own = status.kind == file::Kind::Directory && status.uid == environment::uid();
        if !is_own || status.mode & 0o022 != 0 {
            let message = format!("`{}` is not this user's alone", self.directory.display());
            let help = "the forge prepares inscriptions there, and does what it finds: see whose it is, and remove it";
            return Err(Diagnostic::new(message).of_kind(Fault::File).help(help).into());
        }
        let path = self.directory.join("lock");
        let waiting = || progress.waiting("waiting for another inscription");
        let held = file::lock_within(&path, PATIENCE, waiting)
            .map_err(|error| file::unable("lock", &path, &error))?;
        held.ok_or_else(|| {
            let message = format!("another inscription has held `{}` for minutes", path.display());
            Failure::unable(
                Diagnostic::new(message).of_kind(Fault::File).help("wait for it, or see what it does"),
            )
        })
    }

    /// Whether somebody inscribes at this moment. Asked where something is unfinished, for which there was a lock.
    ///
    /// # Errors
    /// Unable when the lock cannot be tried.
    pub fn is_held(&self) -> Result<bool, Failure> {
        let path = self.directory.join("lock");
        let held = file::lock_within(&path, Duration::ZERO, || {});
        held.map(|held| held.is_none()).map_err(|error| file::unable("lock", &path, &error))
    }

    /// The inscription that was cut short, if one was.
    ///
    /// # Errors
    /// Unable when its journal cannot be read.
    pub fn unfinished(&self) -> Result<Option<Journal>, Failure> {
        let path = self.journal();
        let Some(text) = file::if_there(&path, file::read(&path, LIMIT))? else { return Ok(None) };
        Journal::parse(&path.display().to_string(), &text).map(Some)
    }

    /// Writes the journal; when this returns, it is on the disk.
    ///
    /// # Errors
    /// Unable when it cannot be written.
    pub fn begin(&self, journal: &Journal) -> Result<(), Failure> {
        let path = self.journal();
        file::write(&path, canonical_json(journal).as_bytes())
            .and_then(|()| file::sync_directory(&self.directory))
            .map_err(|error| file::unable("write", &path, &error))
    }

    /// Takes the journal away: the inscription is done, or undone. Then what is left of it is nobody's, and goes now or
    /// when the next one begins.
    ///
    /// # Errors
    /// Unable when the journal cannot be removed.
    pub fn end(&self) -> Result<(), Failure> {
        let path = self.journal();
        file::remove(&path).map_err(|error| file::unable("remove", &path, &error))?;
        // If the power is cut before either is on the disk, the same is found and done again.
        let _left =
            file::sync_directory(&self.directory).map_err(drop).and_then(|()| self.clear().map_err(drop));
        Ok(())
    }

    /// Keeps what lies in the shadow, since some of it is not the forge's; returns where.
    ///
    /// # Errors
    /// Unable when it cannot be moved.
    pub fn set_aside(&self, generation: u64) -> Result<PathBuf, Failure> {
        let shadow = self.shadow();
        let mut number = 0_u32;
        loop {
            let place = self.directory.join(format!("{LEFT}{generation}-{number}"));
            if !file::exists(&place)? {
                file::rename_new(&shadow, &place).map_err(|error| file::unable("keep", &shadow, &error))?;
                return Ok(place);
            }
            number += 1;
        }
    }

    /// Removes the shadow, and what a killed writer left beside it.
    ///
    /// # Errors
    /// Unable when something cannot be removed.
    pub fn clear(&self) -> Result<(), Failure> {
        let unable = |error| file::unable("clean up", &self.directory, &error);
        let names = file::if_there(&self.directory, file::names(&self.directory))?.unwrap_or_default();
        for name in names {
            let path = self.directory.join(&name);
            let stays = ["lock", "journal.json", RITE, "adopted"].iter().any(|one| name == *one)
                || name.to_str().is_some_and(|name| name.starts_with(LEFT));
            if !stays {
                file::remove(&path).map_err(unable)?;
            }
        }
        Ok(())
    }
}
