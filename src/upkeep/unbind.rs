//! What of ours lies among the user's units and containers, taken away; what is the user's stays.

use std::{collections::BTreeSet, path::PathBuf};

use crate::{
    binding::{
        facts::Engines,
        generation::Generation,
        ground::{Ground, refuse_other},
        inscription,
        lychds::Lychds,
        settle::keeper,
    },
    diagnostic::Failure,
    engine::podman::Podman,
    host::{file, progress::Progress},
    runes::DATA,
};

/// What was taken away, and what stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unbound {
    /// The generation that was inscribed; `None` where none was.
    pub generation: Option<u64>,
    /// Containers that kept images.
    pub keepers: BTreeSet<String>,
    /// Whether LychD's own units, which had been taken over, are back.
    pub gives_back: bool,
    /// What stays, and where, as far as it is there.
    pub stays: Vec<(&'static str, PathBuf)>,
    /// Secrets that it was given, which podman keeps.
    pub secrets: BTreeSet<String>,
}

/// Stops what is inscribed and takes its units away, with the containers that keep images of any generation. Whoever was cut
/// short calls it again.
///
/// # Errors
/// Refused when a service does not stop, or what is inscribed is another state directory's; unable when something cannot be
/// removed: where it could be undone, all is as before.
pub fn unbind(ground: &Ground, progress: &dyn Progress) -> Result<Unbound, Failure> {
    let active = Generation::read(&ground.sites.receipt())?;
    let mut gives_back = false;
    if let Some(active) = &active {
        refuse_other(active, &ground.state, "unbind")?;
        gives_back = Lychds::read(&ground.workshop.adopted())?.is_some();
        let engines = Engines::of_user()?;
        inscription::release(ground.place(&engines, progress), active, &ground.state)?;
    }
    let keepers = release_keepers(ground)?;
    let secrets = active.iter().flat_map(|active| active.candidate.secrets.keys().cloned());
    Ok(Unbound {
        generation: active.as_ref().map(|active| active.number),
        keepers,
        gives_back,
        secrets: secrets.collect(),
        stays: stays(ground)?,
    })
}

fn release_keepers(ground: &Ground) -> Result<BTreeSet<String>, Failure> {
    let records = ground.generations().records()?;
    // Where nothing was ever inscribed nobody asks podman, which makes files of its own when it is asked.
    if records.is_empty() {
        return Ok(BTreeSet::new());
    }
    let podman = Podman::on_path()?;
    let there = podman.containers()?;
    let ours =
        records.iter().flat_map(|one| one.candidate.body_images.keys().map(|role| keeper(one.number, role)));
    let ours: BTreeSet<String> = ours.filter(|name| there.contains(name)).collect();
    ours.iter().try_for_each(|name| podman.release(name))?;
    Ok(ours)
}

fn stays(ground: &Ground) -> Result<Vec<(&'static str, PathBuf)>, Failure> {
    let directories = &ground.directories;
    let all = [
        ("the databases", directories.crypt.join(DATA)),
        ("snapshots of them", ground.state.join("snapshots")),
        ("the sources", directories.crypt.clone()),
        ("the Codex", directories.codex.clone()),
        ("bodies and generations", ground.state.clone()),
        ("downloads, safe to delete", directories.cache.clone()),
    ];
    let mut there = Vec::new();
    for (what, path) in all {
        if file::exists(&path)? {
            there.push((what, path));
        }
    }
    Ok(there)
}
