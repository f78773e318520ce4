//! What `status`, `doctor` and `unbind` print.

use std::{collections::BTreeMap, path::Path};

use lychd_forge::{
    binding::{
        changes::fingerprint, generation::Generations, loaded::Seen, lost::Lost, manifest::Manifest,
        site::Found,
    },
    body::BodyId,
    digest::Sha256,
    engine::{
        podman::{Container, Secret},
        systemd::{ServiceState, UnitState},
    },
    image::EngineId,
    name::Role,
    report,
    runes::{Layout, Rendered, Service},
    tree::FileTree,
    upkeep::{
        doctor::{Check, Verdict},
        life::Life,
        secrets::{Asked, Changed, asked},
        sight::{Organism, ServiceSight, Sight, Unfinished},
        status::{Finding, Mend, findings},
        unbind,
    },
};

use super::is_told;

const SITE: &str = "/home/lych/.config/containers/systemd/lychd";
/// When the organism is looked at.
const NOW: u64 = 1_800_000_000;
const SERVICES: [(&str, bool); 5] = [
    ("lychd-ember.service", false),
    ("lychd-frost.service", false),
    ("lychd-phylactery.service", true),
    ("lychd-pod.service", true),
    ("lychd-vessel.service", true),
];

fn gate(name: &str, other: &str) -> String {
    format!("[Unit]\nRequires=lychd-{name}.service\nConflicts=lychd-animator-{other}.target\n")
}

fn plain_units() -> FileTree {
    let mut units = FileTree::new();
    for (name, other) in [("ember", "frost"), ("frost", "ember")] {
        units.insert_text(format!("lychd-animator-{name}.target").parse().unwrap(), gate(name, other));
    }
    units
}

fn words(name: &str) -> Vec<String> {
    ["podman", "run", "--name", name].map(str::to_owned).into()
}

fn text(name: &str) -> String {
    format!("[Service]\nExecStart={}\n", words(name).join(" "))
}

fn layout() -> Layout {
    Layout {
        home: "/home/lych".into(),
        codex: "/home/lych/.config/lychd".into(),
        crypt: "/home/lych/.local/share/lychd".into(),
        support: "/home/lych/support".into(),
        sites: Vec::new(),
        own: Vec::new(),
        closed: Vec::new(),
    }
}

/// Of a body without units.
pub(super) fn bare_manifest(body: BodyId, images: BTreeMap<Role, EngineId>) -> Manifest {
    Manifest::of(Path::new(SITE), (body, images), &Rendered::default(), &layout())
}

fn rendered() -> Rendered {
    let mut rendered = Rendered { units: plain_units(), front: 7134, ..Rendered::default() };
    for (service, at_boot) in SERVICES {
        let stem = service.trim_end_matches(".service");
        let file = if stem == "lychd-pod" { "lychd.pod".to_owned() } else { format!("{stem}.container") };
        rendered.quadlets.insert_text(file.parse().unwrap(), format!("[Container]\n# {stem}\n"));
        rendered.services.insert(service.to_owned(), Service { at_boot });
    }
    rendered.ports = vec![(7134, 8000)];
    let services = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    rendered.secrets = [
        ("app_key".parse().unwrap(), services(&["lychd-vessel"])),
        ("db_password".parse().unwrap(), services(&["lychd-phylactery", "lychd-vessel"])),
    ]
    .into();
    rendered
}

