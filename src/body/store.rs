//! All body records of a state directory: `<state>/bodies/<body id>/`.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    evidence::{Evidence, Kept, RECORD},
    id::BodyId,
    record::{Body, Order, Record},
    wire::{self, Written},
};
use crate::{
    diagnostic::{Diagnostic, Failure, Fault},
    digest::Sha256,
    document::canonical_json,
    host::{file, progress::Progress},
    name::Role,
    runes,
    tree::relative_path,
};

/// The most a `body.json` may hold, in bytes.
const LIMIT: u64 = 1 << 20;
/// The fewest digits that name a body.
const FEWEST_DIGITS: usize = 6;
/// Digits of IDs in messages.
const SHOWN_DIGITS: usize = 12;

/// The directory of all body records.
#[derive(Clone, Debug)]
pub struct Bodies {
    directory: PathBuf,
}

/// A record that this forge cannot read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Unreadable {
    /// The name of its directory.
    pub record: String,
    /// Why.
    pub reason: String,
    /// The number it claims, so that a newer record gets a greater one.
    #[serde(skip)]
    sequence: Option<u64>,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name: String = self.record.chars().take(SHOWN_DIGITS).collect();
        write!(formatter, "the body record `{name}` cannot be read: {}", self.reason)
    }
}

/// All records at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Those that can be read, newest first, one for each body.
    pub records: Vec<Record>,
    /// Those that cannot.
    pub unreadable: Vec<Unreadable>,
}

/// Why a word names no body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoBody {
    /// There is none.
    #[error("no body was forged yet")]
    NoneForged,
    /// No body fits.
    #[error("no body `{}`", .0.escape_debug())]
    Unknown(String),
    /// It is too short to name one.
    #[error("`{}` is too short to name a body: {FEWEST_DIGITS} digits at least", .0.escape_debug())]
    TooShort(String),
    /// More than one fits.
    #[error("`{}` fits several bodies", .wanted.escape_debug())]
    Several {
        /// What was asked for.
        wanted: String,
        /// The bodies, newest first.
        fitting: Vec<BodyId>,
    },
    /// It has no image of this role.
    #[error("the body has no image `{role}`")]
    NoImage {
        /// What was asked for.
        role: Role,
        /// What it has.
        has: Vec<Role>,
    },
    /// The newest is asked for, and a record that cannot be read may be that.
    #[error("which body is the newest is not known: {0}")]
    MayBeNewer(Unreadable),
    /// The one that fits cannot be read.
    #[error("{0}")]
    Unreadable(Unreadable),
}

impl From<NoBody> for Failure {
    fn from(none: NoBody) -> Self {
        let diagnostic = Diagnostic::new(none.to_string()).of_kind(Fault::NoBody);
        let refused = match none {
            NoBody::NoneForged => diagnostic.help("forge one first: `lychd-forge forge`"),
            NoBody::Unknown(_) | NoBody::TooShort(_) => diagnostic.help("`lychd-forge bodies` lists them"),
            NoBody::Several { fitting, .. } => {
                let ids: Vec<String> = fitting.iter().map(|id| id.short(SHOWN_DIGITS)).collect();
                diagnostic.help(format!("name one of {}", ids.join(", ")))
            }
            NoBody::NoImage { has, .. } => {
                let names: Vec<String> = has.iter().map(ToString::to_string).collect();
                diagnostic.help(format!("it has: {}", names.join(", ")))
            }
            NoBody::MayBeNewer(_) => {
                let help = "name a body by its ID: `lychd-forge bodies` lists them; or remove the record";
                return Self::unable(diagnostic.of_kind(Fault::File).help(help));
            }
            NoBody::Unreadable(_) => {
                let diagnostic = diagnostic.of_kind(Fault::File);
                return Self::unable(diagnostic.help("forge it again: `lychd-forge forge`"));
            }
        };
        refused.into()
    }
}

