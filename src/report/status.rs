//! `status`: whether the organism is well.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Digest, Page, Report, Tone};
use crate::{
    binding::manifest::CONFIRMING_DIGITS,
    runes::POD_SERVICE,
    upkeep::{
        life::Life,
        sight::{Organism, Sight},
        status::{self, Finding, Mend},
    },
};

/// How an organism is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "status --json", deny_unknown_fields)]
pub struct Status {
    /// Whether all is as it is to be, and nothing is on its way.
    pub well: bool,
    /// The generation that is inscribed; `null` where none is.
    pub generation: Option<u64>,
    /// Its body.
    pub body: Option<Digest>,
    /// Its services, by name.
    pub services: Vec<ServiceStatus>,
    /// What is not as it is to be, causes before what follows from them.
    pub findings: Vec<FindingTold>,
    /// Candidates that wait for a word.
    pub staged: Vec<Staged>,
    /// What else a person should know.
    pub notes: Vec<String>,
}

/// How a service is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ServiceStatus {
    /// Its name, as systemd knows it.
    pub service: String,
    /// Whether it starts at boot.
    pub wanted: bool,
    /// How it is, all in all.
    pub life: Life,
    /// What systemd calls its state, and that in the unit's own words.
    pub state: String,
    /// What its container says of itself; `null` where nobody asks it, or there is none.
    pub health: Option<String>,
    /// Since when it has been in that state, in seconds since 1970; `null` of one that was in no other.
    pub since: Option<u64>,
    /// For how many seconds, at the time of this look.
    pub seconds: Option<u64>,
    /// How often systemd started it again by itself.
    pub restarts: u32,
    /// What podman calls the image that runs; `null` where none does.
    pub image: Option<String>,
}

/// Something that is not as it is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FindingTold {
    /// What: a unit, a file, a secret, an image, a port.
    pub about: String,
    /// What is wrong with it.
    pub says: String,
    /// The last lines of its journal.
    pub words: Vec<String>,
    /// The command that mends it, or shows why nobody can.
    pub mend: String,
}

/// A candidate that waits for a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Staged {
    /// Its hash.
    pub candidate: Digest,
    /// Its body.
    pub body: Digest,
}

impl Status {
    /// What is told of a sight; `command` writes a command line of this program.
    #[must_use]
    pub fn of(sight: &Sight, command: impl Fn(&str) -> String) -> Self {
        let told = |finding: Finding| FindingTold {
            about: finding.about,
            says: finding.says,
            words: finding.words,
            mend: match finding.mend {
                Mend::Forge(words) => command(&words),
                Mend::Shell(words) => words,
            },
        };
        let (staged, findings) = match sight {
            Sight::Nothing { staged, unfinished, .. } => {
                (staged, unfinished.map(status::unfinished).into_iter().collect())
            }
            Sight::Inscribed(organism) => (&organism.staged, status::findings(organism)),
        };
        let staged = staged.iter().map(|(id, manifest)| Staged {
            candidate: Digest(id.sha256()),
            body: Digest(manifest.body.sha256()),
        });
        let mut told = Self {
            well: false,
            generation: None,
            body: None,
            services: Vec::new(),
            findings: findings.into_iter().map(told).collect(),
            staged: staged.collect(),
            notes: Vec::new(),
        };
        match sight {
            Sight::Nothing { lychds, .. } => told.notes.push(match lychds {
                Some(place) => format!(
                    "nothing of the forge is inscribed; `{}` holds units that `lychd bind` wrote: `{}` takes their place",
                    place.display(),
                    command("bind --adopt")
                ),
                None => format!("nothing is inscribed: `{}` activates the first body", command("bind --first")),
            }),
            Sight::Inscribed(organism) => told.inscribed(organism),
        }
        told
    }

    fn inscribed(&mut self, organism: &Organism) {
        let manifest = &organism.generation.candidate;
        self.generation = Some(organism.generation.number);
        self.body = Some(Digest(manifest.body.sha256()));
        self.services =
            organism.services.keys().filter_map(|name| ServiceStatus::of(organism, name)).collect();
        self.well = self.findings.is_empty() && self.services.iter().all(|one| one.life.is_well());
        if organism.lingers == Some(false) {
            self.notes.push(
                "the services end with your last session, and start with the next: `loginctl enable-linger` keeps them"
                    .to_owned(),
            );
        }
    }

    /// The commands of all findings, each once, in their order.
    fn mends(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for finding in &self.findings {
            if !all.contains(&finding.mend.as_str()) {
                all.push(&finding.mend);
            }
        }
        all
    }
}

impl ServiceStatus {
    fn of(organism: &Organism, name: &str) -> Option<Self> {
        let seen = organism.services.get(name)?;
        let unit = organism.units.get(name).map(|unit| unit.state.clone()).unwrap_or_default();
        let since = Some(seen.since).filter(|since| *since != 0);
        let container = seen.container.as_ref();
        Some(Self {
            service: name.to_owned(),
            wanted: organism.is_wanted(name),
            life: seen.life,
            state: format!("{} ({})", unit.active, unit.sub),
            health: container.map(|one| one.health.clone()).filter(|health| !health.is_empty()),
            since,
            seconds: since.map(|since| organism.at.saturating_sub(since)),
            restarts: seen.state.restarts,
            image: container.filter(|one| one.state == "running").map(|one| one.image.reference()),
        })
    }
}

/// A time as people say it, in its largest unit.
fn shown(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    }
}

impl Report for Status {
    fn write(&self, page: &mut Page) {
        if let (Some(generation), Some(body)) = (self.generation, &self.body) {
            let (tone, well) = match (self.well, self.findings.is_empty()) {
                (true, _) => (Tone::Good, "well"),
                (false, true) => (Tone::Poor, "on its way"),
                (false, false) => (Tone::Bad, "not well"),
            };
            page.toned(tone, format!("generation {generation} of body {}: {well}", body.0.short(12)));
            page.line(String::new());
            let width = self.services.iter().map(|one| one.service.len()).max().unwrap_or_default();
            let width = width.saturating_sub(".service".len()).max(POD_SERVICE.len());
            page.line(format!("{:<width$}  {:<10}  {:>6}  {:>5}  IMAGE", "SERVICE", "IS", "FOR", "TRIES"));
            for one in &self.services {
                let image = one.image.as_deref().unwrap_or_default().trim_start_matches("sha256:");
                let line = format!(
                    "{:<width$}  {:<10}  {:>6}  {:>5}  {}",
                    one.service.trim_end_matches(".service"),
                    one.life.word(),
                    one.seconds.map(shown).unwrap_or_default(),
                    one.restarts,
                    image.chars().take(12).collect::<String>()
                );
                match one.life {
                    Life::Well | Life::Resting => page.line(line.trim_end()),
                    Life::Moving => page.toned(Tone::Poor, line.trim_end()),
                    Life::Unhealthy | Life::Down | Life::Failed | Life::Unknown => {
                        page.toned(Tone::Bad, line.trim_end());
                    }
                }
            }
        }
        for finding in &self.findings {
            page.line(String::new());
            page.toned(Tone::Bad, format!("{}: {}", finding.about, finding.says));
            for word in &finding.words {
                page.hanging("    ", word);
            }
        }
        if !self.findings.is_empty() {
            page.line(String::new());
            for mend in self.mends() {
                page.field("mend", mend);
            }
        }
        for one in &self.staged {
            let (candidate, body) = (one.candidate.0.short(CONFIRMING_DIGITS), one.body.0.short(12));
            page.field("staged", format!("candidate {candidate} of body {body}"));
        }
        for note in &self.notes {
            page.field("note", note);
        }
    }
}