/// An organism that is well: a pod, a database, an application, and two stones that exclude each other.
fn organism() -> Organism {
    let rendered = rendered();
    let images =
        [(Role::vessel(), Sha256::of("vessel").into()), (Role::database(), Sha256::of("database").into())];
    let body = Sha256::of("body").to_string().parse().unwrap();
    let manifest = Manifest::of(Path::new(SITE), (body, images.into()), &rendered, &layout());
    let loads = SERVICES.map(|(name, _)| (name.to_owned(), fingerprint(&text(name))));
    let manifest = manifest.among(loads.into(), &[]);
    let generation = Generations::of_state(Path::new("/home/lych/state")).next(None, manifest).unwrap();

    let mut site = rendered.quadlets.clone();
    for (path, entry) in rendered.units.iter() {
        site.insert(path.clone(), entry.clone());
    }
    site.insert_text("receipt.json".parse().unwrap(), generation.to_text());
    let mut found = Found::default();
    found.receipt = Some(generation.clone());
    found.site = site;
    found.quadlets = rendered.quadlets.clone();
    found.units = rendered.units.clone();
    let mut units: BTreeMap<String, Seen> = BTreeMap::new();
    for (path, _) in rendered.units.iter() {
        let text = String::from_utf8(rendered.units.file(path).unwrap().to_vec()).unwrap();
        units.insert(path.to_string(), seen("inactive", path.as_str(), text));
    }
    let mut services = BTreeMap::new();
    for (name, at_boot) in SERVICES {
        let stem = name.trim_end_matches(".service");
        let file = if stem == "lychd-pod" { "lychd.pod".to_owned() } else { format!("{stem}.container") };
        units.insert(name.to_owned(), seen(if at_boot { "active" } else { "inactive" }, &file, text(name)));
        let role = if stem == "lychd-phylactery" { "database" } else { "vessel" };
        let container = Container {
            image: Sha256::of(role).into(),
            state: "running".to_owned(),
            health: "healthy".to_owned(),
            created: 2_000,
            command: words(name),
        };
        services.insert(
            name.to_owned(),
            ServiceSight {
                life: if at_boot { Life::Well } else { Life::Resting },
                state: ServiceState::default(),
                since: NOW - 7_300,
                container: (at_boot && stem != "lychd-pod").then_some(container),
                runs: vec![words(name)],
                words: Vec::new(),
            },
        );
    }
    let secret = |id: &str| Secret { id: id.to_owned(), updated: 1_000 };
    Organism {
        is_recorded: true,
        site: SITE.into(),
        found,
        unlinked: [].into(),
        units,
        services,
        pod: Some(words("lychd-pod.service")),
        secrets: [("app_key".to_owned(), secret("a")), ("db_password".to_owned(), secret("b"))].into(),
        lost: Lost::default(),
        missing: [].into(),
        silent: [].into(),
        answers: Some(true),
        staged: BTreeMap::new(),
        unfinished: None,
        lingers: Some(true),
        at: NOW,
        generation,
    }
}

fn seen(active: &str, file: &str, text: String) -> Seen {
    let sub = if active == "active" { "running" } else { "dead" };
    let state = UnitState {
        load: "loaded".to_owned(),
        active: active.to_owned(),
        sub: sub.to_owned(),
        ..UnitState::default()
    };
    Seen { state, real: Some(Path::new(SITE).join(file)), text: Some(text) }
}

/// What is found where this befell it: what, and what mends it.
fn told(befalls: impl FnOnce(&mut Organism)) -> Vec<(String, String)> {
    let mut organism = organism();
    befalls(&mut organism);
    let told = |Finding { about, says, mend, .. }| {
        assert!(!says.is_empty());
        let mend = match mend {
            Mend::Forge(words) => format!("lychd-forge {words}"),
            Mend::Shell(words) => words,
        };
        (about, mend)
    };
    findings(&organism).into_iter().map(told).collect()
}

fn is(found: &[(String, String)], wanted: &[(&str, &str)]) {
    let found: Vec<(&str, &str)> =
        found.iter().map(|(about, mend)| (about.as_str(), mend.as_str())).collect();
    assert_eq!(found, wanted);
}

fn down(organism: &mut Organism, names: &[&str]) {
    for name in names {
        let service = organism.services.get_mut(*name).unwrap();
        (service.life, service.container) = (Life::Down, None);
        "inactive".clone_into(&mut organism.units.get_mut(*name).unwrap().state.active);
    }
}

