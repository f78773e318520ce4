//! Databases as subvolumes: the server's directory is one, a snapshot of it is another that cannot be written to, and a past
//! is given by an exchange of two directories while the server is down.
//!
//! `<Crypt>/snapshots/<N>` is beside `<Crypt>/postgres/data`, on the same btrfs.

use std::path::{Path, PathBuf};

use super::means::Means;
use crate::{
    diagnostic::Failure,
    engine::btrfs::Btrfs,
    host::file,
    rebirth::snapshots::{About, Kept, Snapshot},
};

/// A file in a directory that was given, as long as it is closed. The server knows nothing of it.
const GIVEN: &str = "lychd-given";
/// The server's own settings besides those of its main file; the last line of a key counts.
const SETTINGS: &str = "postgresql.auto.conf";
/// Has it take no writing. `alter system reset` takes it away again.
const CLOSED: &str = "default_transaction_read_only = 'on'\n";

/// Where a past is made ready, and what was there ends up.
fn aside(data: &Path) -> PathBuf {
    data.with_file_name("lychd-aside")
}

/// Where the subvolume of a snapshot lies.
fn place(data: &Path, number: u64) -> PathBuf {
    let crypt = data.ancestors().nth(2).unwrap_or(data);
    crypt.join("snapshots").join(number.to_string())
}

/// Whether a past was given, and is closed.
pub(super) fn is_given(data: &Path) -> Result<bool, Failure> {
    file::exists(&data.join(GIVEN))
}

/// It is open, and what told that it was not goes.
pub(super) fn opened(data: &Path) -> Result<(), Failure> {
    let given = data.join(GIVEN);
    file::remove(&given).map_err(|error| file::unable("remove", &given, &error))
}

/// Takes away what was made ready and not given.
pub(super) fn forget(data: &Path, btrfs: &Btrfs) -> Result<(), Failure> {
    btrfs.remove(&aside(data))
}

pub(super) fn take(with: &Means<'_>, btrfs: &Btrfs, about: About) -> Result<Snapshot, Failure> {
    let databases = told(with)?;
    // So that a server that begins there has nothing to make good.
    with.server.checkpoint()?;
    keep(with, btrfs, about, (&with.data, databases))
}

/// The databases as they are now.
fn told(with: &Means<'_>) -> Result<Vec<Kept>, Failure> {
    let server = with.server;
    let all = server.databases()?.into_iter().map(|one| {
        let rows = server.rows(&one.name)?;
        Ok(Kept { name: one.name, owner: one.owner, size: one.size, dump: None, rows })
    });
    all.collect()
}

/// Makes a snapshot of a directory, whose databases were told.
fn keep(
    with: &Means<'_>,
    btrfs: &Btrfs,
    about: About,
    (of, databases): (&Path, Vec<Kept>),
) -> Result<Snapshot, Failure> {
    let server = (with.server.image()?, with.server.version()?);
    with.progress.stage("snapshot", "the databases, as a subvolume");
    let draft = with.snapshots.draft()?;
    let subvolume = place(&with.data, draft.number);
    // What has no record is of a forge that was killed.
    btrfs.remove(&subvolume)?;
    if let Some(above) = subvolume.parent() {
        file::create_private_directory(above).map_err(|error| file::unable("create", above, &error))?;
    }
    btrfs.snapshot(of, &subvolume, true)?;
    let snapshot = Snapshot::new(draft.number, about, server, Some(subvolume), databases);
    with.snapshots.finish(&draft, &snapshot)?;
    Ok(snapshot)
}

pub(super) fn give(
    with: &Means<'_>,
    btrfs: &Btrfs,
    (snapshot, subvolume): (&Snapshot, &Path),
    about: About,
) -> Result<Snapshot, Failure> {
    let (data, aside) = (&with.data, aside(&with.data));
    let done = about.word.map(|word| with.snapshots.of_word(word, about.kind)).transpose()?.flatten();
    if let Some(done) = done {
        btrfs.remove(&aside)?;
        return Ok(done);
    }
    let mut databases = Vec::new();
    if !is_given_by(data, about)? {
        with.snapshots.check(snapshot)?;
        databases = told(with)?;
        with.progress.stage("restore", &format!("the databases of snapshot {}", snapshot.number));
        btrfs.remove(&aside)?;
        btrfs.snapshot(subvolume, &aside, false)?;
        let settings = aside.join(SETTINGS);
        let text = file::if_there(&settings, file::read_text(&settings))?.unwrap_or_default();
        let word = mark(about);
        file::write(&settings, format!("{text}{CLOSED}").as_bytes())
            .and_then(|()| file::write(&aside.join(GIVEN), word.as_bytes()))
            .and_then(|()| file::sync_directory(&aside))
            .map_err(|error| file::unable("write", &settings, &error))?;
        with.services.stop_database()?;
        let exchanged = file::exchange(&aside, data)
            .and_then(|()| data.parent().map_or(Ok(()), file::sync_directory))
            .map_err(|error| file::unable("exchange", data, &error));
        with.services.start_database()?;
        exchanged?;
    }
    let kept = keep(with, btrfs, about, (&aside, databases))?;
    btrfs.remove(&aside)?;
    Ok(kept)
}

/// What tells one giving from another: the way there and the way back have one word.
fn mark(about: About) -> String {
    let word = about.word.map(|word| word.to_string()).unwrap_or_default();
    format!("{word} {:?}", about.kind)
}

/// Whether it is this past that was given.
fn is_given_by(data: &Path, about: About) -> Result<bool, Failure> {
    let given = data.join(GIVEN);
    let word = file::if_there(&given, file::read_text(&given))?;
    Ok(word.is_some_and(|word| word == mark(about)))
}
