//! `forge`: from a Crypt to an image in podman.

use std::{collections::BTreeMap, path::Path, time::Duration};

use super::{
    ForgeArgs, Outcome,
    settings::{Network, Settings, absolute},
    stages,
    ui::Ui,
};
use crate::{
    body::{Bodies, Body, BodyImage, Evidence, ImageEvidence, Images, Listing, Role, Store},
    diagnostic::{Diagnostic, Failure, Fault, Source},
    digest::{Sha256, nar::nar_sha256},
    engine::podman::{Loaded, Podman, Road},
    forge::{
        self,
        executor::{Executor, Inputs, Outputs, Wanted},
        requesters::with_requesters,
    },
    host::{clock::Stopwatch, environment, file, progress::Progress as _},
    image::{self, Image},
    report::{self, Contents, Load, Seconds},
    synthesis::value::Substrate,
    transmute,
};

/// Seconds by stage, in the order they ran.
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

pub(super) fn run(args: &ForgeArgs, settings: &Settings, ui: &Ui) -> Result<Outcome, Failure> {
    let mut times = Times::default();
    let wanted = Wanted { store: stages::store(&args.store)?, builders: args.builders.clone() };
    let executor = forge::executor(&wanted)?;
    let podman = if args.no_load { None } else { Some(podman()?) };
    let work = times.measure("synthesize", || stages::synthesize(&args.lock, settings, ui))?;
    let executor = executor.with_inputs(inputs(args, settings, &work)?)?;
    let flake = times.measure("transmute", || work.transmute())?;
    let flake_hash = nar_sha256(&flake)
        .map_err(|error| Failure::unable(Diagnostic::new(format!("cannot hash the flake: {error}"))))?;
    times.measure("write", || transmute::write(&settings.flake(), &flake))?;

    let bodies = Bodies::of_state(&settings.state);
    let listing = stages::recorded(&bodies, ui)?;
    let store = executor.store();
    let layers = settings.layer_cache();
    let mut ready = known_image(&listing, &flake_hash, executor.as_ref(), &layers, ui)?;
    if ready.is_none() {
        times.measure("fetch", || stages::fetch(&work, executor.as_ref(), settings, ui))?;
        ui.stage("build", "the image, in the sandbox");
        let outputs = times.measure("build", || {
            executor.build(&settings.flake(), ui).map_err(|error| with_requesters(error, &work.synthesis))
        })?;
        ready = Some(times.measure("digest", || Ready::of(outputs, &store, &layers, ui))?);
    }
    let Some(Ready { outputs, conf: conf_text, image }) = ready else {
        return Err(Failure::unable(Diagnostic::new("nothing was built")));
    };
    let evidence = Evidence {
        flake,
        images: vec![(
            Role::Vessel,
            ImageEvidence {
                config: image.config().to_owned(),
                manifest: image.manifest().to_owned(),
                conf: conf_text,
            },
        )],
        ..work.evidence.clone()
    };
    let mut body = Body {
        images: Images {
            vessel: BodyImage {
                config_digest: image.config_digest(),
                manifest_digest: image.manifest_digest(),
                engine_id: None,
                reference: image.own_reference(),
                layers: image.layers().len(),
                size: image.size(),
                store_path: outputs.store_path.clone(),
                conf: outputs.conf.clone(),
            },
        },
        federation: evidence.federation_sha256(),
        executor: executor.kind(),
        substrate: (&work.synthesis.substrate).into(),
        store: Some(store.clone()),
        synthesis_sha256: work.id,
        flake_nar_sha256: flake_hash,
        tools: BTreeMap::from([(executor.kind().as_str().to_owned(), executor.version().to_owned())]),
    };
    remember_engine(&mut body, &listing);
    let loaded = match &podman {
        Some(podman) => {
            let scratch = settings.state.join("load");
            let known = body.images.vessel.engine_id.clone();
            let loaded =
                times.measure("load", || podman.load(&image, known.as_ref(), &store.root(), &scratch, ui))?;
            body.images.vessel.engine_id = Some(loaded.engine_id.clone());
            body.tools.insert("podman".to_owned(), podman.version().to_string());
            Some(loaded)
        }
        None => None,
    };
    times.measure("record", || {
        bodies.record(&body, &evidence)?;
        executor.keep(&outputs, &bodies.root(&body.id()))?;
        bodies.replace_unversioned(&body)
    })?;
    let stream = settings.command(&format!("stream {} | podman load", body.id().short(12)));
    ui.report(&report(&body, &image, work, times, loaded.as_ref(), stream))?;
    Ok(Outcome::Done)
}