#[test]
fn an_organism_that_is_well_has_no_findings() {
    is(&told(|_| {}), &[]);
}

#[test]
fn what_is_wanted_and_does_not_run_is_started_together() {
    let start = "systemctl --user start lychd-phylactery.service lychd-pod.service lychd-vessel.service";
    let all = ["lychd-phylactery.service", "lychd-pod.service", "lychd-vessel.service"];
    is(&told(|organism| down(organism, &all)), &all.map(|name| (name, start)));
    // A pod without its application.
    let vessel = ["lychd-vessel.service"];
    is(
        &told(|organism| down(organism, &vessel)),
        &[(vessel[0], "systemctl --user start lychd-vessel.service")],
    );
}

#[test]
fn what_was_written_is_held_against_what_is_there() {
    let vessel = format!("{SITE}/lychd-vessel.container");
    let file = |organism: &mut Organism, text: &str| {
        organism.found.site.insert_text("lychd-vessel.container".parse().unwrap(), text);
    };
    is(&told(|organism| file(organism, "[Container]\n")), &[(&vessel, "lychd-forge bind --body active")]);
    let strange = |organism: &mut Organism| {
        organism.found.site.insert_text("it's.container".parse().unwrap(), "");
    };
    let drop_in = |organism: &mut Organism| {
        organism.found.site.insert_text("lychd-vessel.container.d/mine.conf".parse().unwrap(), "");
    };
    let there = "/home/lych/.config/containers/systemd/lychd-vessel.container.d";
    let from = format!("{SITE}/lychd-vessel.container.d/mine.conf");
    is(&told(drop_in), &[(&from, &format!("mkdir -p {there} && mv {from} {there}/mine.conf"))]);
    let away = format!("rm -r '{SITE}/it'\\''s.container'");
    is(&told(strange), &[(&format!("{SITE}/it's.container"), &away)]);
    let target = "lychd-animator-ember.target";
    let unlink = |organism: &mut Organism| {
        organism.unlinked.insert(target.to_owned());
        organism.units.get_mut(target).unwrap().state.load = "not-found".to_owned();
    };
    is(&told(unlink), &[(target, "lychd-forge bind --body active")]);
    let receipt = format!("cp /home/lych/state/generations/1/generation.json {SITE}/receipt.json");
    is(&told(|organism| organism.is_recorded = false), &[(&format!("{SITE}/receipt.json"), &receipt)]);
}

#[test]
fn what_systemd_has_loaded_is_held_against_what_was_judged() {
    let name = "lychd-vessel.service";
    let other = |organism: &mut Organism| {
        organism.units.get_mut(name).unwrap().text = Some("[Service]\n".to_owned());
    };
    is(&told(other), &[(name, "lychd-forge bind --body active")]);
    let gone = |organism: &mut Organism| {
        organism.units.get_mut(name).unwrap().state.load = "not-found".to_owned();
        organism.services.get_mut(name).unwrap().life = Life::Unknown;
    };
    is(&told(gone), &[(name, "systemctl --user daemon-reload")]);
}

#[test]
fn what_is_masked_or_late_is_told() {
    let name = "lychd-vessel.service";
    let masked = |organism: &mut Organism| {
        organism.units.get_mut(name).unwrap().state.load = "masked".to_owned();
        organism.services.get_mut(name).unwrap().life = Life::Unknown;
    };
    is(&told(masked), &[(name, "systemctl --user unmask lychd-vessel.service")]);
    let late = |name: &'static str, word: &'static str| {
        move |organism: &mut Organism| {
            let service = organism.services.get_mut(name).unwrap();
            (service.life, service.words) = (Life::Moving, vec![word.to_owned()]);
        }
    };
    is(&told(late(name, "soon")), &[(name, "journalctl --user --unit lychd-vessel.service")]);
    let database = "lychd-phylactery.service";
    let refused = late(database, "FATAL:  password authentication failed for user");
    is(&told(refused), &[(database, "lychd-forge secrets rotate db_password")]);
}

