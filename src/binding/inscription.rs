//! Inscription: from a candidate and what lies on the host to units that systemd has loaded.
//!
//! The order is that of `docs/inscription.md`. Until the exchange nothing that lives is touched but for units that will
//! be there no longer, which are stopped under the names that they still have.

use std::{
    collections::BTreeSet,
    panic::resume_unwind,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::{
    candidate::Candidate,
    generation::{Generation, Generations},
    journal::{Journal, Move},
    lychds::Lychds,
    preflight::Chores,
    set::{self, Set},
    settle::{Place, keeper},
    site::Found,
    staged,
};
use crate::{
    diagnostic::{Diagnostic, Failure, Fault},
    engine::btrfs::Btrfs,
    host::file,
    runes::DATA,
    tree::{Entry, FileTree, relative_path},
};

/// How long a service may take to stop: the database has a minute of its own, and podman's answer comes after it.
const STOP: Duration = Duration::from_secs(100);

/// Writes a candidate where nothing finds it but the forge.
///
/// # Errors
/// Unable when it cannot be written.
pub fn stage(state: &Path, candidate: &Candidate, sources: &FileTree) -> Result<PathBuf, Failure> {
    let place = staged::place(state, candidate.manifest.id());
    let mut units = candidate.rendered.quadlets.clone();
    for (path, entry) in candidate.rendered.units.iter() {
        units.insert(path.clone(), entry.clone());
    }
    let mut all = set::files(&units, &candidate.rendered.support, sources);
    all.insert_text(relative_path!("candidate.json"), candidate.manifest.to_text());
    file::write_sealed_tree(&place, &all).map_err(|error| file::unable("write", &place, &error))?;
    Ok(place)
}

/// Inscribes a set over what was found, `theirs` being LychD's own inscription that it takes over; when this returns,
/// systemd has loaded it.
///
/// # Errors
/// Refused when systemd does not load it, or a service that goes does not stop: then all is as before. Unable when
/// something could not be done, likewise; where not even that could be undone, it says so, and the journal stays.
pub fn inscribe(
    place: Place<'_>,
    set: &Set,
    found: &Found,
    (theirs, chores): (Option<&Lychds>, &Chores),
) -> Result<(), Failure> {
    let (generation, progress) = (&set.generation, place.progress);
    let generations = Generations::of_state(&generation.state);
    let before = found.receipt.as_ref();
    let from = before.map(Generation::sha256);
    let mut journal = Journal::new(&generation.state, generation.number, from, Some(generation.sha256()));
    journal.is_kept = set.is_kept;
    let mut going = going(before, generation);
    if let Some(theirs) = theirs {
        going.extend(theirs.unit_names());
        // What LychD has inscribed since is in the place of what was kept before.
        let kept = place.workshop.adopted();
        file::remove(&kept).map_err(|error| file::unable("remove", &kept, &error))?;
        journal.moves = theirs.away(place.sites, &kept);
    }
    journal.stopped = up(place, &going)?;
    for name in generation.candidate.plain_units() {
        if !place.sites.has_link(name)? {
            journal.links.insert(name.to_owned());
        }
    }
    journal.made = missing(&chores.directories)?;
    for name in generation.candidate.support.keys() {
        if !file::exists(&generation.support(name))? {
            journal.support.insert(name.clone());
        }
    }
    let roles = generation.candidate.body_images.keys();
    journal.keepers = roles.map(|role| keeper(generation.number, role)).collect();

    place.workshop.clear()?;
    let step = Step { place, journal: &journal, set };
    let begun = place.workshop.begin(&journal);
    let prepared = begun.and_then(|()| step.prepare(&generations, chores));
    let there = match prepared.and_then(|()| step.exchange()) {
        Ok(there) => there,
        Err(failure) => return Err(undone(failure, place.undo(&journal))),
    };
    if let Err(failure) = step.exchanged(there, found) {
        return Err(undone(failure, place.turn_back(&journal, before)));
    }
    progress.stage("load", "systemd reads the units");
    place.finish(&journal, Some(generation)).map_err(|failure| unfinished(failure, generation.number))
}

/// What could not be told, with the site exchanged.
fn unfinished(failure: Failure, generation: u64) -> Failure {
    match failure {
        Failure::Unable(diagnostic) => Failure::unable(
            diagnostic
                .note(format!(
                    "generation {generation} lies in the site, and it is not known whether systemd has it"
                ))
                .help("when that is mended: lychd-forge bind --recover"),
        ),
        refused @ Failure::Refused(_) => refused,
    }
}

/// What failed, and whether all is as before.
fn undone(failure: Failure, undo: Result<(), Failure>) -> Failure {
    let Err(left) = undo else { return failure };
    let told = |diagnostic: Diagnostic| {
        diagnostic
            .note(format!("and it could not be undone: {left}"))
            .help("when that is mended: lychd-forge bind --recover")
    };
    match failure {
        Failure::Refused(all) => {
            let first = all.into_iter().next().unwrap_or_default();
            Failure::unable(told(first))
        }
        Failure::Unable(diagnostic) => Failure::unable(told(*diagnostic)),
    }
}

/// Takes away what is inscribed, with the files of another inscription that was taken over back in their places.
///
/// # Errors
/// As [`inscribe`].
pub fn release(place: Place<'_>, active: &Generation, state: &Path) -> Result<(), Failure> {
    let mut journal = Journal::new(state, active.number, Some(active.sha256()), None);
    journal.stopped = up(place, &active.candidate.unit_names().map(str::to_owned).collect())?;
    let found = place.sites.read()?;
    found.refuse_foreign(&FileTree::new())?;
    let kept = place.workshop.adopted();
    if let Some(theirs) = Lychds::read(&kept)? {
        let podmans = place.sites.quadlets.parent().unwrap_or(&place.sites.quadlets);
        let away = theirs.kept_in(podmans).away(place.sites, &kept);
        journal.moves = away.iter().rev().map(Move::back).collect();
        let ours = |at: &Path| {
            at.file_name().is_some_and(|name| found.units.iter().any(|(unit, _)| name == unit.as_str()))
        };
        for one in &journal.moves {
            if file::exists(&one.to)? && !ours(&one.to) {
                let message =
                    format!("`{}` is there again, and LychD's own is kept to go there", one.to.display());
                return Err(Diagnostic::new(message)
                    .help(format!("remove the one or the other: that is kept in `{}`", kept.display()))
                    .into());
            }
        }
    }
    place.workshop.clear()?;
    let (site, shadow) = (&place.sites.quadlets, place.workshop.shadow());
    let stopped = place.workshop.begin(&journal).and_then(|()| stop(place, &journal));
    let left = stopped.and_then(|()| {
        file::rename_new(site, &shadow).map_err(|error| file::unable("take away", site, &error))
    });
    if let Err(failure) = left {
        return Err(undone(failure, place.undo(&journal)));
    }
    for directory in site.parent().into_iter().chain(shadow.parent()) {
        // What is not on the disk is found and done again.
        let _left = file::sync_directory(directory);
    }
    place.progress.stage("unload", "systemd forgets the units");
    place.finish(&journal, None).map_err(|failure| unfinished(failure, active.number))
}

/// Units that will be there no longer.
fn going(before: Option<&Generation>, new: &Generation) -> BTreeSet<String> {
    let stay: BTreeSet<&str> = new.candidate.unit_names().collect();
    let before = before.iter().flat_map(|before| before.candidate.unit_names());
    before.filter(|name| !stay.contains(name)).map(str::to_owned).collect()
}

/// Those of them that run.
fn up(place: Place<'_>, names: &BTreeSet<String>) -> Result<Vec<String>, Failure> {
    let states = place.engines.systemd.units(names.iter().map(String::as_str))?;
    Ok(states.into_iter().filter(|(_, state)| state.is_up()).map(|(name, _)| name).collect())
}

/// Stops what the journal says.
fn stop(place: Place<'_>, journal: &Journal) -> Result<(), Failure> {
    for name in &journal.stopped {
        place.progress.stage("stop", name);
        if !place.engines.systemd.stop(name, STOP)? {
            let message = format!("`{name}`, which will be there no longer, does not stop");
            return Err(Diagnostic::new(message)
                .help(format!("systemctl --user stop {name}"))
                .help(format!("systemctl --user kill --signal KILL {name}"))
                .into());
        }
    }
    Ok(())
}

/// The directories on the way to these that are not there, the upper ones first.
fn missing(directories: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut missing = BTreeSet::new();
    for directory in directories {
        for at in directory.ancestors() {
            if file::kind_behind(at)?.is_some() {
                break;
            }
            missing.insert(at.to_owned());
        }
    }
    Ok(missing.into_iter().collect())
}

/// Makes a directory for its user alone, with those above it; that of the database as a subvolume where that can be: it is
/// kept in an instant then.
fn make(directory: &Path) -> Result<(), Failure> {
    let unable = |error| file::unable("create", directory, &error);
    let is_data = directory.ends_with(DATA) && file::is_on_btrfs(directory).map_err(unable)?;
    if let (true, Some(above), Some(btrfs)) = (is_data, directory.parent(), Btrfs::on_path()) {
        file::create_private_directory(above).map_err(unable)?;
        btrfs.create(directory)?;
        return file::make_private(directory).map_err(unable);
    }
    file::create_private_directory(directory).map(drop).map_err(unable)
}

/// What an inscription does before systemd is told of it.
struct Step<'a> {
    place: Place<'a>,
    journal: &'a Journal,
    set: &'a Set,
}