/// What the substrate lets the build take part of.
fn inputs(args: &ForgeArgs, settings: &Settings, work: &stages::Work) -> Result<Inputs, Failure> {
    let tree = args.nixpkgs.as_deref().map(absolute).transpose()?;
    match (&work.synthesis.substrate, tree) {
        (Substrate::Nixpkgs { nar_hash, .. }, tree) => {
            Ok(Inputs::Nixpkgs { tree, pinned: *nar_hash, offline: settings.network == Network::Offline })
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

fn podman() -> Result<Podman, Failure> {
    let program = environment::program("podman").ok_or_else(|| {
        Failure::unable(
            Diagnostic::new("no `podman` on PATH")
                .of_kind(Fault::Program)
                .help("install podman, or build without loading: `lychd-forge forge --no-load`"),
        )
    })?;
    Podman::find(program)
}

/// An image of which everything but the layers' bytes is known.
struct Ready {
    outputs: Outputs,
    /// What it is made of, as text.
    conf: String,
    image: Image,
}

impl Ready {
    fn of(outputs: Outputs, store: &Store, layers: &Path, ui: &Ui) -> Result<Self, Failure> {
        let path = store.root().locate(&outputs.conf);
        let conf = file::read_text(&path).map_err(|error| file::unable("read", &path, &error))?;
        let parsed = image::Conf::parse(&Source::new(outputs.conf.to_string(), conf.as_str()))?;
        let image = image::prepare(&parsed, &store.root(), layers, ui)?;
        Ok(Self { outputs, conf, image })
    }
}

/// The image of a body of the very same flake, when it is still in the store. A record may have been changed: what it
/// names counts when it gives the image that is recorded.
fn known_image(
    listing: &Listing,
    flake: &Sha256,
    executor: &dyn Executor,
    layers: &Path,
    ui: &Ui,
) -> Result<Option<Ready>, Failure> {
    for record in listing.records.iter().filter(|record| record.body.flake_nar_sha256 == *flake) {
        let vessel = &record.body.images.vessel;
        let outputs = Outputs { store_path: vessel.store_path.clone(), conf: vessel.conf.clone() };
        if executor.holds(&outputs)? {
            match Ready::of(outputs, &executor.store(), layers, ui) {
                Ok(ready) if ready.image.config_digest() == vessel.config_digest => return Ok(Some(ready)),
                _ => ui.note(&format!(
                    "the record of the body {} is not right: it is built again",
                    record.body.id().short(12)
                )),
            }
        }
    }
    Ok(None)
}

/// What podman called the same image, and which podman that was, holds until one answers otherwise.
fn remember_engine(body: &mut Body, listing: &Listing) {
    let image = body.images.vessel.config_digest;
    let known =
        listing.records.iter().map(|record| &record.body).find(|known| {
            known.images.vessel.config_digest == image && known.images.vessel.engine_id.is_some()
        });
    if let Some(known) = known {
        body.images.vessel.engine_id.clone_from(&known.images.vessel.engine_id);
        body.tools.extend(known.tools.get("podman").map(|version| ("podman".to_owned(), version.clone())));
    }
}

fn report(
    body: &Body,
    image: &Image,
    work: stages::Work,
    times: Times,
    loaded: Option<&Loaded>,
    stream: String,
) -> report::Forge {
    let load = loaded.map(|loaded| match loaded.road {
        Road::Present => Load::Present,
        Road::Thin { layers, bytes } => Load::Thin { layers, size: bytes },
        Road::Full => Load::Full,
    });
    let reference = &body.images.vessel.reference;
    let tags = loaded.iter().flat_map(|_| [image.reference().to_string(), reference.to_string()]);
    report::Forge {
        body: report::Body::of(body),
        tags: tags.collect(),
        loaded: loaded.is_some(),
        load,
        run: work.synthesis.image.run_command(&reference.to_string()),
        stream,
        contents: Contents::of(&work.synthesis),
        moved: work.moved,
        notes: work.notes,
        seconds: Seconds(times.0),
    }
}
