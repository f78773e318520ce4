//! `forge`: from a Crypt to an image in podman.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use super::{
    ForgeArgs, Outcome,
    settings::{Network, Settings, absolute},
    stages,
    ui::Ui,
};
use crate::{
    diagnostic::{Diagnostic, Failure, Fault, Source},
    digest::{Sha256, nar::nar_sha256},
    forge::{
        blame::blame,
        body::{Bodies, Body},
        nix::Nix,
        podman::{self, Loaded, Podman, Road},
    },
    host::{clock::Stopwatch, environment, progress::Progress as _},
    image::{self, Image},
    report::{self, Contents, Digest, Load, Seconds},
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
    let nix = Nix::find(stages::store(&args.store)?, args.builders.clone())?;
    let podman = if args.no_load { None } else { Some(podman()?) };
    let work = times.measure("synthesize", || stages::synthesize(&args.lock, settings, ui))?;
    let nix = world(nix, args, settings, &work)?;
    let flake = times.measure("transmute", || work.transmute())?;
    let flake_hash = nar_sha256(&flake)
        .map_err(|error| Failure::unable(Diagnostic::new(format!("cannot hash the flake: {error}"))))?;
    times.measure("write", || transmute::write(&settings.flake(), &flake))?;

    let bodies = Bodies::of_state(&settings.state);
    let known = known_body(&bodies, &flake_hash, &nix)?;
    let (store_path, conf_path) = if let Some(body) = known {
        (body.store_path, body.conf)
    } else {
        times.measure("fetch", || stages::fetch(&work, &nix, settings, ui))?;
        ui.stage("build", "the image, in the sandbox");
        times.measure("build", || build(&nix, settings, ui).map_err(|error| blame(error, &work.synthesis)))?
    };
    let conf = nix.read_text(&conf_path)?;
    let conf = image::Conf::parse(&Source::new(conf_path.as_str(), conf))?;
    let image =
        times.measure("digest", || image::prepare(&conf, &nix.store_root(), &settings.layer_cache(), ui))?;
    let mut tools = BTreeMap::from([("nix".to_owned(), nix.version().to_owned())]);
    let loaded = match &podman {
        Some(podman) => {
            tools.insert("podman".to_owned(), podman.version().to_string());
            let scratch = settings.state.join("load");
            Some(times.measure("load", || podman.load(&image, &nix.store_root(), &scratch, ui))?)
        }
        None => None,
    };
    let reference = podman::body_reference(image.reference(), &image.id())?;
    let body = Body {
        image_id: image.id(),
        manifest_digest: image.manifest_digest(),
        reference: reference.to_string(),
        backend: "nix".to_owned(),
        substrate: work.synthesis.substrate.kind().to_owned(),
        synthesis_sha256: work.id,
        flake_nar_sha256: flake_hash,
        layers: image.layers().len(),
        size: image.size(),
        store_path,
        conf: conf_path,
        tools,
    };
    let mut evidence = work.evidence.clone();
    evidence.insert_tree(&stages::name("flake")?, &flake);
    times.measure("record", || {
        bodies.record(&body, &evidence)?;
        nix.keep(&body.store_path, &bodies.root(&body.image_id))
    })?;
    let store = stages::store(&args.store)?;
    ui.report(&report(body, &image, work, times, loaded.as_ref(), store))?;
    Ok(Outcome::Done)
}

/// Nix with what the substrate lets it use.
fn world(nix: Nix, args: &ForgeArgs, settings: &Settings, work: &stages::Work) -> Result<Nix, Failure> {
    let tree = args.nixpkgs.as_deref().map(absolute).transpose()?;
    match (&work.synthesis.substrate, tree) {
        (Substrate::Nixpkgs { nar_hash, .. }, tree) => {
            nix.for_nixpkgs(tree, nar_hash, settings.network == Network::Offline)
        }
        (Substrate::Debian { .. }, None) => Ok(nix),
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
                .of_kind(Fault::Program)
                .help("install podman, or build without loading: `lychd-forge forge --no-load`"),
        )
    })?;
    Podman::find(program)
}

/// A body of the very same flake whose image is still in the store.
fn known_body(bodies: &Bodies, flake: &Sha256, nix: &Nix) -> Result<Option<Body>, Failure> {
    let Some(body) = bodies.list()?.into_iter().find(|body| body.flake_nar_sha256 == *flake) else {
        return Ok(None);
    };
    let missing = nix.missing(&[body.store_path.clone(), body.conf.clone()])?;
    Ok(missing.is_empty().then_some(body))
}

fn build(nix: &Nix, settings: &Settings, ui: &Ui) -> Result<(String, String), Failure> {
    let flake = settings.flake();
    Ok((nix.build(&flake, "lychd-image", ui)?, nix.build(&flake, "lychd-image-conf", ui)?))
}

fn report(
    body: Body,
    image: &Image,
    work: stages::Work,
    times: Times,
    loaded: Option<&Loaded>,
    nix_store: Option<PathBuf>,
) -> report::Forge {
    let load = loaded.map(|loaded| match loaded.road {
        Road::Present => Load::Present,
        Road::Thin { layers, bytes } => Load::Thin { layers, size: bytes },
        Road::Full => Load::Full,
    });
    let tags = loaded.iter().flat_map(|_| [image.reference().to_string(), body.reference.clone()]);
    let run = work.synthesis.image.run_command(&body.reference);
    report::Forge {
        image_id: Digest(body.image_id),
        manifest_digest: Digest(body.manifest_digest),
        tags: tags.collect(),
        reference: body.reference,
        backend: body.backend,
        substrate: body.substrate,
        synthesis_sha256: body.synthesis_sha256,
        layers: body.layers,
        size: body.size,
        store_path: body.store_path,
        nix_store,
        loaded: loaded.is_some(),
        load,
        run,
        contents: Contents::of(&work.synthesis),
        moved: work.moved,
        notes: work.notes,
        seconds: Seconds(times.0),
    }
}
