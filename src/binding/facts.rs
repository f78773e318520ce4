//! What of this host decides whether a candidate can live here, read once into a value.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{manifest::Manifest, site::Sites};
use crate::{
    diagnostic::{Diagnostic, Failure, Fault},
    engine::{podman::Podman, systemd::Systemd},
    host::{environment, file, ports},
    image::EngineId,
    runes::{POD_SERVICE, podman::PodmanVersion},
};

/// What is asked of a host before anything of it is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The podman that containers will be started by.
    pub podman: PodmanVersion,
    /// Whether the user's services outlive the last session; `None` where nobody can tell.
    pub lingers: Option<bool>,
    /// The secrets that podman has.
    pub secrets: BTreeSet<String>,
    /// Images that units name by ID and podman lacks.
    pub missing_images: BTreeSet<EngineId>,
    /// Wanted ports that somebody listens on.
    pub taken: BTreeSet<u16>,
    /// Whether a pod of our name runs: where it is ours, or one that is taken over, its ports are taken by itself.
    pub pod_runs: bool,
    /// What of the mounts is not there.
    pub missing_mounts: BTreeSet<PathBuf>,
    /// Bytes that can still be written where units lie, and in the state directory.
    pub space: BTreeMap<PathBuf, u64>,
}

/// The two that a candidate is brought to life by.
#[derive(Clone, Debug)]
pub struct Engines {
    /// Podman.
    pub podman: Podman,
    /// The user's systemd.
    pub systemd: Systemd,
}

impl Engines {
    /// Those of the user who runs this.
    ///
    /// # Errors
    /// Unable when one of them does not answer, or the user is root.
    pub fn of_user() -> Result<Self, Failure> {
        if environment::is_root() {
            return Err(Failure::unable(
                Diagnostic::new("units are inscribed for an ordinary user, and this is root")
                    .of_kind(Fault::Usage)
                    .help("run it as the user whose podman and systemd are to run the organism"),
            ));
        }
        let systemd = Systemd::of_user()?;
        Ok(Self { podman: Podman::on_path()?, systemd })
    }
}

impl Facts {
    /// As far as a candidate asks for it.
    ///
    /// # Errors
    /// Unable when something cannot be told.
    pub fn read(
        manifest: &Manifest,
        sites: &Sites,
        state: &Path,
        engines: &Engines,
    ) -> Result<Self, Failure> {
        let podman = &engines.podman;
        let loaded = manifest.images.values().filter_map(|image| image.strip_prefix("sha256:")?.parse().ok());
        let mut missing_images = BTreeSet::new();
        for image in manifest.body_images.values().cloned().chain(loaded) {
            if !podman.exists(&image)? {
                missing_images.insert(image);
            }
        }
        let mut taken = BTreeSet::new();
        for &port in &manifest.ports {
            let free = ports::is_free(port).map_err(|error| {
                file::unable(&format!("listen on port {port} of"), Path::new("127.0.0.1"), &error)
            })?;
            if !free {
                taken.insert(port);
            }
        }
        let mut missing_mounts = BTreeSet::new();
        for path in manifest.mounts.keys().filter(|path| !path.starts_with(&sites.support)) {
            if file::kind_behind(path)?.is_none() {
                missing_mounts.insert(path.clone());
            }
        }
        let mut space = BTreeMap::new();
        for place in [sites.quadlets.as_path(), state] {
            let there = nearest(place)?;
            let free = file::free_space(&there).map_err(|error| file::unable("look at", &there, &error))?;
            space.insert(there, free);
        }
        Ok(Self {
            podman: podman.version(),
            lingers: Systemd::lingers(environment::uid()),
            secrets: podman.secrets()?.into_keys().collect(),
            missing_images,
            taken,
            pod_runs: engines.systemd.unit(POD_SERVICE)?.is_up(),
            missing_mounts,
            space,
        })
    }
}

/// The path, or the nearest directory above it that exists.
fn nearest(path: &Path) -> Result<PathBuf, Failure> {
    for at in path.ancestors() {
        if file::kind_behind(at)?.is_some() {
            return Ok(at.to_owned());
        }
    }
    Ok(PathBuf::from("/"))
}
