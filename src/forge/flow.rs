//! The whole way: a Crypt becomes a body that is recorded, and loaded where podman is given.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use super::{
    built::{Built, remember_engine},
    executor::{Executor, Inputs},
    preflight,
    prepare::{Preparation, prepare},
    prepared::Prepared,
    programs,
    requesters::with_requesters,
};
use crate::{
    body::{Bodies, Body, Evidence, Images},
    diagnostic::{Diagnostic, Failure, Fault},
    digest::nar::nar_sha256,
    engine::podman::{Loaded, Podman},
    host::{clock::Stopwatch, directories::Directories, progress::Progress},
    image::Reference,
    lock::Change,
    supply::outside::Network,
    synthesis::{Synthesis, value::Substrate},
    transmute,
    tree::FileTree,
};

/// What a body is forged of, and with.
pub struct Forging {
    /// The Synthesis.
    pub preparation: Preparation,
    /// A tree of nixpkgs to use instead of fetching it.
    pub nixpkgs: Option<PathBuf>,
    /// What builds.
    pub executor: Box<dyn Executor>,
    /// What the image is loaded into; `None`: nothing.
    pub podman: Option<Podman>,
}

/// A body that was forged.
#[derive(Debug)]
pub struct Forged {
    /// The body as it is recorded.
    pub body: Body,
    /// The tags of its images that move to the newest body.
    pub moving: Images<Reference>,
    /// How podman got them.
    pub loaded: Option<Images<Loaded>>,
    /// What it is made of.
    pub synthesis: Synthesis,
    /// What moved in the locks.
    pub moved: Vec<Change>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Time by stage, in the order they ran; a stage that was not needed is missing.
    pub times: Vec<(&'static str, Duration)>,
}

/// Time by stage.
#[derive(Default)]
struct Times(Vec<(&'static str, Duration)>);

impl Times {
    fn measure<T>(
        &mut self,
        stage: &'static str,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let watch = Stopwatch::start();
        let done = work()?;
        self.0.push((stage, watch.elapsed()));
        Ok(done)
    }
}

/// Synthesizes, transmutes, fetches, builds, loads and records. A flake that was built before is not built again.
///
/// # Errors
/// Refused as [`prepare`], when the build ran and failed, or podman holds another image than was built; unable when a
/// program, the store, the network or a file cannot be used.
pub fn forge(forging: Forging, progress: &dyn Progress) -> Result<Forged, Failure> {
    let Forging { preparation, nixpkgs, executor, podman } = forging;
    let directories = &preparation.directories;
    let mut times = Times::default();
    let prepared = times.measure("synthesize", || prepare(&preparation, progress))?;
    let executor = executor.with_inputs(inputs(&prepared.synthesis, nixpkgs, preparation.network)?)?;
    let flake = times.measure("transmute", || prepared.transmute())?;
    let flake_hash = nar_sha256(&flake)
        .map_err(|error| Failure::unable(Diagnostic::new(format!("cannot hash the flake: {error}"))))?;
    times.measure("write", || transmute::write(&directories.flake(), &flake))?;

    let bodies = Bodies::of_state(&directories.state);
    let listing = bodies.list()?;
    listing.note_unreadable(progress);
    let (store, layers) = (executor.store(), directories.layers());
    let wanted = names(&prepared.synthesis);
    let known = Built::known(&listing, &flake_hash, &wanted, executor.as_ref(), &layers, progress)?;
    let built = if let Some(known) = known {
        known
    } else {
        // A build takes minutes, and this a tenth of a second.
        podman.as_ref().map_or(Ok(()), Podman::can_load)?;
        build(&prepared, executor.as_ref(), directories, &mut times, progress)?
    };
    let told = notes(&built);
    for note in &told {
        progress.note(note);
    }
    let evidence = evidence(&prepared, flake, &built);
    let mut body = Body {
        images: built.map(Built::record),
        federation: evidence.federation_sha256(),
        executor: executor.kind(),
        substrate: (&prepared.synthesis.substrate).into(),
        store: Some(store.clone()),
        synthesis_sha256: prepared.id,
        flake_nar_sha256: flake_hash,
        tools: BTreeMap::from([(executor.kind().as_str().to_owned(), executor.version().to_owned())]),
    };
    remember_engine(&mut body, &listing);
    let loaded = match &podman {
        Some(podman) => {
            let scratch = directories.state.join("load");
            let loaded = times.measure("load", || {
                built.try_map(|role, built| {
                    let known = body.images.of(role).and_then(|image| image.engine_id.as_ref());
                    podman.load(&built.image, known, &store.root(), &scratch, progress)
                })
            })?;
            for (role, image) in body.images.iter_mut() {
                image.engine_id = loaded.of(&role).map(|loaded| loaded.engine_id.clone());
            }
            body.tools.insert("podman".to_owned(), podman.version().to_string());
            Some(loaded)
        }
        None => None,
    };
    times.measure("record", || {
        bodies.record(&body, &evidence)?;
        for (role, built) in built.iter() {
            executor.keep(&built.outputs, &bodies.root(&body.id(), &role))?;
        }
        bodies.replace_unversioned(&body)
    })?;
    let Prepared { synthesis, moved, mut notes, .. } = prepared;
    notes.extend(told);
    let moving = built.map(|built| built.image.reference().clone());
    Ok(Forged { body, moving, loaded, synthesis, moved, notes, times: times.0 })
}

fn build(
    prepared: &Prepared,
    executor: &dyn Executor,
    directories: &Directories,
    times: &mut Times,
    progress: &dyn Progress,
) -> Result<Images<Built>, Failure> {
    preflight::check(&prepared.synthesis, executor)?;
    programs::check_module(prepared)?;
    times.measure("fetch", || prepared.fetch(executor, progress))?;
    programs::check(prepared, &executor.store().root(), progress)?;
    let further = prepared.synthesis.images.keys();
    let wanted = Images { vessel: (), further: further.map(|role| (role.clone(), ())).collect() };
    progress.stage(
        "build",
        if wanted.further.is_empty() { "the image, in the sandbox" } else { "the images, in the sandbox" },
    );
    let outputs = times.measure("build", || {
        executor.build(&directories.flake(), &wanted, progress).map_err(|not_built| {
            let remedies = prepared.remedies(&not_built.missing, progress);
            with_requesters(not_built, &prepared.synthesis, &remedies)
        })
    })?;
    times.measure("digest", || {
        outputs.try_map(|_, outputs| {
            Built::read(outputs.clone(), &executor.store(), &directories.layers(), progress)
        })
    })
}

/// The repositories of the images.
fn names(synthesis: &Synthesis) -> Images<String> {
    let further = synthesis.images.iter().map(|(role, image)| (role.clone(), image.name.clone()));
    Images { vessel: synthesis.image.name.clone(), further: further.collect() }
}

/// What the builders of the images noted; what is said of several is said once.
fn notes(built: &Images<Built>) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for note in built.iter().flat_map(|(_, built)| built.image.notes()) {
        if !told.contains(note) {
            told.push(note.clone());
        }
    }
    told
}

fn evidence(prepared: &Prepared, flake: FileTree, built: &Images<Built>) -> Evidence {
    let images = built.iter().map(|(role, built)| (role, built.evidence())).collect();
    Evidence { flake, images, ..prepared.evidence.clone() }
}

/// What the substrate lets the build take part of.
fn inputs(synthesis: &Synthesis, nixpkgs: Option<PathBuf>, network: Network) -> Result<Inputs, Failure> {
    match (&synthesis.substrate, nixpkgs) {
        (Substrate::Nixpkgs { nar_hash, .. }, tree) => {
            Ok(Inputs::Nixpkgs { tree, pinned: *nar_hash, offline: network == Network::Offline })
        }
        (Substrate::Debian { .. }, None) => Ok(Inputs::Closed),
        (Substrate::Debian { .. }, Some(_)) => {
            Err(Diagnostic::new("`--nixpkgs` has no meaning for a body on the embedded substrate")
                .of_kind(Fault::Usage)
                .help("`kind = \"nixpkgs\"` under [substrate] in forge.toml chooses the other")
                .into())
        }
    }
}
