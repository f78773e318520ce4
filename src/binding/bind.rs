//! `bind` from its beginning to its end: what is proposed, what becomes of it, whose word it needs, and what follows.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use super::{
    Proposal, Wanted,
    activation::{self, Activated},
    consents::{self, Word},
    facts::{Engines, Facts},
    generation::{Generation, Generations},
    ground::Ground,
    inscription,
    lost::Lost,
    lychds::Lychds,
    manifest::CandidateId,
    preflight::{Chores, preflight},
    propose,
    set::Set,
};
use crate::{
    diagnostic::{Diagnostic, Failure, refuse_any},
    engine::podman::Podman,
    host::{file, progress::Progress},
    runes::{DATA, DATABASE_SERVICE},
    supply::outside::Network,
};

/// How long services may take until they run: images are loaded, but a database may have to come back from a crash.
const START: Duration = Duration::from_mins(5);

/// What becomes of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// It lies there already.
    Nothing,
    /// It is of a body that nobody activated: it is kept where systemd does not find it.
    Stage,
    /// It is of the active body, or of the first one whose activation is asked for.
    Inscribe,
}

/// What becomes of a candidate, and what a person has to say to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// What becomes of it.
    pub intent: Intent,
    /// What a person consents to that was not there before, a line each.
    pub widens: Vec<String>,
}

/// A candidate for which all is ready, with everything locked that it needs.
#[derive(Debug)]
pub struct Prepared {
    /// The candidate.
    pub proposal: Proposal,
    /// What becomes of it.
    pub outlook: Outlook,
    /// What became of an inscription that was cut short before.
    pub recovered: Option<String>,
    /// What this host has to say.
    pub notes: Vec<String>,
    ready: Option<(Engines, Chores)>,
    lost: Option<(Podman, Lost)>,
    ground: Ground,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// Nothing: it lay there already.
    Nothing,
    /// It is staged in this directory.
    Staged(PathBuf),
    /// It is inscribed, and systemd has loaded it.
    Inscribed {
        /// As what.
        generation: Box<Generation>,
        /// What became of services that were started or restarted.
        activated: Activated,
    },
}

impl Done {
    /// Whether all that was to run does.
    ///
    /// # Errors
    /// Refused when something does not, with its last words.
    pub fn complain(&self) -> Result<(), Failure> {
        let Self::Inscribed { generation, activated } = self else { return Ok(()) };
        let told = activated.not_running.iter().map(|(name, (state, words))| {
            let message =
                format!("generation {} is inscribed, and `{name}` does not run: {state}", generation.number);
            words
                .iter()
                .fold(Diagnostic::new(message), |told, line| told.note(line.as_str()))
                .help(format!("journalctl --user --unit {name}"))
        });
        refuse_any(told.collect())
    }
}

/// Takes away what is inscribed, and gives its place back to LychD's own inscription where that was taken over; returns
/// the generation that lay there.
///
/// # Errors
/// As [`inscription::release`]; refused when nothing is inscribed.
pub fn release(ground: &Ground, progress: &dyn Progress) -> Result<u64, Failure> {
    if Lychds::read(&ground.workshop.adopted())?.is_none() {
        let nothing = Diagnostic::new("nothing of LychD's was taken over that could be given back");
        return Err(nothing.help("`systemctl --user stop lychd-pod` stops the organism").into());
    }
    let Some(active) = Generation::read(&ground.sites.receipt())? else {
        return Err(Diagnostic::new("nothing is inscribed").into());
    };
    let engines = Engines::of_user()?;
    inscription::release(ground.place(&engines, progress), &active, &ground.state)?;
    Ok(active.number)
}

