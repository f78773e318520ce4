//! From the values to the files.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    Layout, MemberRune, POD_SERVICE, RuneRecord, capabilities,
    consent::{self, Asker},
    core,
    coven::{self, ExclusionSubject, Topology},
    coven_target, environment, gate, health,
    images::{ImageUse, Images},
    lychd_differences,
    mounts::{self, MountContext, MountUse, Resolve},
    names,
    podman::PodmanVersion,
    ports::{self, Ports},
    secrets, stem, stone,
    support::Support,
    systemd::SystemdVersion,
    unit::{Container, FailedStart, Pod, Target, Timer, Unit},
};
use crate::{
    codex::{Codex, DatabaseImage},
    diagnostic::{Diagnostic, Failure, Place, refuse_any},
    document::nearest::nearest,
    image::EngineId,
    name::{Role, RuneName, SecretName, image::UnitImage},
    tree::FileTree,
};

/// Everything that units are made of.
#[derive(Clone, Copy)]
pub struct RenderInput<'a> {
    /// The configuration.
    pub codex: &'a Codex,
    /// What the members bring.
    pub federated: &'a RuneRecord,
    /// What podman finds the body's own image by.
    pub body: &'a EngineId,
    /// What it finds the body's further images by.
    pub further: &'a BTreeMap<Role, EngineId>,
    /// Where things lie.
    pub layout: &'a Layout,
    /// Resolves links of a path of the host, as far as it exists.
    pub resolve: Resolve<'a>,
    /// The podman that will read the units.
    pub podman: PodmanVersion,
    /// The systemd that will run them.
    pub systemd: SystemdVersion,
    /// The ports of the last inscription, by stone.
    pub ports: &'a BTreeMap<RuneName, u16>,
}

/// The files, and what a person should know of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// `.pod` and `.container` files.
    pub quadlets: FileTree,
    /// Plain systemd units.
    pub units: FileTree,
    /// Files that containers read, as they lie in [`Layout::support`].
    pub support: FileTree,
    /// The services that podman's generator makes of the Quadlet files, by their units' names.
    pub services: BTreeMap<String, Service>,
    /// Images besides the body.
    pub images: Vec<ImageUse>,
    /// What containers see of the host.
    pub mounts: Vec<MountUse>,
    /// What runs beyond the hardened default.
    pub grants: Vec<Granted>,
    /// The secrets that podman must have, with the services that get them.
    pub secrets: BTreeMap<SecretName, BTreeSet<String>>,
    /// What the host publishes on its loopback: (host, pod).
    pub ports: Vec<(u16, u16)>,
    /// The port of the host's loopback behind which the application answers.
    pub front: u16,
    /// What else a person should know.
    pub notes: Vec<String>,
}

impl Rendered {
    /// The names of the units that podman's generator makes of the Quadlet files.
    #[must_use]
    pub fn generated(&self) -> BTreeSet<String> {
        self.services.keys().cloned().collect()
    }
}

/// What an inscription must know of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Whether it starts at boot, or with the body's activation.
    pub at_boot: bool,
}

/// Something that a service may do beyond the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The service without suffix.
    pub service: String,
    /// What it may do.
    pub what: String,
}

