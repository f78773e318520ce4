//! Databases as subvolumes: the server's directory is one, a snapshot of it is another that cannot be written to, and a past
//! is given by an exchange of two directories while the server is down.
//!
//! `<Crypt>/snapshots/<N>` is beside `<Crypt>/postgres/data`, on the same btrfs.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::means::Means;
use crate::{
    binding::manifest::unreadable,
    diagnostic::{Diagnostic, Failure},
    digest::Sha256,
    document::canonical_json,
    engine::btrfs::Btrfs,
    host::file,
    rebirth::snapshots::{About, Kept, Kind, Snapshot},
};

/// A file in a directory that was given, as long as it is closed: a [`Given`]. The server knows nothing of it.
const GIVEN: &str = "lychd-given";
/// The most that it may hold, in bytes.
const LIMIT: u64 = 64 << 20;
/// The server's own settings besides those of its main file; the last line of a key counts.
const SETTINGS: &str = "postgresql.auto.conf";
/// Has it take no writing. `alter system reset` takes it away again.
const CLOSED: &str = "default_transaction_read_only = 'on'\n";

/// What a directory that was given says of itself.
#[derive(Serialize, Deserialize)]
struct Given {
    /// The consent, and which way: the way there and the way back have one word.
    by: (Option<Sha256>, Kind),
    /// What the databases were that it took the place of.
    before: Vec<Kept>,
}

impl Given {
    fn read(data: &Path) -> Result<Option<Self>, Failure> {
        let path = data.join(GIVEN);
        let Some(text) = file::if_there(&path, file::read(&path, LIMIT))? else { return Ok(None) };
        let told = |error: serde_json::Error| unreadable(&path.display().to_string(), &error.to_string());
        serde_json::from_slice(&text).map(Some).map_err(told)
    }
}

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
        let (dump, properties) = (None, None);
        Ok(Kept { name: one.name, owner: one.owner, size: one.size, dump, properties, rows })
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
    let by = (about.word, about.kind);
    let before = if let Some(given) = Given::read(data)?.filter(|given| given.by == by) {
        given.before
    } else {
        with.snapshots.check(snapshot)?;
        is_of_version(snapshot, &with.server.version()?)?;
        let given = Given { by, before: told(with)? };
        with.progress.stage("restore", &format!("the databases of snapshot {}", snapshot.number));
        btrfs.remove(&aside)?;
        btrfs.snapshot(subvolume, &aside, false)?;
        let settings = aside.join(SETTINGS);
        let text = file::if_there(&settings, file::read_text(&settings))?.unwrap_or_default();
        file::write(&settings, format!("{text}{CLOSED}").as_bytes())
            .and_then(|()| file::write(&aside.join(GIVEN), canonical_json(&given).as_bytes()))
            .and_then(|()| file::sync_directory(&aside))
            .map_err(|error| file::unable("write", &settings, &error))?;
        with.services.stop_database()?;
        if let Err(failure) = exchange(data).and_then(|()| with.services.start_database()) {
            take_back(with, about)?;
            with.services.start_database()?;
            return Err(failure);
        }
        given.before
    };
    let kept = keep(with, btrfs, about, (&aside, before))?;
    btrfs.remove(&aside)?;
    Ok(kept)
}

fn exchange(data: &Path) -> Result<(), Failure> {
    file::exchange(&aside(data), data)
        .and_then(|()| data.parent().map_or(Ok(()), file::sync_directory))
        .map_err(|error| file::unable("exchange", data, &error))
}

/// Puts the server's own directory back, where what was given lies there and its own is beside it still.
pub(super) fn take_back(with: &Means<'_>, about: About) -> Result<bool, Failure> {
    let is_given = Given::read(&with.data)?.is_some_and(|there| there.by == (about.word, about.kind));
    if !is_given || !file::exists(&aside(&with.data))? {
        return Ok(false);
    }
    with.services.stop_database()?;
    exchange(&with.data)?;
    Ok(true)
}

/// A directory is read by a server of its own major version alone.
fn is_of_version(snapshot: &Snapshot, running: &str) -> Result<(), Failure> {
    let major = |version: &str| version.split('.').next().unwrap_or_default().to_owned();
    if major(&snapshot.version) == major(running) {
        return Ok(());
    }
    let message = format!(
        "snapshot {} is the directory of a server {}, and {running} runs",
        snapshot.number, snapshot.version
    );
    Err(Diagnostic::new(message).note("a server reads no directory of another major version").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rebirth::snapshots::About;

    #[test]
    fn a_directory_is_for_servers_of_its_version() {
        let about = About { kind: Kind::Taken, generation: 1, era: 0, word: None };
        let of = ("image".to_owned(), "17.6".to_owned());
        let snapshot = Snapshot::new(3, about, of, None, Vec::new());
        assert!(is_of_version(&snapshot, "17.9").is_ok());
        let told = is_of_version(&snapshot, "18.1").unwrap_err().to_string();
        assert!(told.contains("snapshot 3 is the directory of a server 17.6, and 18.1 runs"), "{told}");
    }
}