/// Renders and judges the units of a body, and sees whether they can live here. `recovered` says what became of what was cut
/// short before; `first` asks for the activation of the first body.
///
/// # Errors
/// As [`propose`] and [`preflight`]; refused when `first` is asked for and a body is active.
pub fn prepare(
    (ground, recovered): (Ground, Option<String>),
    network: Network,
    wanted: Wanted<'_>,
    first: bool,
    progress: &dyn Progress,
) -> Result<Prepared, Failure> {
    let proposal = propose(&ground.directories, network, wanted, progress)?;
    ground.check(&proposal)?;
    let outlook = Outlook::of(&proposal, first)?;
    let (mut ready, mut notes) = (None, Vec::new());
    if outlook.intent == Intent::Inscribe {
        let manifest = &proposal.candidate.manifest;
        let engines = Engines::of_user()?;
        let facts = Facts::read(manifest, &ground.sites, &ground.state, &engines)?;
        let records = ground.generations().records()?;
        let adopts = proposal.host.lychds.is_some();
        let chores = preflight(manifest, &facts, (&records, adopts), &proposal.host.layout)?;
        notes.extend(chores.notes.iter().cloned());
        ready = Some((engines, chores));
    }
    let mut lost = None;
    if let (Intent::Nothing, Some(active)) = (outlook.intent, &proposal.host.found.receipt) {
        let podman = Podman::on_path()?;
        let gone = Lost::read(active, &ground.generations().records()?, &podman)?;
        notes.extend(gone.notes());
        lost = Some((podman, gone));
    }
    for note in &notes {
        progress.note(note);
    }
    Ok(Prepared { proposal, outlook, recovered, notes, ready, lost, ground })
}

impl Outlook {
    /// Of a candidate on its host. `first` asks for the activation of the first body.
    ///
    /// # Errors
    /// Refused when `first` is asked for and a body is active; unable when links to units cannot be looked at.
    pub fn of(proposal: &Proposal, first: bool) -> Result<Self, Failure> {
        let manifest = &proposal.candidate.manifest;
        let widens = match &proposal.host.found.receipt {
            Some(active) => manifest.wider_than(&active.candidate).map(str::to_owned).collect(),
            None => manifest.may.iter().cloned().chain(met(proposal)?).collect(),
        };
        Ok(Self { intent: intent(proposal, first)?, widens })
    }
}

/// Databases that another body left, which one would meet that comes where nothing is inscribed.
fn met(proposal: &Proposal) -> Result<Option<String>, Failure> {
    let Proposal { candidate, host, .. } = proposal;
    let last = Generations::of_state(&host.state).last_that_lived()?;
    let Some(last) = last.filter(|last| last.candidate.body != candidate.manifest.body) else {
        return Ok(None);
    };
    let has_database = candidate.manifest.services.contains_key(DATABASE_SERVICE);
    if !has_database || !file::exists(&host.layout.crypt.join(DATA).join("PG_VERSION"))? {
        return Ok(None);
    }
    let (number, body) = (last.number, last.candidate.body.short(12));
    Ok(Some(format!(
        "databases as body {body} left them (generation {number}), of which nothing is kept: with that body first (`--body {body}`), \
         `rebirth` keeps them"
    )))
}

fn intent(proposal: &Proposal, first: bool) -> Result<Intent, Failure> {
    let Proposal { candidate, host, .. } = proposal;
    let Some(active) = &host.found.receipt else {
        return Ok(if first { Intent::Inscribe } else { Intent::Stage });
    };
    if host.lychds.is_some() {
        // LychD has inscribed again since: its files are read before ours.
        return Ok(Intent::Inscribe);
    }
    if first {
        let message = format!("a body is active: generation {} is inscribed", active.number);
        return Err(Diagnostic::new(message).help("`--first` is for the first one alone").into());
    }
    if active.candidate.body != candidate.manifest.body {
        return Ok(Intent::Stage);
    }
    let mut is_there = !candidate.plan.changes() && active.candidate == candidate.manifest;
    for name in candidate.manifest.plain_units() {
        is_there &= host.sites.has_link(name)?;
    }
    Ok(if is_there { Intent::Nothing } else { Intent::Inscribe })
}

/// Services that are wanted at boot.
fn at_boot(generation: &Generation) -> BTreeSet<String> {
    let services = generation.candidate.services.iter();
    services.filter(|(_, at_boot)| **at_boot).map(|(name, _)| name.clone()).collect()
}

/// What kept services from being started.
fn inscribed_all_the_same(failure: Failure, generation: u64) -> Failure {
    let told = |diagnostic: Diagnostic| {
        diagnostic.note(format!("generation {generation} is inscribed all the same"))
    };
    match failure {
        Failure::Refused(all) => Failure::Refused(all.into_iter().map(told).collect()),
        Failure::Unable(diagnostic) => Failure::unable(told(*diagnostic)),
    }
}

impl Prepared {
    /// The hash that is consented to.
    #[must_use]
    pub fn candidate(&self) -> CandidateId {
        self.proposal.candidate.manifest.id()
    }

    /// Whether a person's word is needed.
    #[must_use]
    pub fn asks(&self) -> bool {
        let widens = !self.outlook.widens.is_empty() || self.proposal.host.lychds.is_some();
        self.outlook.intent == Intent::Inscribe && (self.is_first() || widens)
    }