/// Renders the whole set.
///
/// # Errors
/// Refused with everything that keeps the Codex and the members from being one organism; unable when `resolve` is.
pub fn render(input: &RenderInput<'_>) -> Result<Rendered, Failure> {
    let RenderInput { codex, federated, layout, resolve, podman, systemd, .. } = *input;
    if let Some(too_old) = super::podman::too_old(podman) {
        return Err(too_old.into());
    }
    let mut errors = Vec::new();
    errors.extend(names::collisions(codex, &federated.runes));
    secrets::check(codex, &mut errors);
    let web = &federated.web;
    let ports = ports::assign(codex, web, &federated.runes, input.ports, &mut errors);
    let topology = topology(codex, &federated.runes, &mut errors);
    let mut images = Images::new(codex, input.further);

    let reactor = mounts::reactor(codex, layout);
    // The same roots are asked of each mount: a path is looked at once, and is the same for all.
    let known = RefCell::new(BTreeMap::new());
    let resolve = |path: &Path| -> Result<PathBuf, Failure> {
        if let Some(found) = known.borrow().get(path) {
            return Ok(PathBuf::clone(found));
        }
        let found = resolve(path)?;
        known.borrow_mut().insert(path.to_owned(), found.clone());
        Ok(found)
    };
    let context = MountContext { layout, resolve: &resolve, reactor: &reactor, asker: None };
    let registry = capabilities::document(codex, &federated.runes, &topology, &ports);
    let support = Support::of(registry, environment::program(codex));
    let mut containers = core_containers(input, context, &support, &mut images, &mut errors)?;
    containers.extend(rune_containers(input, context, (&ports, &topology), &mut images, &mut errors)?);
    let Images { uses: images, errors: floating, .. } = images;
    errors.extend(floating);
    let asked = health::ask(codex, federated, input.further, &mut containers, &mut errors);
    errors.extend(consent::shared(&federated.runes));
    let (granted, idle) = granted_mounts(input, &containers)?;
    let mut grants = grant(codex, &mut containers, &mut errors);
    grants.extend(granted);
    mounts::check_reactor(codex, context, &mut errors)?;
    errors.extend(mounts::check_below(&containers, |one, path| {
        written(input, &one.name).or_else(|| sphere_of(codex, path)).cloned()
    }));
    for container in &containers {
        mounts::check_places(container, layout, written(input, &container.name), &mut errors);
    }
    federated.trace(&mut errors);
    refuse_any(errors)?;

    let memory = codex.runes.soulstones.iter().map(|rune| rune.shared_memory).sum();
    let pod = Pod {
        description: "LychD: the pod of all its services".to_owned(),
        wants: containers
            .iter()
            .filter(|one| one.at_boot)
            .map(|one| format!("{}.service", one.name))
            .collect(),
        ports: ports.published.clone(),
        shared_memory: (memory > 0).then_some(memory),
    };
    let mut files = Files::default();
    files.quadlet(super::POD_FILE, &pod.to_unit(podman))?;
    for container in &containers {
        files.quadlet(&format!("{}.container", container.name), &container.to_unit(systemd))?;
        if container.failed_start == FailedStart::TriedAgain {
            files.plain(&format!("{}.timer", container.name), &again(container).to_unit())?;
        }
    }
    for (name, target) in targets(codex, &federated.runes, &topology) {
        files.plain(&name, &target.to_unit())?;
    }

    let mut wanted: BTreeMap<SecretName, BTreeSet<String>> = BTreeMap::new();
    for container in &containers {
        for secret in &container.secrets {
            wanted.entry(secret.name.clone()).or_default().insert(container.name.clone());
        }
    }
    let notes = notes(input, &ports, [asked, idle].concat());
    Ok(Rendered {
        services: services(&containers),
        notes,
        quadlets: files.quadlets,
        units: files.units,
        support: support.tree()?,
        images,
        mounts: MountUse::all(&containers),
        grants,
        secrets: wanted,
        ports: ports.published,
        front: codex.ports.web.port,
    })
}

/// What a person should know besides; `told` came of the containers.
fn notes(input: &RenderInput<'_>, ports: &Ports, told: Vec<String>) -> Vec<String> {
    let RenderInput { codex, body, systemd, .. } = *input;
    let mut notes = lychd_differences::notes(codex);
    notes.extend(systemd.lack());
    notes.extend(told);
    notes.extend(ports.uncounted.iter().map(|(name, ours, other)| {
        format!(
            "Soulstone `{name}` keeps port {ours}; LychD would count {other} for it: write `port = {ours}` into the rune"
        )
    }));
    let image = &codex.lychd.web.image;
    if image.place.is_some() && image.value.id().map(EngineId::from).as_ref() != Some(body) {
        notes.push(format!(
            "`server.web.image` names `{}`; the Vessel runs the body all the same",
            image.value
        ));
    }
    if input.further.contains_key(&Role::database())
        && codex.lychd.database.image.value != DatabaseImage::Forged
    {
        notes.push(format!(
            "the body has an image `database`, and the Phylactery runs `{}`: `image = \"forged\"` in [server.database] \
             of lychd.toml takes the body's",
            codex.lychd.database.image.value
        ));
    }
    notes.extend(core::without_reactor(codex));
    notes
}

/// What starts a service again whose start something else kept from it.
fn again(container: &Container) -> Timer {
    Timer {
        description: format!("Starts {} again, which something it needs kept down", container.name),
        seconds: 60,
        part_of: core::pod(),
    }
}

/// The pod's service and one for each container.
fn services(containers: &[Container]) -> BTreeMap<String, Service> {
    let pod = (POD_SERVICE.to_owned(), Service { at_boot: true });
    let of = |one: &Container| (format!("{}.service", one.name), Service { at_boot: one.at_boot });
    containers.iter().map(of).chain([pod]).collect()
}

/// Where the rune of a container is written, or what is granted to it.
fn written<'a>(input: &RenderInput<'a>, container: &str) -> Option<&'a Place> {
    let name = container.strip_prefix(super::PREFIX).unwrap_or_default();
    let RenderInput { codex, federated, .. } = *input;
    let stones = codex.runes.soulstones.iter().map(|stone| &stone.name);
    let members = federated.runes.iter().map(|rune| &rune.definition.name);
    let grants = codex.grants.iter().find(|(rune, _)| rune.as_str() == name).map(|(_, own)| &own.place);
    stones.chain(members).find(|rune| rune.value.as_str() == name).map(|rune| &rune.place).or(grants)
}