#[test]
fn a_secret_that_is_gone_or_newer_than_its_container_is_told() {
    let gone = |organism: &mut Organism| drop(organism.secrets.remove("app_key"));
    is(&told(gone), &[("secret app_key", "lychd-forge secrets set app_key")]);
    let newer = |name: &'static str| {
        move |organism: &mut Organism| organism.secrets.get_mut(name).unwrap().updated = 3_000
    };
    is(&told(newer("app_key")), &[("secret app_key", "systemctl --user restart lychd-vessel.service")]);
    is(&told(newer("db_password")), &[("secret db_password", "lychd-forge secrets rotate db_password")]);
}

#[test]
fn what_podman_lost_and_what_runs_besides_is_told() {
    let keeper = "lychd-generation-1-database".to_owned();
    let lost = |organism: &mut Organism| {
        organism.lost = Lost {
            images: [(Role::database(), Sha256::of("database").into())].into(),
            keepers: [(keeper.clone(), Sha256::of("database").into())].into(),
        };
    };
    let container = format!("container {keeper}");
    is(
        &told(lost),
        &[
            ("image database", "lychd-forge bind --body active"),
            (&container, "lychd-forge bind --body active"),
        ],
    );
    let older = |organism: &mut Organism| {
        let vessel = organism.services.get_mut("lychd-vessel.service").unwrap();
        vessel.runs = vec![words("another")];
    };
    is(&told(older), &[("lychd-vessel.service", "systemctl --user restart lychd-vessel.service")]);
    // podman's generator writes options in another order from time to time.
    let shuffled = |organism: &mut Organism| {
        organism.services.get_mut("lychd-vessel.service").unwrap().runs[0].swap(1, 2);
    };
    is(&told(shuffled), &[]);
    let image = |organism: &mut Organism| {
        let vessel = organism.services.get_mut("lychd-vessel.service").unwrap();
        let named = format!("sha256:{}", Sha256::of("another"));
        vessel.runs[0].push(named.clone());
        vessel.container.as_mut().unwrap().command.push(named);
    };
    is(&told(image), &[("lychd-vessel.service", "systemctl --user restart lychd-vessel.service")]);
    let pod = |organism: &mut Organism| organism.pod = Some(words("another"));
    is(&told(pod), &[("lychd-pod.service", "systemctl --user restart lychd-pod.service")]);
}

#[test]
fn gates_are_believed_no_more_than_their_services() {
    let active = |organism: &mut Organism, unit: &str| {
        organism.units.get_mut(unit).unwrap().state.active = "active".to_owned();
    };
    let gate = "lychd-animator-ember.target";
    let start = "systemctl --user start lychd-ember.service";
    is(&told(|organism| active(organism, gate)), &[(gate, start)]);
    let both = |organism: &mut Organism| {
        for name in ["ember", "frost"] {
            active(organism, &format!("lychd-{name}.service"));
            organism.services.get_mut(&format!("lychd-{name}.service")).unwrap().life = Life::Well;
        }
    };
    is(&told(both), &[("lychd-ember.service", "systemctl --user stop lychd-frost.service")]);
}

#[test]
fn a_port_that_nobody_answers_on_is_told() {
    let pod = "systemctl --user restart lychd-pod.service";
    let silent = |organism: &mut Organism| {
        organism.silent.insert(7134);
        organism.answers = Some(false);
    };
    is(&told(silent), &[("port 7134", pod)]);
    let deaf = |organism: &mut Organism| organism.answers = Some(false);
    is(&told(deaf), &[("port 7134", "systemctl --user restart lychd-vessel.service")]);
}

#[test]
fn what_is_on_its_way_is_told_before_all_else() {
    let cut = |is_rebirth, is_held| {
        move |organism: &mut Organism| {
            organism.unfinished = Some(Unfinished { is_rebirth, generation: 2, is_held });
        }
    };
    is(&told(cut(true, false)), &[("rebirth", "lychd-forge rebirth --recover")]);
    is(&told(cut(false, true)), &[("inscription", "lychd-forge status --watch")]);
}