    /// Whether nothing is inscribed yet.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.proposal.host.found.receipt.is_none()
    }

    /// Why a word for what is only staged is none: whoever gave it wanted more.
    #[must_use]
    pub fn no_word_needed(&self) -> Failure {
        let told = Diagnostic::new("this candidate would only be staged, which needs nobody's word");
        let help = if self.is_first() {
            "`--first` activates the first body"
        } else {
            "it is of another body than the active one: `--body active` inscribes that one's units"
        };
        told.help(help).into()
    }

    /// Whether these digits are the first of the candidate's hash.
    ///
    /// # Errors
    /// Refused when they are not, or are too few.
    pub fn confirm(&self, digits: &str) -> Result<(), Failure> {
        self.candidate().confirm(digits, "lychd-forge bind --dry-run")
    }

    /// Does what was prepared. Whoever calls this has the word that [`Prepared::asks`] for. With `restart` services that
    /// changed are started again.
    ///
    /// # Errors
    /// As [`inscription::inscribe`]; also when an image of the body cannot be loaded, the word cannot be written down, or
    /// services do not start.
    pub fn carry_out(&self, word: Word, restart: bool, progress: &dyn Progress) -> Result<Done, Failure> {
        let Proposal { candidate, sources, host, .. } = &self.proposal;
        let state = &host.state;
        let (engines, chores) = match (self.outlook.intent, &self.ready) {
            (Intent::Nothing, _) => {
                self.bring_back(progress)?;
                return self.start_what_is_there(restart, progress);
            }
            (Intent::Inscribe, Some((engines, chores))) => (engines, chores),
            (Intent::Stage | Intent::Inscribe, _) => {
                return inscription::stage(state, candidate, sources).map(Done::Staged);
            }
        };
        self.ground.load_images(&self.proposal, &chores.images, &engines.podman, progress)?;
        let before = host.found.receipt.as_ref();
        if self.asks() {
            let active = before.map(|before| before.number);
            let candidate = self.candidate();
            consents::record(&host.state, (word, "bind"), (candidate, candidate), active)?;
        }
        let generation = self.ground.generations().next(before, candidate.manifest.clone())?;
        let set = Set::new(generation, candidate, sources);
        let place = self.ground.place(engines, progress);
        inscription::inscribe(place, &set, &host.found, (host.lychds.as_ref(), chores))?;
        let generation = set.generation;
        let kept = self.keep_others(&generation, &engines.podman);
        kept.map_err(|failure| inscribed_all_the_same(failure, generation.number))?;
        let activated = if self.is_first() || host.lychds.is_some() {
            activation::start(&engines.systemd, at_boot(&generation), START, progress)
        } else if restart {
            activation::restart(&engines.systemd, &candidate.plan, START, progress)
        } else {
            Ok(Activated::default())
        };
        let activated = activated.map_err(|failure| inscribed_all_the_same(failure, generation.number))?;
        Ok(Done::Inscribed { generation: Box::new(generation), activated })
    }

    /// What keeps the images of other generations is there no longer after an end, or a pruning.
    fn keep_others(&self, generation: &Generation, podman: &Podman) -> Result<(), Failure> {
        let lost = Lost::read(generation, &self.ground.generations().records()?, podman)?;
        lost.keepers.iter().try_for_each(|(keeper, image)| podman.keep(keeper, image))
    }

    /// Nothing is to be written: with `restart` what is wanted at boot is started, where it does not run.
    fn start_what_is_there(&self, restart: bool, progress: &dyn Progress) -> Result<Done, Failure> {
        let Some(generation) = self.proposal.host.found.receipt.clone().filter(|_| restart) else {
            return Ok(Done::Nothing);
        };
        let engines = Engines::of_user()?;
        let activated = activation::start(&engines.systemd, at_boot(&generation), START, progress)?;
        Ok(Done::Inscribed { generation: Box::new(generation), activated })
    }

    /// What podman has lost of the active generation: its images, and what keeps them from being pruned.
    fn bring_back(&self, progress: &dyn Progress) -> Result<(), Failure> {
        let Some((podman, lost)) = &self.lost else { return Ok(()) };
        let images = lost.images.values().cloned().collect();
        self.ground.load_images(&self.proposal, &images, podman, progress)?;
        lost.keepers.iter().try_for_each(|(keeper, image)| podman.keep(keeper, image))
    }
}