/// Where a sphere of the Vessel is written.
fn sphere_of<'a>(codex: &'a Codex, path: &Path) -> Option<&'a Place> {
    let mut all = codex.spheres.outlands.iter().chain(&codex.spheres.library);
    all.find(|sphere| Path::new(&sphere.path.value.to_string()) == path).map(|sphere| &sphere.place)
}

/// LychD's own containers.
fn core_containers(
    input: &RenderInput<'_>,
    context: MountContext<'_>,
    support: &Support,
    images: &mut Images<'_>,
    errors: &mut Vec<Diagnostic>,
) -> Result<Vec<Container>, Failure> {
    let RenderInput { codex, body, layout, .. } = *input;
    let migrate = &input.federated.migrate;
    let mut containers = vec![core::vessel(codex, body, input.federated, context, support, errors)?];
    if !migrate.is_empty() {
        containers.push(core::migration(codex, body, input.federated, layout, support, errors));
    }
    let database = &codex.lychd.database.image;
    let source = match &database.value {
        DatabaseImage::Named(image) => images.source("phylactery", image, database.place.as_ref()),
        DatabaseImage::Forged => images.forged(&Role::database(), database.place.as_ref()),
    };
    containers.extend(source.map(|source| core::phylactery(codex, source, layout, support, errors)));
    if let Some(rune) = &codex.runes.phoenix {
        let source = images.source(rune.name.value.as_str(), &rune.image.value, Some(&rune.image.place));
        containers.extend(source.map(|source| core::phoenix(codex, rune, source)));
    }
    Ok(containers)
}

/// Those of Soulstones, then those of the members' runes.
fn rune_containers(
    input: &RenderInput<'_>,
    context: MountContext<'_>,
    (ports, topology): (&Ports, &Topology),
    images: &mut Images<'_>,
    errors: &mut Vec<Diagnostic>,
) -> Result<Vec<Container>, Failure> {
    let RenderInput { codex, federated, .. } = *input;
    let mut containers = Vec::new();
    for rune in &codex.runes.soulstones {
        let name = &rune.name.value;
        let image = images.source(name.as_str(), &rune.image.value, Some(&rune.image.place));
        let Some(source) = image else { continue };
        let port = ports.stones.get(name).copied().unwrap_or_default();
        let context = MountContext { asker: Some(Asker::new(name, None, codex)), ..context };
        let mut container = stone::soulstone(rune, source, port, context, errors)?;
        container.labels.insert("lychd.capabilities", capabilities::stone_label(rune));
        covens(&mut container, topology, name);
        containers.push(container);
    }
    for rune in &federated.runes {
        let definition = &rune.definition;
        let name = &definition.name.value;
        let image = UnitImage::Named(definition.image.value.clone());
        let Some(source) = images.source(name.as_str(), &image, Some(&definition.image.place)) else {
            continue;
        };
        let context = MountContext { asker: Some(Asker::new(name, Some(&rune.member), codex)), ..context };
        let mut container = stone::member(rune, source, context, errors)?;
        let words: Vec<&str> = definition.capabilities.iter().map(RuneName::as_str).collect();
        if !words.is_empty() {
            container.labels.insert("lychd.capabilities", words.join(","));
        }
        covens(&mut container, topology, name);
        containers.push(container);
    }
    Ok(containers)
}

fn topology(codex: &Codex, members: &[MemberRune], errors: &mut Vec<Diagnostic>) -> Topology {
    let stones = codex.runes.soulstones.iter().map(|stone| ExclusionSubject {
        name: &stone.name.value,
        groups: &stone.groups,
        concurrency: Some(&stone.concurrency),
        at_boot: stone.concurrency.persistent_resident,
        place: stone.concurrency.place.as_ref().unwrap_or(&stone.name.place),
    });
    let brought = members.iter().map(|rune| ExclusionSubject {
        name: &rune.definition.name.value,
        groups: &rune.definition.groups,
        concurrency: None,
        at_boot: rune.definition.groups.is_empty(),
        place: &rune.definition.place,
    });
    let subjects: Vec<ExclusionSubject<'_>> = stones.chain(brought).collect();
    coven::topology(&subjects, errors)
}

fn covens(container: &mut Container, topology: &Topology, name: &RuneName) {
    let own: Vec<&str> = topology
        .covens
        .iter()
        .filter(|(_, members)| members.contains(name))
        .map(|(coven, _)| coven.as_str())
        .collect();
    if !own.is_empty() {
        container.labels.insert("lychd.covens", own.join(","));
    }
}

