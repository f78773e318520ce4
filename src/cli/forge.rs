//! `forge`: from a Crypt to an image in podman.

use std::{collections::BTreeMap, time::Duration};

use indicatif::HumanBytes;
use serde_json::json;

use super::{
    ForgeArgs, Outcome,
    settings::{Network, Settings, absolute},
    stages,
    ui::Ui,
};
use crate::{
    body::{Bodies, Body, BodyImage, Evidence, ImageEvidence, Images, Listing, Role},
    diagnostic::{Diagnostic, Failure, Source},
    digest::{Sha256, nar::nar_sha256},
    forge::{
        self,
        blame::blame,
        executor::{Executor, Inputs, Outputs, Wanted},
        podman::{Loaded, Podman, Road},
    },
    host::{clock::Stopwatch, environment, file, progress::Progress as _},
    image::{self, Image},
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
    let outputs = if let Some(known) = known_outputs(&listing, &flake_hash, executor.as_ref())? {
        known
    } else {
        times.measure("fetch", || stages::fetch(&work, executor.as_ref(), settings, ui))?;
        ui.stage("build", "the image, in the sandbox");
        times.measure("build", || {
            executor.build(&settings.flake(), ui).map_err(|error| blame(error, &work.synthesis))
        })?
    };
    let store = executor.store();
    let conf_path = store.root().locate(&outputs.conf);
    let conf_text = file::read_text(&conf_path).map_err(|error| file::unable("read", &conf_path, &error))?;
    let conf = image::Conf::parse(&Source::new(outputs.conf.to_string(), conf_text.as_str()))?;
    let image =
        times.measure("digest", || image::prepare(&conf, &store.root(), &settings.layer_cache(), ui))?;
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
    ui.finish();
    report(&body, &image, &work, &times, loaded.as_ref(), ui)?;
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
                .help("`kind = \"nixpkgs\"` under [substrate] in forge.toml chooses the other")
                .into())
        }
    }
}

fn podman() -> Result<Podman, Failure> {
    let program = environment::program("podman").ok_or_else(|| {
        Failure::unable(
            Diagnostic::new("no `podman` on PATH")
                .help("install podman, or build without loading: `lychd-forge forge --no-load`"),
        )
    })?;
    Podman::find(program)
}

/// What a body of the very same flake was made from, when that is still in the store.
fn known_outputs(
    listing: &Listing,
    flake: &Sha256,
    executor: &dyn Executor,
) -> Result<Option<Outputs>, Failure> {
    for record in listing.records.iter().filter(|record| record.body.flake_nar_sha256 == *flake) {
        let vessel = &record.body.images.vessel;
        let outputs = Outputs { store_path: vessel.store_path.clone(), conf: vessel.conf.clone() };
        if executor.missing(&[outputs.store_path.to_string(), outputs.conf.to_string()])?.is_empty() {
            return Ok(Some(outputs));
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
    work: &stages::Work,
    times: &Times,
    loaded: Option<&Loaded>,
    ui: &Ui,
) -> Result<(), Failure> {
    let vessel = &body.images.vessel;
    let total: Duration = times.0.iter().map(|(_, time)| *time).sum();
    if ui.wants_json() {
        let seconds: serde_json::Map<String, serde_json::Value> =
            times.0.iter().map(|(stage, time)| ((*stage).to_owned(), json!(time.as_secs_f64()))).collect();
        return ui.json(&json!({
            "body": body.id(),
            "images": { Role::Vessel.as_str(): {
                "config_digest": vessel.config_digest,
                "engine_id": vessel.engine_id.as_ref().map(ToString::to_string),
                "manifest_digest": vessel.manifest_digest,
            } },
            "image_id": vessel.found_by().to_string(),
            "manifest_digest": format!("sha256:{}", vessel.manifest_digest),
            "reference": vessel.reference.to_string(),
            "backend": body.executor,
            "substrate": body.substrate,
            "synthesis_sha256": body.synthesis_sha256.to_string(),
            "layers": vessel.layers,
            "size": vessel.size,
            "store_path": vessel.store_path.to_string(),
            "loaded": loaded.is_some(),
            "packages": stages::packages_json(&work.synthesis),
            "moved": work.moved,
            "seconds": seconds,
        }));
    }
    stages::print_members(&work.synthesis, ui)?;
    ui.field("layers", &format!("{}, {}", vessel.layers, HumanBytes(image.size())))?;
    ui.field("body", &body.id().to_string())?;
    ui.field("image", &vessel.found_by().reference())?;
    ui.field("synthesis", &format!("sha256:{}", body.synthesis_sha256))?;
    let stages: Vec<String> =
        times.0.iter().map(|(stage, time)| format!("{stage} {:.1}", time.as_secs_f64())).collect();
    ui.field("seconds", &format!("{:.1} ({})", total.as_secs_f64(), stages.join(", ")))?;
    if let Some(loaded) = loaded {
        let road = match &loaded.road {
            Road::Present => "podman had the image".to_owned(),
            Road::Thin { layers, bytes } => format!("{layers} new layers, {}", HumanBytes(*bytes)),
            Road::Full => "all layers".to_owned(),
        };
        ui.field("loaded", &road)?;
        ui.field("tags", &format!("{}, {}", image.reference(), vessel.reference))?;
        ui.field("next", &format!("podman run --rm -p 127.0.0.1:8000:8000 {}", vessel.reference))?;
    } else {
        ui.field("next", &format!("lychd-forge stream {} | podman load", body.id().short(12)))?;
    }
    Ok(())
}