#[test]
fn upkeep_answers_people_and_machines_from_one_value() {
    let command = |words: &str| format!("lychd-forge {words}");
    let status = |sight: Sight| report::Status::of(&sight, command);
    let mut sick = organism();
    down(&mut sick, &["lychd-vessel.service"]);
    sick.secrets.remove("app_key");
    let frost = sick.services.get_mut("lychd-frost.service").unwrap();
    (frost.life, frost.state.restarts) = (Life::Failed, 3);
    frost.words = vec!["no fire today".to_owned()];
    sick.staged = [(sick.generation.candidate.id(), sick.generation.candidate.clone())].into();
    sick.lingers = Some(false);
    is_told("status", &status(Sight::Inscribed(Box::new(sick))), &[], &[]);
    let nothing = Sight::Nothing { lychds: None, staged: BTreeMap::new(), unfinished: None };
    is_told("status-none", &status(nothing), &[], &[]);

    let check = |what, verdict, says: &str, mend: &[&str]| Check {
        what,
        verdict,
        says: says.to_owned(),
        mend: mend.iter().map(|one| (*one).to_owned()).collect(),
    };
    let doctor = report::Doctor::of(vec![
        check("podman", Verdict::Good, "6.2.0", &[]),
        check("network", Verdict::Lacking, "there is no `pasta`", &["sudo apt-get install passt"]),
    ]);
    assert!(!doctor.fit);
    is_told("doctor", &doctor, &[], &[]);

    let unbound = unbind::Unbound {
        generation: Some(41),
        keepers: ["lychd-generation-41-vessel".to_owned()].into(),
        gives_back: true,
        stays: vec![("the databases", "/home/lych/.local/share/lychd/postgres/data".into())],
        secrets: ["app_key".to_owned()].into(),
    };
    is_told("unbind", &report::Unbound::of(unbound), &["/stays"], &[]);

    let services = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let asked = |is_there, users: &[&str]| Asked { users: services(users), is_there, ..Asked::default() };
    let older = Asked { older: services(&["lychd-vessel"]), ..asked(true, &["lychd-vessel"]) };
    let password = Asked { is_password: true, ..asked(false, &["lychd-phylactery", "lychd-vessel"]) };
    let all = [
        ("app_key".to_owned(), older),
        ("db_password".to_owned(), password),
        ("new_key".to_owned(), Asked { staged: services(&["lychd-ember"]), ..Asked::default() }),
        ("old_key".to_owned(), asked(true, &["lychd-frost"])),
    ];
    let secrets = report::Secrets::of(&all.into());
    assert!(!secrets.complete());
    is_told("secrets", &secrets, &[], &[]);
    let set = Changed {
        name: "app_key".to_owned(),
        users: services(&["lychd-migrate", "lychd-vessel"]),
        older: services(&["lychd-vessel"]),
    };
    is_told("secret", &report::SecretSet::of(set), &[], &[]);
}

#[test]
fn secrets_are_asked_for_by_what_is_inscribed_and_staged() {
    let mut organism = organism();
    organism.secrets.get_mut("app_key").unwrap().updated = 3_000;
    let there = organism.secrets.keys().take(1).cloned().collect();
    let mut staged = organism.generation.candidate.clone();
    staged.secrets.insert("new_key".to_owned(), ["lychd-ember".to_owned()].into());
    organism.staged = [(staged.id(), staged)].into();
    let all = asked(&Sight::Inscribed(Box::new(organism)), &there);
    let told: Vec<_> = all
        .iter()
        .map(|(name, one)| (name.as_str(), one.is_there, one.is_password, one.older.len(), one.staged.len()))
        .collect();
    let want =
        [("app_key", true, false, 1, 0), ("db_password", false, true, 0, 0), ("new_key", false, false, 0, 1)];
    assert_eq!(told, want);
}