/// The gates of all that is switched, and the Covens.
fn targets(codex: &Codex, members: &[MemberRune], topology: &Topology) -> BTreeMap<String, Target> {
    let stones = codex.runes.soulstones.iter().map(|stone| &stone.name.value);
    let brought = members.iter().filter(|rune| !rune.definition.groups.is_empty());
    let mut all = BTreeMap::new();
    for name in stones.chain(brought.map(|rune| &rune.definition.name.value)) {
        let service = format!("{}.service", stem(name));
        let predecessors: BTreeSet<String> = topology.predecessors(name).map(gate).collect();
        let covens = topology.covens.iter().filter(|(_, all)| all.contains(name));
        let target = Target {
            description: format!("LychD gate: {name}"),
            part_of: std::iter::once(core::pod())
                .chain(covens.map(|(coven, _)| coven_target(coven)))
                .collect(),
            requires: BTreeSet::from([service.clone()]),
            before: BTreeSet::from([service]),
            after: predecessors.clone(),
            conflicts: predecessors,
            ..Target::default()
        };
        all.insert(gate(name), target);
    }
    for (coven, members) in &topology.covens {
        let gates: BTreeSet<String> = members.iter().map(gate).collect();
        let target = Target {
            description: format!("LychD Coven: {coven}"),
            part_of: BTreeSet::from([core::pod()]),
            wants: gates.clone(),
            after: gates,
            ..Target::default()
        };
        all.insert(coven_target(coven), target);
    }
    all
}

/// Adds what the operator grants, and lists all that goes beyond the default.
fn grant(codex: &Codex, containers: &mut [Container], errors: &mut Vec<Diagnostic>) -> Vec<Granted> {
    let name =
        |container: &Container| container.name.strip_prefix(super::PREFIX).unwrap_or_default().to_owned();
    for (rune, grants) in &codex.grants {
        if let Some(container) = containers.iter_mut().find(|one| name(one) == rune.as_str()) {
            container.grants = container.grants.and(&grants.value.beyond);
            continue;
        }
        let names: Vec<String> = containers.iter().map(name).collect();
        let message = format!("[grants.{rune}] is for no service of this body");
        let wrong = Diagnostic::new(message).at(grants.place.clone(), "");
        errors.push(match nearest(rune.as_str(), names.iter().map(String::as_str)) {
            Some(near) => wrong.help(format!("did you mean `{near}`?")),
            None => wrong.help(format!("its services: {}", names.join(", "))),
        });
    }
    let lines = |container: &Container| {
        let service = container.name.clone();
        container.grants.lines().into_iter().map(move |what| Granted { service: service.clone(), what })
    };
    containers.iter().flat_map(lines).collect()
}

/// What of the host the operator granted, and notes on grants that no mount asks for.
fn granted_mounts(
    input: &RenderInput<'_>,
    containers: &[Container],
) -> Result<(Vec<Granted>, Vec<String>), Failure> {
    let RenderInput { codex, layout, resolve, .. } = *input;
    let (mut all, mut idle) = (Vec::new(), Vec::new());
    for (name, grants) in codex.grants.iter().filter(|(_, grants)| !grants.value.mounts.is_empty()) {
        let service = stem(name);
        let volumes = containers.iter().find(|one| one.name == service).map_or(&[][..], |one| &one.volumes);
        let granted = consent::granted(Asker::new(name, None, codex), volumes, &layout.home, resolve)?;
        for mount in &grants.value.mounts {
            if !granted.iter().any(|(_, grant)| grant.place == mount.place) {
                idle.push(format!("no mount of `{name}` asks for `{}` of [grants.{name}]", mount.value));
            }
        }
        all.extend(granted.into_iter().map(|(what, _)| Granted { service: service.clone(), what }));
    }
    Ok((all, idle))
}

/// The trees on their way.
#[derive(Default)]
struct Files {
    quadlets: FileTree,
    units: FileTree,
}

impl Files {
    fn quadlet(&mut self, name: &str, unit: &Unit) -> Result<(), Failure> {
        put(&mut self.quadlets, name, &text(name, unit)?)
    }

    fn plain(&mut self, name: &str, unit: &Unit) -> Result<(), Failure> {
        put(&mut self.units, name, &text(name, unit)?)
    }
}

fn text(name: &str, unit: &Unit) -> Result<String, Failure> {
    unit.to_text().map_err(|error| Diagnostic::new(format!("`{name}` cannot be written: {error}")).into())
}

fn put(tree: &mut FileTree, name: &str, text: &str) -> Result<(), Failure> {
    let path = name.parse().map_err(|error| Failure::from(Diagnostic::new(format!("{error}"))))?;
    tree.insert_text(path, text);
    Ok(())
}
