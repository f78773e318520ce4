//! Databases as dumps.

use super::means::Means;
use crate::{
    diagnostic::{Diagnostic, Failure, Fault},
    host::file,
    rebirth::{
        snapshots::{About, Dump, Kept, Snapshot},
        soul::Database,
    },
};

/// What must be left on the disk besides, in bytes.
const SPARE: u64 = 64 << 20;

pub(super) fn take(with: &Means<'_>, about: About) -> Result<Snapshot, Failure> {
    let all = with.server.databases()?;
    has_room(with, &all)?;
    dump(with, about, &all)
}

pub(super) fn give(with: &Means<'_>, snapshot: &Snapshot, about: About) -> Result<Snapshot, Failure> {
    let server = with.server;
    let done = about.word.map(|word| with.snapshots.of_word(word, about.kind)).transpose()?.flatten();
    if let Some(done) = done {
        server.drop_left()?;
        return Ok(done);
    }
    if server.left()?.is_empty() {
        let placed = put_into_place(with, snapshot);
        if placed.is_err() {
            // What stays is in nobody's way, and goes with the next try.
            let _left = server.drop_aside();
        }
        placed?;
    }
    let kept = dump(with, about, &server.left()?)?;
    server.drop_left()?;
    Ok(kept)
}

fn put_into_place(with: &Means<'_>, snapshot: &Snapshot) -> Result<(), Failure> {
    with.snapshots.check(snapshot)?;
    // All that could keep what is there from being kept is seen before it loses its place.
    let there = with.server.databases()?;
    has_room(with, &there)?;
    there.iter().try_for_each(|one| with.server.rows(&one.name).map(drop))?;
    let place = with.snapshots.place(snapshot.number);
    for (number, one) in snapshot.databases.iter().enumerate() {
        let Some(dump) = &one.dump else {
            let message =
                format!("snapshot {} is a subvolume, and there is no `btrfs` on PATH", snapshot.number);
            return Err(Diagnostic::new(message).of_kind(Fault::Program).help("install btrfs-progs").into());
        };
        with.progress.stage("restore", &format!("the database {}", one.name));
        let path = place.join(&dump.file);
        let file = file::open(&path).map_err(|error| file::unable("read", &path, &error))?;
        with.server.put_aside(number, (&one.owner, one.properties.as_ref()), file)?;
    }
    let names: Vec<&str> = snapshot.databases.iter().map(|one| one.name.as_str()).collect();
    with.server.take_places(&names)
}

fn dump(with: &Means<'_>, about: About, wanted: &[Database]) -> Result<Snapshot, Failure> {
    let Means { snapshots, server, progress, .. } = with;
    let draft = snapshots.draft()?;
    let mut databases = Vec::new();
    for (at, one) in wanted.iter().enumerate() {
        progress.stage("snapshot", &format!("the database {}", one.name));
        let name = format!("{at}.dump");
        let path = draft.place.join(&name);
        let file = file::create_new(&path).map_err(|error| file::unable("write", &path, &error))?;
        server.dump(&one.now, file)?;
        let synced = file::open(&path).and_then(|file| file.sync_all());
        synced.map_err(|error| file::unable("sync", &path, &error))?;
        let sha256 = file::sha256(&path).map_err(|error| file::unable("read", &path, &error))?;
        databases.push(Kept {
            name: one.name.clone(),
            owner: one.owner.clone(),
            size: file::size(&path).map_err(|error| file::unable("read", &path, &error))?,
            dump: Some(Dump { file: name, sha256 }),
            properties: Some(server.properties(&one.now)?),
            rows: server.rows(&one.now)?,
        });
    }
    let of = (server.image()?, server.version()?);
    let snapshot = Snapshot::new(draft.number, about, of, None, databases);
    snapshots.finish(&draft, &snapshot)?;
    Ok(snapshot)
}

/// Whether there is room for dumps of these. They are smaller than the databases, as a rule.
fn has_room(with: &Means<'_>, databases: &[Database]) -> Result<(), Failure> {
    let directory = with.snapshots.made()?;
    let free = file::free_space(directory).map_err(|error| file::unable("look at", directory, &error))?;
    let wanted = databases.iter().map(|one| one.size).fold(SPARE, u64::saturating_add);
    if free >= wanted {
        return Ok(());
    }
    let message = format!(
        "`{}` has {free} bytes left, and a snapshot of the databases may want {wanted}",
        directory.display()
    );
    Err(Failure::unable(Diagnostic::new(message).of_kind(Fault::File).help("make room")))
}