impl Listing {
    /// The body that `wanted` names: `newest`, or the ID of the body or of one of its images, with `sha256:` or
    /// without, or its first digits (six at least).
    ///
    /// # Errors
    /// When none or several fit.
    pub fn find(&self, wanted: &str) -> Result<&Record, NoBody> {
        if wanted == "newest" {
            let newest = self.records.first();
            let known = newest.and_then(|record| record.order.sequence());
            // What cannot be looked at is not older for that.
            let may_be_newer = |one: &&Unreadable| one.sequence.is_none_or(|number| Some(number) > known);
            return match (newest, self.unreadable.iter().find(may_be_newer)) {
                (_, Some(unreadable)) => Err(NoBody::MayBeNewer(unreadable.clone())),
                (Some(newest), None) => Ok(newest),
                (None, None) => Err(NoBody::NoneForged),
            };
        }
        let digits = wanted.strip_prefix("sha256:").unwrap_or(wanted);
        if digits.len() < FEWEST_DIGITS {
            return Err(NoBody::TooShort(wanted.to_owned()));
        }
        let named = |record: &&Record| {
            let images = record.body.images.iter();
            record.body.id().to_string().starts_with(digits)
                || images
                    .flat_map(|(_, image)| [image.config_digest.to_string(), image.found_by().to_string()])
                    .any(|id| id.starts_with(digits))
        };
        let fitting: Vec<&Record> = self.records.iter().filter(named).collect();
        let mut hidden = self.unreadable.iter().filter(|one| one.record.starts_with(digits));
        match fitting.as_slice() {
            [one] if hidden.next().is_none() => Ok(one),
            [] => Err(match self.unreadable.iter().find(|one| one.record.starts_with(digits)) {
                Some(unreadable) => NoBody::Unreadable(unreadable.clone()),
                None => NoBody::Unknown(wanted.to_owned()),
            }),
            several => Err(NoBody::Several {
                wanted: wanted.to_owned(),
                fitting: several
                    .iter()
                    .map(|record| record.body.id())
                    .chain(hidden_ids(&self.unreadable, digits))
                    .collect(),
            }),
        }
    }

    /// As [`Listing::find`], for who wants an image alone: of several bodies that have one and the same, the newest. Where
    /// no role is given, it is that of the image that `wanted` names, or the vessel.
    ///
    /// # Errors
    /// As [`Listing::find`], and when the body has no image of that role.
    pub fn find_image(&self, wanted: &str, role: Option<&Role>) -> Result<(&Record, Role), NoBody> {
        let (records, several) = match self.find(wanted) {
            Ok(record) => (vec![record], None),
            Err(NoBody::Several { wanted, fitting }) => {
                let records = fitting.iter().filter_map(|id| self.of(id)).collect();
                (records, Some(NoBody::Several { wanted, fitting }))
            }
            Err(other) => return Err(other),
        };
        let Some(first) = records.first() else { return Err(NoBody::Unknown(wanted.to_owned())) };
        let of = |record: &Record| role.cloned().unwrap_or_else(|| named(record, wanted));
        let digest = |record: &Record| record.body.images.of(&of(record)).map(|image| image.config_digest);
        let role = of(first);
        let Some(of_first) = digest(first) else {
            return Err(NoBody::NoImage {
                role,
                has: first.body.images.iter().map(|(role, _)| role).collect(),
            });
        };
        match several {
            Some(several) if records.iter().any(|record| digest(record) != Some(of_first)) => Err(several),
            _ => Ok((first, role)),
        }
    }

    /// Says of the records that cannot be read that they cannot.
    pub fn note_unreadable(&self, progress: &dyn Progress) {
        for unreadable in &self.unreadable {
            progress.note(&unreadable.to_string());
        }
    }

    /// The record of this body.
    #[must_use]
    pub fn of(&self, id: &BodyId) -> Option<&Record> {
        self.records.iter().find(|record| record.body.id() == *id)
    }

    /// The number for a record that is newer than all.
    fn next_sequence(&self) -> u64 {
        let known = self.records.iter().filter_map(|record| record.order.sequence());
        let claimed = self.unreadable.iter().filter_map(|one| one.sequence);
        known.chain(claimed).max().unwrap_or(0).saturating_add(1)
    }
}

/// The role of the image whose ID begins so, or the vessel.
fn named(record: &Record, wanted: &str) -> Role {
    let digits = wanted.strip_prefix("sha256:").unwrap_or(wanted);
    let named = record.body.images.iter().find(|(_, image)| {
        let ids = [image.config_digest.to_string(), image.found_by().to_string()];
        ids.iter().any(|id| id.starts_with(digits))
    });
    named.map_or_else(Role::vessel, |(role, _)| role)
}

/// IDs of the records that cannot be read and whose names begin so.
fn hidden_ids<'a>(unreadable: &'a [Unreadable], digits: &'a str) -> impl Iterator<Item = BodyId> + 'a {
    unreadable
        .iter()
        .filter(move |one| one.record.starts_with(digits))
        .filter_map(|one| one.record.parse().ok())
}

impl Bodies {
    /// The records below `<state>/bodies`.
    #[must_use]
    pub fn of_state(state: &Path) -> Self {
        Self { directory: state.join("bodies") }
    }

