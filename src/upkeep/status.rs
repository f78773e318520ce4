//! Whether an organism is well: what was wanted, what systemd has loaded and what runs, held against one another. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    life::Life,
    secrets::{next, older},
    sight::{LATE, Organism, ServiceSight, Unfinished},
};
use crate::{
    binding::{
        generation::RECEIPT,
        loaded::{self, LoadFault, Texts},
        site::drop_in_elsewhere,
    },
    diagnostic::shell_word,
    digest::Sha256,
    runes::{DATABASE, DATABASE_SERVICE, POD, POD_SERVICE, VESSEL_SERVICE},
    tree::FileTree,
};

/// Something that is not as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What: a unit, a file, a secret, an image, a port.
    pub about: String,
    /// What is wrong with it.
    pub says: String,
    /// The last words of a service.
    pub words: Vec<String>,
    /// What to type.
    pub mend: Mend,
}

/// What to type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mend {
    /// A verb of the forge, with its arguments.
    Forge(String),
    /// Another program.
    Shell(String),
}

/// What a database says to whoever has another password than it knows.
const REFUSED: &str = "password authentication failed";
/// What systemd calls a unit that somebody has forbidden.
const MASKED: &str = "masked";
impl Mend {
    /// Whether it is this verb of the forge.
    fn starts_with(&self, verb: &str) -> bool {
        matches!(self, Self::Forge(words) if words.starts_with(verb))
    }
}

/// Services by what is to be typed for them together.
const START: &str = "systemctl --user start";
const RESTART: &str = "systemctl --user restart";

/// All that is not as it is to be: causes before what follows from them.
#[must_use]
pub fn findings(organism: &Organism) -> Vec<Finding> {
    if let Some(begun) = organism.unfinished {
        // What else is not as it is to be is so until that has ended.
        return vec![unfinished(begun)];
    }
    // An inscription asks for secrets, and the database's password for an image.
    let (given, changed): (Vec<Finding>, Vec<Finding>) =
        secrets(organism).into_iter().partition(|one| one.mend.starts_with("secrets set"));
    let mut all = given;
    all.extend(images(organism));
    all.extend(changed);
    all.extend(files(organism));
    all.extend(units(organism));
    all.extend(services(organism));
    all.extend(stale(organism));
    all.extend(gates(organism));
    all.extend(ports(organism));
    all
}

/// What was cut short.
#[must_use]
pub fn unfinished(Unfinished { is_rebirth, generation, is_held }: Unfinished) -> Finding {
    let (about, verb) = if is_rebirth { ("rebirth", "rebirth") } else { ("inscription", "bind") };
    let how = if is_held { "is on its way" } else { "was cut short" };
    let mend = if is_held { "status --watch".to_owned() } else { format!("{verb} --recover") };
    finding(about, format!("the {about} of generation {generation} {how}"), Mend::Forge(mend))
}

fn finding(about: impl Into<String>, says: impl Into<String>, mend: Mend) -> Finding {
    Finding { about: about.into(), says: says.into(), words: Vec::new(), mend }
}

fn bind() -> Mend {
    // Without the word it is the newest body's units that are made, which may be another.
    Mend::Forge("bind --body active".to_owned())
}

/// Of the site and what belongs to it.
fn files(organism: &Organism) -> Vec<Finding> {
    let Organism { generation, found, site, .. } = organism;
    let manifest = &generation.candidate;
    let mut all = Vec::new();
    if !organism.is_recorded {
        let says = format!("it is not the record of generation {}", generation.number);
        let record = generation.state.join(format!("generations/{}/generation.json", generation.number));
        let receipt = site.join(RECEIPT);
        let put_back = format!("cp {} {}", word(&record), word(&receipt));
        all.push(finding(shown(&receipt), says, Mend::Shell(put_back)));
    }
    let site_path = |name: &str| site.join(name);
    all.extend(differences(&manifest.units, &found.site, &site_path, |name| name == RECEIPT));
    let support = |name: &str| generation.support(name);
    all.extend(differences(&manifest.support, &found.support, &support, |_| false));
    for name in &organism.unlinked {
        all.push(finding(name, "the link to it among the user's units is gone", bind()));
    }
    all
}

