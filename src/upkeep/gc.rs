//! What nothing that is kept needs, and its end. What goes is a value that is shown before anything does; each step finds anew
//! what is left of the last, so whoever was cut short calls it again.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use serde::Serialize;

use crate::{
    binding::{
        consents::{self, Word},
        generation::Generation,
        ground::Ground,
        manifest::{CandidateId, Manifest},
        settle::KEEPER,
        staged,
    },
    body::{Bodies, BodyId, Record, Store},
    diagnostic::Failure,
    digest::Sha256,
    document::canonical_json,
    engine::{btrfs::Btrfs, podman::Podman},
    forge::nix,
    host::{directories::Directories, file, progress::Progress},
    image::EngineId,
    rebirth::{
        recovery,
        snapshots::{Kind, Snapshot, Snapshots},
    },
};

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// How many turns of bodies that lived, the active one's among them: of each the newest generation, and all after the oldest
    /// of those.
    pub generations: usize,
    /// How many of the newest bodies, whether they ever lived or not.
    pub bodies: usize,
}

/// What there is.
#[derive(Clone, Debug, Default)]
pub struct Stock {
    /// The number of the generation that is inscribed.
    pub active: Option<u64>,
    /// The numbers of all generations, those too of which nothing but a mark is left.
    pub numbers: BTreeSet<u64>,
    /// The generations, and whether each lived, the oldest first.
    pub generations: Vec<(Generation, bool)>,
    /// The snapshots of the databases.
    pub snapshots: Vec<Snapshot>,
    /// What is staged, with when it was written.
    pub staged: Vec<(CandidateId, Manifest, SystemTime)>,
    /// The bodies, the newest first.
    pub bodies: Vec<Record>,
    /// The containers of podman.
    pub containers: BTreeSet<String>,
}

/// What goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sweep {
    /// Generations, by number.
    pub generations: BTreeSet<u64>,
    /// Containers that keep images of them.
    pub keepers: BTreeSet<String>,
    /// Snapshots that none of those needs that stay, by number, with the bytes that they take.
    pub snapshots: BTreeMap<u64, u64>,
    /// Candidates.
    pub candidates: BTreeSet<CandidateId>,
    /// Bodies.
    pub bodies: BTreeSet<BodyId>,
    /// Images that only they have, as podman calls them.
    pub images: BTreeSet<String>,
}

impl Sweep {
    /// What goes of a stock.
    #[must_use]
    pub fn of(stock: &Stock, keep: Keep) -> Self {
        let lived = stock.generations.iter().rev().filter(|(_, lived)| *lived).map(|(one, _)| one);
        // Of one body in a row the newest counts. What comes after the oldest that stays says how the databases became what
        // they are: it stays too.
        let mut turns: Vec<&Generation> = lived.collect();
        turns.dedup_by_key(|one| one.candidate.body);
        let turns = turns.into_iter().map(|one| one.number).take(keep.generations.max(1));
        let oldest = turns.chain(stock.active).min();
        let stays = |number: u64| oldest.is_some_and(|oldest| number >= oldest);
        let kept: Vec<&Generation> =
            stock.generations.iter().map(|(one, _)| one).filter(|one| stays(one.number)).collect();
        let mut sweep = Self::default();
        let goes = |number: &u64| oldest.is_some() && !stays(*number);
        sweep.generations = stock.numbers.iter().copied().filter(goes).collect();

        let number_of = |name: &str| name.strip_prefix(KEEPER)?.split('-').next()?.parse::<u64>().ok();
        let keeps_gone = |name: &&String| {
            number_of(name).is_some_and(|number| oldest.is_some_and(|oldest| number < oldest))
        };
        sweep.keepers = stock.containers.iter().filter(keeps_gone).cloned().collect();

        let eras: BTreeSet<u64> = kept.iter().map(|one| one.era).collect();
        for one in &stock.snapshots {
            // What somebody took by hand goes by hand.
            let is_ours = one.kind != Kind::Taken;
            if is_ours && oldest.is_some() && !stays(one.generation) && !eras.contains(&one.era) {
                sweep.snapshots.insert(one.number, one.size());
            }
        }

        let of_kept: BTreeSet<BodyId> = kept.iter().map(|one| one.candidate.body).collect();
        let stay = |at: usize, id: &BodyId| at < keep.bodies.max(1) || of_kept.contains(id);
        let (mut bodies, mut images) = (BTreeSet::new(), BTreeSet::new());
        images.extend(kept.iter().flat_map(|one| one.candidate.body_images.values().cloned()));
        for (at, record) in stock.bodies.iter().enumerate() {
            let id = record.body.id();
            if stay(at, &id) {
                bodies.insert(id);
                images.extend(images_of(record));
            }
        }
        for record in &stock.bodies {
            if !bodies.contains(&record.body.id()) {
                sweep.bodies.insert(record.body.id());
                let own = images_of(record).filter(|image| !images.contains(image));
                sweep.images.extend(own.map(|image| image.reference()));
            }
        }

        let mut newest: BTreeMap<BodyId, (SystemTime, CandidateId)> = BTreeMap::new();
        for (id, manifest, written) in stock.staged.iter().filter(|(_, one, _)| bodies.contains(&one.body)) {
            let entry = newest.entry(manifest.body).or_insert((*written, *id));
            *entry = (*entry).max((*written, *id));
        }
        let stays = |id: &CandidateId| newest.values().any(|(_, one)| one == id);
        sweep.candidates = stock.staged.iter().map(|(id, ..)| *id).filter(|id| !stays(id)).collect();
        sweep
    }

