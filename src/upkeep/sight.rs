//! What is there of an organism, read once into a value: what was wanted, what systemd has loaded of it, what runs.
//! Nothing is locked, and nothing is written.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Duration,
};

use super::life::{self, Life};
use crate::{
    binding::{
        facts::Engines,
        generation::{Generation, Generations},
        ground::refuse_other,
        journal::Workshop,
        loaded::{self, Seen},
        lost::Lost,
        lychds::Lychds,
        manifest::{CandidateId, Manifest},
        site::{Found, Sites},
        staged,
    },
    diagnostic::Failure,
    engine::{
        podman::{Container, Podman, Secret},
        systemd::{ServiceState, Systemd, last_words},
    },
    host::{clock, directories::Directories, environment, file, ports},
    image::EngineId,
    rebirth::rite::Rite,
    runes::{POD, POD_SERVICE, VESSEL_SERVICE},
};

/// For how many seconds a service may be on its way before somebody should look.
pub(super) const LATE: u64 = 60;
/// How long the application may take for an answer.
const ANSWER: Duration = Duration::from_secs(3);

/// What was seen.
#[derive(Clone, Debug)]
pub enum Sight {
    /// Nothing of ours is inscribed.
    Nothing {
        /// The directory of LychD's own inscription, where there is one.
        lychds: Option<PathBuf>,
        /// What is staged.
        staged: BTreeMap<CandidateId, Manifest>,
        /// What was cut short or is on its way.
        unfinished: Option<Unfinished>,
    },
    /// A generation is.
    Inscribed(Box<Organism>),
}

/// What was begun and did not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Whether it is a rebirth; else it is an inscription.
    pub is_rebirth: bool,
    /// The generation that is to come of it.
    pub generation: u64,
    /// Whether somebody is at it.
    pub is_held: bool,
}

/// An organism that is inscribed.
#[derive(Clone, Debug)]
pub struct Organism {
    /// The generation.
    pub generation: Generation,
    /// Whether the generation's own record says the same as the receipt in the site.
    pub is_recorded: bool,
    /// The real path of the site.
    pub site: PathBuf,
    /// What lies there.
    pub found: Found,
    /// Links to plain units that are not there.
    pub unlinked: BTreeSet<String>,
    /// Its units as systemd has them.
    pub units: BTreeMap<String, Seen>,
    /// Its services.
    pub services: BTreeMap<String, ServiceSight>,
    /// The command line that made the pod; `None` where there is no pod.
    pub pod: Option<Vec<String>>,
    /// The secrets that podman has.
    pub secrets: BTreeMap<String, Secret>,
    /// What podman has lost of the body, and what keeps it.
    pub lost: Lost,
    /// Images besides the body's that units name by ID and podman lacks.
    pub missing: BTreeSet<EngineId>,
    /// Published ports on which nobody listens.
    pub silent: BTreeSet<u16>,
    /// Whether somebody answers behind the application's port; `None` where the application has none, or does not run.
    pub answers: Option<bool>,
    /// What is staged.
    pub staged: BTreeMap<CandidateId, Manifest>,
    /// What was cut short or is on its way.
    pub unfinished: Option<Unfinished>,
    /// Whether services outlive the last session; `None` where nobody can tell.
    pub lingers: Option<bool>,
    /// When it was looked at, in seconds since 1970.
    pub at: u64,
}

/// A service of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSight {
    /// How it is.
    pub life: Life,
    /// Its main process.
    pub state: ServiceState,
    /// Since when it is what it is, in seconds since 1970; 0 of one that was nothing else.
    pub since: u64,
    /// Its container.
    pub container: Option<Container>,
    /// The command lines that systemd would start it by.
    pub runs: Vec<Vec<String>>,
    /// Its last words, where it is not well.
    pub words: Vec<String>,
}

impl Sight {
    /// What is staged.
    #[must_use]
    pub fn staged(&self) -> &BTreeMap<CandidateId, Manifest> {
        match self {
            Self::Nothing { staged, .. } => staged,
            Self::Inscribed(organism) => &organism.staged,
        }
    }

    /// Of the user who runs this.
    ///
    /// # Errors
    /// Refused when what is inscribed is another state directory's; unable when something cannot be looked at.
    pub fn of_user(directories: &Directories) -> Result<Self, Failure> {
        let state = file::resolved(&directories.state)?;
        let sites = Sites::of_user(&state)?;
        let workshop = Workshop::of(&sites)?;
        let (mut staged, unfinished) = (staged::list(&state)?, unfinished(&workshop)?);
        let Some(generation) = Generation::read(&sites.receipt())? else {
            let lychds = Lychds::of(&sites)?.and_then(|_| sites.quadlets.parent().map(Path::to_owned));
            return Ok(Self::Nothing { lychds, staged, unfinished });
        };
        refuse_other(&generation, &state, "status")?;
        // What is inscribed waits for nobody's word.
        staged.remove(&generation.candidate.id());
        let engines = Engines::of_user()?;
        Organism::read(generation, (&state, &sites), &engines, (staged, unfinished))
            .map(|organism| Self::Inscribed(Box::new(organism)))
    }
}