/// Between files that were written and those that are there.
fn differences<'a>(
    written: &'a BTreeMap<String, Sha256>,
    there: &'a FileTree,
    place: &'a dyn Fn(&str) -> std::path::PathBuf,
    besides: impl Fn(&str) -> bool,
) -> Vec<Finding> {
    let now: BTreeMap<&str, Option<Sha256>> =
        there.iter().map(|(path, _)| (path.as_str(), there.file(path).map(Sha256::of))).collect();
    let mut all = Vec::new();
    for (name, sha256) in written {
        let says = match now.get(name.as_str()) {
            None => "it was inscribed, and is gone",
            Some(found) if *found != Some(*sha256) => "it is not what was inscribed",
            Some(_) => continue,
        };
        all.push(finding(shown(&place(name)), says, bind()));
    }
    for name in now.keys().filter(|name| !written.contains_key(**name) && !besides(name)) {
        let path = place(name);
        let says = "it was not inscribed, and lies in a directory that is the forge's alone";
        let away = match drop_in_elsewhere(&path) {
            Some(to) => {
                let above = to.parent().unwrap_or(&to);
                format!("mkdir -p {} && mv {} {}", word(above), word(&path), word(&to))
            }
            None => format!("rm -r {}", word(&path)),
        };
        all.push(finding(shown(&path), says, Mend::Shell(away)));
    }
    all
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn word(path: &Path) -> String {
    shell_word(&shown(path))
}

/// Of what systemd has loaded.
fn units(organism: &Organism) -> Vec<Finding> {
    let Organism { generation, site, units, unlinked, .. } = organism;
    let wrong = loaded::wrong(generation, Texts::Judged, site, units);
    // What has lost its link is told as that, and what was edited as a file.
    let rest = wrong.into_iter().filter(|one| !unlinked.contains(&one.unit));
    let rest = rest.filter(|one| !matches!(one.fault, LoadFault::Edited(_)));
    let told = rest.map(|one| {
        let mend = match &one.fault {
            LoadFault::Unloaded(load) if load == MASKED => {
                Mend::Shell(format!("systemctl --user unmask {}", one.unit))
            }
            LoadFault::Unloaded(_) => Mend::Shell("systemctl --user daemon-reload".to_owned()),
            _ => bind(),
        };
        finding(one.unit, one.fault.to_string(), mend)
    });
    told.collect()
}

/// Of the secrets that it is given.
fn secrets(organism: &Organism) -> Vec<Finding> {
    let mut all = Vec::new();
    for (name, users) in &organism.generation.candidate.secrets {
        let about = format!("secret {name}");
        if !organism.secrets.contains_key(name) {
            let says = format!("podman has none; it is for {}", join(users));
            // Nobody knows any more what the database does.
            let verb = if users.contains(DATABASE) { "rotate" } else { "set" };
            all.push(finding(about, says, Mend::Forge(format!("secrets {verb} {name}"))));
            continue;
        }
        if organism.secrets.contains_key(&next(name)) {
            let says = "its change was cut short";
            all.push(finding(about, says, Mend::Forge(format!("secrets rotate {name}"))));
            continue;
        }
        let old = older(organism, name);
        if old.is_empty() {
            continue;
        }
        let says = format!("{} runs with what it was before", join(&old));
        // The database knows its password from its own first start.
        let mend = if users.contains(DATABASE) {
            Mend::Forge(format!("secrets rotate {name}"))
        } else {
            Mend::Shell(format!(
                "{RESTART} {}",
                old.iter().map(|one| format!("{one}.service")).collect::<Vec<_>>().join(" ")
            ))
        };
        all.push(finding(about, says, mend));
    }
    all
}

/// Of the images that it is made of.
fn images(organism: &Organism) -> Vec<Finding> {
    let Organism { lost, missing, generation, .. } = organism;
    let gone = lost.images.iter();
    let mut all: Vec<Finding> = gone
        .map(|(role, image)| finding(format!("image {role}"), format!("podman has lost {image}"), bind()))
        .collect();
    for (keeper, image) in &lost.keepers {
        let says = format!("nothing keeps {image} from being pruned");
        all.push(finding(format!("container {keeper}"), says, bind()));
    }
    for image in missing {
        let reference = image.reference();
        let by = generation.candidate.images.iter().filter(|(_, named)| **named == reference);
        let says = format!("podman does not have it, and {} runs it", join(by.map(|(service, _)| service)));
        let load = Mend::Shell(format!("podman pull {reference}"));
        all.push(finding(format!("image {reference}"), says, load));
    }
    all
}

/// Of what is to run.
fn services(organism: &Organism) -> Vec<Finding> {
    let of = |life: Life| organism.services.iter().filter(move |(_, one)| one.life == life);
    let down: Vec<&str> = of(Life::Down).map(|(name, _)| name.as_str()).collect();
    let mut all: Vec<Finding> = down
        .iter()
        .map(|name| {
            let start = Mend::Shell(format!("{START} {}", down.join(" ")));
            finding(*name, "it is wanted at boot, and does not run", start)
        })
        .collect();
    for (name, one) in of(Life::Failed) {
        let is_over = organism.units.get(name).is_some_and(|unit| unit.state.active == "failed");
        let (says, mend) = match (is_over, organism.is_wanted(name)) {
            (true, true) => ("it failed", format!("{START} {name}")),
            (true, false) => {
                ("it failed, and nobody asks for it now", format!("systemctl --user reset-failed {name}"))
            }
            (false, _) => ("it failed, and is tried again", format!("journalctl --user --unit {name}")),
        };
        all.push(Finding { words: one.words.clone(), ..finding(name, says, Mend::Shell(mend)) });
    }
    for (name, one) in
        of(Life::Moving).filter(|(_, one)| organism.at.saturating_sub(one.since) > LATE && one.since != 0)
    {
        let refused = one.words.iter().any(|word| word.contains(REFUSED));
        let password = secrets_of(organism, DATABASE).next().filter(|_| refused && *name == DATABASE_SERVICE);
        let (says, mend) = match password {
            Some(secret) => (
                "the database knows another password than podman gives it",
                Mend::Forge(format!("secrets rotate {secret}")),
            ),
            None => {
                ("it has been on its way for long", Mend::Shell(format!("journalctl --user --unit {name}")))
            }
        };
        all.push(Finding { words: one.words.clone(), ..finding(name, says, mend) });
    }
    for (name, one) in of(Life::Unhealthy) {
        let again = Mend::Shell(format!("{RESTART} {name}"));
        let says = "it runs, and is not well by its own account";
        all.push(Finding { words: one.words.clone(), ..finding(name, says, again) });
    }
    all
}

/// The secrets that a service gets.
fn secrets_of<'a>(organism: &'a Organism, service: &'a str) -> impl Iterator<Item = &'a String> {
    let all = organism.generation.candidate.secrets.iter();
    all.filter(move |(_, users)| users.contains(service)).map(|(name, _)| name)
}

/// Of what runs as nobody would start it now.
fn stale(organism: &Organism) -> Vec<Finding> {
    let mut all = Vec::new();
    let says = "it runs as it was before its unit changed";
    let service = organism.services.get(POD_SERVICE);
    if let (Some(pod), Some(service)) = (&organism.pod, service)
        && service.life == Life::Well
        && !service.runs.iter().any(|run| is_same(run, pod))
    {
        // All go with their pod.
        return vec![finding(POD_SERVICE, says, Mend::Shell(format!("{RESTART} {POD_SERVICE}")))];
    }
    for (name, service) in &organism.services {
        let Some(container) = service.container.as_ref().filter(|_| service.life == Life::Well) else {
            continue;
        };
        let is_current =
            |run: &Vec<String>| is_same(run, &container.command) && has_image(run, container.image.as_str());
        if !service.runs.iter().any(is_current) {
            all.push(finding(name, says, Mend::Shell(format!("{RESTART} {name}"))));
        }
    }
    all
}

/// Whether two command lines are one: podman's generator writes some options in an order that changes from run to run.
fn is_same(one: &[String], two: &[String]) -> bool {
    let sorted = |words: &[String]| {
        let mut words: Vec<String> = words.iter().skip(1).cloned().collect();
        words.sort_unstable();
        words
    };
    sorted(one) == sorted(two)
}

/// Whether what a command line names by ID is this image.
fn has_image(run: &[String], image: &str) -> bool {
    let mut named = run.iter().filter_map(|word| word.strip_prefix("sha256:")).peekable();
    named.peek().is_none() || named.any(|named| named == image)
}

/// Of gates, and of those that exclude one another.
fn gates(organism: &Organism) -> Vec<Finding> {
    let text = |name: &str| -> Option<String> {
        let path = name.parse().ok()?;
        String::from_utf8(organism.found.units.file(&path)?.to_vec()).ok()
    };
    let names = |text: &str, key: &str| -> BTreeSet<String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        lines.flat_map(str::split_whitespace).map(str::to_owned).collect()
    };
    let mut gates: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    for name in organism.generation.candidate.plain_units() {
        let Some(text) = text(name) else { continue };
        let behind = names(&text, "Requires").into_iter().find(|unit| organism.services.contains_key(unit));
        if let Some(service) = behind {
            gates.insert(name.to_owned(), (service, names(&text, "Conflicts")));
        }
    }
    let life = |service: &str| organism.services.get(service).map_or(Life::Unknown, |one| one.life);
    let is_active = |unit: &str| organism.units.get(unit).is_some_and(|unit| unit.state.active == "active");
    let mut all = Vec::new();
    for (gate, (service, excluded)) in &gates {
        if is_active(gate) && life(service) == Life::Resting {
            let says = format!("it is active, and `{service}` does not run");
            all.push(finding(gate, says, Mend::Shell(format!("{START} {service}"))));
        }
        for other in excluded.iter().filter(|other| *other > gate) {
            let Some((rival, _)) = gates.get(other) else { continue };
            if is_active(service) && is_active(rival) {
                let says = format!("it runs beside `{rival}`, and they exclude each other");
                all.push(finding(service, says, Mend::Shell(format!("systemctl --user stop {rival}"))));
            }
        }
    }
    all
}

/// Of what is published.
fn ports(organism: &Organism) -> Vec<Finding> {
    let well =
        |name: &str| organism.services.get(name).is_some_and(|one: &ServiceSight| one.life == Life::Well);
    if !well(POD_SERVICE) {
        return Vec::new();
    }
    let again = |name: &str| Mend::Shell(format!("{RESTART} {name}"));
    let silent = organism.silent.iter();
    let mut all: Vec<Finding> = silent
        .map(|port| {
            let says = format!("nobody listens, and the pod `{POD}` publishes it");
            finding(format!("port {port}"), says, again(POD_SERVICE))
        })
        .collect();
    let front = organism.generation.candidate.front;
    if organism.answers == Some(false) && !organism.silent.contains(&front) {
        let says = "the application is well by its own account, and nobody answers there";
        all.push(finding(format!("port {front}"), says, again(VESSEL_SERVICE)));
    }
    all
}

fn join<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.as_ref().to_owned()).collect();
    names.join(", ")
}