    /// Whether nothing goes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The hash that is confirmed.
    #[must_use]
    pub fn candidate(&self) -> CandidateId {
        CandidateId::of(Sha256::of(canonical_json(&("gc", self))))
    }
}

fn images_of(record: &Record) -> impl Iterator<Item = EngineId> + '_ {
    record.body.images.iter().map(|(_, image)| image.found_by())
}

/// A sweep that is about to be made, with everything locked.
#[derive(Debug)]
pub struct Sweeping {
    /// What goes.
    pub sweep: Sweep,
    stock: Stock,
    ground: Ground,
}

/// What was left, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Images that a container still uses, as podman calls them.
    pub used: BTreeSet<String>,
    /// Stores of Nix of the forge's own that were swept.
    pub stores: BTreeSet<String>,
}

impl Sweeping {
    /// Looks at all there is, with what was cut short settled.
    ///
    /// # Errors
    /// As [`recovery::settle`]; unable when something cannot be read: what nobody can read may be needed.
    pub fn of(directories: &Directories, keep: Keep, progress: &dyn Progress) -> Result<Self, Failure> {
        let ground = Ground::take(directories, progress)?;
        recovery::settle(&ground, progress)?;
        let generations = ground.generations();
        let mut stock = Stock {
            active: Generation::read(&ground.sites.receipt())?.map(|active| active.number),
            snapshots: Snapshots::of_state(&ground.state).list()?,
            ..Stock::default()
        };
        for number in generations.numbers()? {
            stock.numbers.insert(number);
            if let Some(one) = generations.read(number)? {
                stock.generations.push((one, generations.fallen(number)?.is_none()));
            }
        }
        for (id, manifest) in staged::list(&ground.state)? {
            let place = staged::place(&ground.state, id);
            let written = file::modified(&place).map_err(|error| file::unable("read", &place, &error))?;
            stock.staged.push((id, manifest, written));
        }
        stock.bodies = Bodies::of_state(&ground.state).list()?.records;
        if !stock.generations.is_empty() {
            stock.containers = Podman::on_path()?.containers()?;
        }
        Ok(Self { sweep: Sweep::of(&stock, keep), stock, ground })
    }

    /// Makes it. Whoever calls this has the word.
    ///
    /// # Errors
    /// Unable when something cannot be removed, or the word cannot be written down.
    pub fn carry_out(self, word: Word, progress: &dyn Progress) -> Result<(Sweep, Swept), Failure> {
        let Self { sweep, stock, ground } = self;
        let candidate = sweep.candidate();
        consents::record(&ground.state, (word, "gc"), (candidate, candidate), stock.active)?;
        let generations = ground.generations();
        for &number in &sweep.generations {
            progress.stage("remove", &format!("generation {number}"));
            generations.remove(number)?;
        }
        let podman =
            if sweep.keepers.is_empty() && sweep.images.is_empty() { None } else { Some(Podman::on_path()?) };
        let mut swept = Swept::default();
        if let Some(podman) = &podman {
            sweep.keepers.iter().try_for_each(|keeper| podman.release(keeper))?;
            for image in &sweep.images {
                progress.stage("remove", &format!("image {image}"));
                if !podman.remove_image(image)? {
                    swept.used.insert(image.clone());
                }
            }
        }
        for id in &sweep.candidates {
            staged::remove(&ground.state, *id)?;
        }
        let snapshots = Snapshots::of_state(&ground.state);
        for snapshot in stock.snapshots.iter().filter(|one| sweep.snapshots.contains_key(&one.number)) {
            progress.stage("remove", &format!("snapshot {}", snapshot.number));
            if let (Some(subvolume), Some(btrfs)) = (&snapshot.subvolume, Btrfs::on_path()) {
                btrfs.remove(subvolume)?;
            }
            snapshots.remove(snapshot.number)?;
        }
        let bodies = Bodies::of_state(&ground.state);
        for record in stock.bodies.iter().filter(|one| sweep.bodies.contains(&one.body.id())) {
            bodies.remove(record)?;
        }
        swept.stores = collect(&stock.bodies, progress)?;
        Ok((sweep, swept))
    }
}

/// Has Nix take from its stores, where bodies name any of their own, what nothing keeps there.
fn collect(records: &[Record], progress: &dyn Progress) -> Result<BTreeSet<String>, Failure> {
    let own = records.iter().filter_map(|record| record.body.store.as_ref().and_then(Store::directory));
    let mut swept = BTreeSet::new();
    for store in own.collect::<BTreeSet<_>>() {
        if file::exists(&store.join("nix/store"))? {
            progress.stage("sweep", &store.display().to_string());
            if nix::collect_garbage(store)? {
                swept.insert(store.display().to_string());
            }
        }
    }
    Ok(swept)
}