impl Step<'_> {
    /// All that the new set needs, and nothing that the old one has.
    fn prepare(&self, generations: &Generations, chores: &Chores) -> Result<(), Failure> {
        let Self { place, set, .. } = self;
        let generation = &set.generation;
        for directory in &chores.directories {
            make(directory)?;
        }
        for (name, entry) in set.support.iter() {
            let path = generation.support(name.as_str());
            let Entry::File { bytes, .. } = entry else { continue };
            if file::if_there(&path, file::read(&path, file::LIMIT))?.as_deref() != Some(bytes) {
                file::write(&path, bytes).map_err(|error| file::unable("write", &path, &error))?;
            }
        }
        if !set.is_kept {
            generations.write(generation, set.files())?;
        }
        let shadow = place.workshop.shadow();
        file::create_tree(&shadow, &set.site()).map_err(|error| file::unable("write", &shadow, &error))?;
        let (podman, number) = (&place.engines.podman, generation.number);
        // Each takes podman a tenth of a second.
        thread::scope(|scope| {
            let images = generation.candidate.body_images.iter();
            let kept: Vec<_> = images
                .map(|(role, image)| scope.spawn(move || podman.keep(&keeper(number, role), image)))
                .collect();
            kept.into_iter().try_for_each(|one| one.join().unwrap_or_else(|told| resume_unwind(told)))
        })
    }

    /// Puts the new set into the place of the old one; says whether there was one.
    fn exchange(&self) -> Result<bool, Failure> {
        let Self { place, journal, .. } = self;
        stop(*place, journal)?;
        journal.moves.iter().try_for_each(Move::carry_out)?;
        let units = &place.sites.units;
        if !journal.links.is_empty() {
            file::create_directory(units).map_err(|error| file::unable("create", units, &error))?;
        }
        for name in &journal.links {
            place.link(name)?;
        }
        let (site, shadow) = (&place.sites.quadlets, place.workshop.shadow());
        if let Some(podmans) = site.parent() {
            file::create_directory(podmans).map_err(|error| file::unable("create", podmans, &error))?;
        }
        let is_there = file::exists(site)?;
        let moved = if is_there { file::exchange(&shadow, site) } else { file::rename_new(&shadow, site) };
        moved.map_err(|error| file::unable("put the new set into", site, &error))?;
        Ok(is_there)
    }

    /// With the new set in its place: both directories are on the disk, and what came out is what was found.
    fn exchanged(&self, was_there: bool, found: &Found) -> Result<(), Failure> {
        let (site, shadow) = (&self.place.sites.quadlets, self.place.workshop.shadow());
        for directory in site.parent().into_iter().chain(shadow.parent()) {
            file::sync_directory(directory).map_err(|error| file::unable("sync", directory, &error))?;
        }
        if was_there {
            // What somebody wrote there since it was looked at is not the forge's to take away.
            let old = file::read_tree(&shadow).map_err(|error| file::unable("read", &shadow, &error))?;
            if old != found.site {
                let message = format!("`{}` changed while it was read", site.display());
                return Err(Failure::unable(
                    Diagnostic::new(message).of_kind(Fault::File).help("nothing was changed: try again"),
                ));
            }
        }
        Ok(())
    }
}