    /// Where the garbage-collector root of an image of a body lies.
    #[must_use]
    pub fn root(&self, id: &BodyId, role: &Role) -> PathBuf {
        let vessel = *role == Role::vessel();
        self.directory.join(if vessel { format!("{id}.root") } else { format!("{id}.{role}.root") })
    }

    /// Writes a record (`evidence` plus `body.json`), read-only, as the newest; replaces one of the same body.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it cannot be written, or the others cannot be listed.
    pub fn record(&self, body: &Body, evidence: &Evidence) -> Result<Record, Failure> {
        let order = Order::Sequence(self.list()?.next_sequence());
        let directory = self.directory.join(body.id().to_string());
        let mut tree = evidence.to_tree();
        tree.insert_text(relative_path!(RECORD), canonical_json(&Written::of(body, order)));
        file::write_sealed_tree(&directory, &tree)
            .map_err(|error| file::unable("write", &directory, &error))?;
        Ok(Record { body: body.clone(), order, kept: Kept::new(directory) })
    }

    /// Removes a record, and what keeps its images in the store. Whoever was cut short calls it again.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it cannot be removed.
    pub fn remove(&self, record: &Record) -> Result<(), Failure> {
        let roots = record.body.images.iter().map(|(role, _)| self.root(&record.body.id(), &role));
        for place in roots.chain([record.kept.directory().to_owned()]) {
            file::remove(&place).map_err(|error| file::unable("remove", &place, &error))?;
        }
        Ok(())
    }

    /// Removes what an older forge recorded of the same body, in a directory called by the image.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it cannot be removed.
    pub fn replace_unversioned(&self, body: &Body) -> Result<(), Failure> {
        let name = body.images.vessel.config_digest.to_string();
        if self.read(&name).is_ok_and(|old| old.body.id() == body.id()) {
            for place in [self.directory.join(&name), self.directory.join(format!("{name}.root"))] {
                file::remove(&place).map_err(|error| file::unable("remove", &place, &error))?;
            }
        }
        Ok(())
    }

    /// All records. One that cannot be read is listed as such and hides no other.
    ///
    /// # Errors
    /// [`Failure::Unable`] when the directory cannot be read.
    pub fn list(&self) -> Result<Listing, Failure> {
        let names = match file::names(&self.directory) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Listing::default()),
            Err(error) => return Err(file::unable("read", &self.directory, &error)),
        };
        let mut listing = Listing::default();
        // What is called otherwise is no record, and its name may be anything.
        let ids = names.iter().filter_map(|name| name.to_str().filter(|name| name.parse::<Sha256>().is_ok()));
        for name in ids {
            match self.read(name) {
                Ok(record) => listing.records.push(record),
                Err(unreadable) => listing.unreadable.push(unreadable),
            }
        }
        listing.records.sort_by_cached_key(|record| (std::cmp::Reverse(record.order), record.body.id()));
        // An older forge called the directory by the image: the same body may have been recorded again since.
        let mut seen = std::collections::BTreeSet::new();
        listing.records.retain(|record| seen.insert(record.body.id()));
        Ok(listing)
    }

    fn read(&self, name: &str) -> Result<Record, Unreadable> {
        let kept = Kept::new(self.directory.join(name));
        let mut sequence = None;
        let mut read = || {
            match file::kind(kept.directory()) {
                Ok(Some(file::Kind::Directory)) => {}
                Ok(_) => return Err("it is no directory".to_owned()),
                Err(failure) => return Err(failure.to_string()),
            }
            let path = kept.record();
            let text = file::read(&path, LIMIT).map_err(|error| format!("`{RECORD}`: {error}"))?;
            let text = String::from_utf8(text).map_err(|_| format!("`{RECORD}` is not UTF-8"))?;
            sequence = wire::claimed_sequence(&text);
            let federation = || {
                let bytes = file::read(&kept.federation(), file::LIMIT);
                bytes.map(Sha256::of).map_err(|error| format!("`{}`: {error}", runes::record::FILE))
            };
            let modified = || file::modified(&path).map_err(|error| format!("`{RECORD}`: {error}"));
            let (body, order) = wire::read(name, &text, federation, modified)?;
            for (role, image) in body.images.iter() {
                let wrong = kept.wrong(&role, &image.config_digest.sha256(), &image.manifest_digest);
                wrong.map_or(Ok(()), Err)?;
            }
            Ok((body, order))
        };
        match read() {
            Ok((body, order)) => Ok(Record { body, order, kept }),
            Err(reason) => Err(Unreadable { record: name.to_owned(), reason, sequence }),
        }
    }
}
