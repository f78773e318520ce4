//! How the bodies that were forged stand: which of them lives, which generations are of which, and what podman has.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    binding::{
        generation::{Generation, Generations},
        site::Sites,
    },
    body::{BodyId, Record},
    diagnostic::Failure,
    engine::podman::Podman,
    host::{directories::Directories, file},
};

/// How a body stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether its units are inscribed.
    pub is_active: bool,
    /// The generations that are of it and lived, the oldest first.
    pub generations: BTreeSet<u64>,
    /// Those that did not live.
    pub fallen: BTreeSet<u64>,
    /// Whether podman has all its images; `None` where podman cannot be asked, or need not.
    pub is_loaded: Option<bool>,
}

/// How bodies stand, by ID.
///
/// # Errors
/// Unable when the generations or the site cannot be read.
pub fn of(directories: &Directories, records: &[Record]) -> Result<BTreeMap<BodyId, Standing>, Failure> {
    let state = file::resolved(&directories.state)?;
    let mut all: BTreeMap<BodyId, Standing> = BTreeMap::new();
    let generations = Generations::of_state(&state);
    for generation in generations.records()? {
        let standing = all.entry(generation.candidate.body).or_default();
        let has_fallen = generations.fallen(generation.number)?.is_some();
        let numbers = if has_fallen { &mut standing.fallen } else { &mut standing.generations };
        numbers.insert(generation.number);
    }
    if let Some(active) = Generation::read(&Sites::of_user(&state)?.receipt())?
        && file::resolved(&active.state)? == state
    {
        all.entry(active.candidate.body).or_default().is_active = true;
    }
    // Where nothing was ever inscribed nobody asks podman, which makes files of its own when it is asked.
    let podman = if all.is_empty() { None } else { Podman::on_path().ok() };
    for record in records {
        let has = |podman: &Podman| {
            let mut images = record.body.images.iter();
            images.try_fold(true, |all, (_, image)| Ok(all && podman.exists(&image.found_by())?))
        };
        // Whoever cannot use podman can still read the list.
        let is_loaded = podman.as_ref().and_then(|podman| has(podman).map_err(|_: Failure| ()).ok());
        all.entry(record.body.id()).or_default().is_loaded = is_loaded;
    }
    Ok(all)
}