fn unfinished(workshop: &Workshop) -> Result<Option<Unfinished>, Failure> {
    let begun = match Rite::unfinished(workshop)? {
        Some(rite) => Some((true, rite.new)),
        None => workshop.unfinished()?.map(|journal| (false, journal.generation)),
    };
    let Some((is_rebirth, generation)) = begun else { return Ok(None) };
    Ok(Some(Unfinished { is_rebirth, generation, is_held: workshop.is_held()? }))
}

impl Organism {
    fn read(
        generation: Generation,
        (state, sites): (&Path, &Sites),
        engines: &Engines,
        (staged, unfinished): (BTreeMap<CandidateId, Manifest>, Option<Unfinished>),
    ) -> Result<Self, Failure> {
        let Engines { podman, systemd } = engines;
        let manifest = &generation.candidate;
        let generations = Generations::of_state(state);
        let mut unlinked = BTreeSet::new();
        for name in manifest.plain_units() {
            if !sites.has_link(name)? {
                unlinked.insert(name.to_owned());
            }
        }
        let units = loaded::look(&generation, systemd)?;
        let services = services(&generation, &units, engines)?;
        let mut missing = BTreeSet::new();
        let by_id = manifest.images.values().filter_map(|image| image.strip_prefix("sha256:")?.parse().ok());
        for image in by_id {
            if !podman.exists(&image)? {
                missing.insert(image);
            }
        }
        let mut silent = BTreeSet::new();
        for &port in &manifest.ports {
            // What cannot be listened on for another reason is somebody's all the same.
            if ports::is_free(port).unwrap_or(false) {
                silent.insert(port);
            }
        }
        let runs = services.get(VESSEL_SERVICE).is_some_and(|vessel| vessel.life == Life::Well);
        let answers = (runs && manifest.front != 0).then(|| ports::answers(manifest.front, ANSWER));
        Ok(Self {
            is_recorded: generations.read(generation.number)?.as_ref() == Some(&generation),
            site: file::canonical(&sites.quadlets)
                .map_err(|error| file::unable("find", &sites.quadlets, &error))?,
            found: sites.read()?,
            pod: podman.command_of_pod(POD)?,
            secrets: podman.secrets()?,
            lost: Lost::read(&generation, &generations.records()?, podman)?,
            lingers: Systemd::lingers(environment::uid()),
            at: clock::unix_seconds(),
            unlinked,
            units,
            services,
            missing,
            silent,
            answers,
            staged,
            unfinished,
            generation,
        })
    }

    /// Whether a service starts at boot.
    #[must_use]
    pub fn is_wanted(&self, service: &str) -> bool {
        self.generation.candidate.services.get(service) == Some(&true)
    }
}

fn services(
    generation: &Generation,
    units: &BTreeMap<String, Seen>,
    Engines { podman, systemd }: &Engines,
) -> Result<BTreeMap<String, ServiceSight>, Failure> {
    let wanted = &generation.candidate.services;
    let mut containers = containers(wanted.keys(), podman)?;
    let at = clock::unix_seconds();
    let mut all = BTreeMap::new();
    for (name, &at_boot) in wanted {
        let state = systemd.service(name)?;
        let unit = units.get(name).map(|seen| seen.state.clone()).unwrap_or_default();
        let container = containers.remove(name.trim_end_matches(".service"));
        let life = life::of(at_boot, &unit, &state, container.as_ref());
        let since = systemd.since(name)?;
        let is_late = life == Life::Moving && since != 0 && at.saturating_sub(since) > LATE;
        let words = match life {
            Life::Failed | Life::Unhealthy => last_words(name, since),
            Life::Moving if is_late => last_words(name, since),
            _ => Vec::new(),
        };
        let runs = if life == Life::Unknown { Vec::new() } else { systemd.runs(name)? };
        all.insert(name.clone(), ServiceSight { life, state, since, container, runs, words });
    }
    Ok(all)
}

/// The containers of these services; the pod is none.
fn containers<'a>(
    services: impl Iterator<Item = &'a String>,
    podman: &Podman,
) -> Result<BTreeMap<String, Container>, Failure> {
    let names = services.filter(|name| *name != POD_SERVICE).map(|name| name.trim_end_matches(".service"));
    podman.inspect(names)
}
