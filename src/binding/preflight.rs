//! Whether a candidate can live on this host: everything that keeps it from that, told at once and before anything
//! changes.

use std::{collections::BTreeSet, path::PathBuf};

use super::{facts::Facts, generation::Generation, manifest::Manifest};
use crate::{
    diagnostic::{Diagnostic, Failure, Fault, refuse_any},
    image::EngineId,
    runes::{Layout, podman::too_old},
};

/// What an inscription needs at the least, in bytes: units, records and their copies are a few hundred kilobytes.
const SPACE: u64 = 16 << 20;

/// What has to be done before a candidate can live here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chores {
    /// Directories of the Crypt that are to be made.
    pub directories: Vec<PathBuf>,
    /// Images of the body that podman is to get.
    pub images: BTreeSet<EngineId>,
    /// What else a person should know.
    pub notes: Vec<String>,
}

/// Holds a candidate against the facts; `active` is what lies in the site.
///
/// # Errors
/// Refused with everything that is wrong; unable when the disk is full.
pub fn preflight(
    manifest: &Manifest,
    facts: &Facts,
    active: Option<&Generation>,
    layout: &Layout,
) -> Result<Chores, Failure> {
    let mut wrong: Vec<Diagnostic> = too_old(facts.podman).into_iter().collect();
    let mut chores = Chores::default();
    for (secret, services) in &manifest.secrets {
        if !facts.secrets.contains(secret) {
            let services: Vec<&str> = services.iter().map(String::as_str).collect();
            let message = format!("podman has no secret `{secret}`, which {} asks for", services.join(", "));
            wrong.push(Diagnostic::new(message).help(format!(
                "podman secret create {secret} FILE (`-` for what is typed, or comes by a pipe)"
            )));
        }
    }
    for image in &facts.missing_images {
        if manifest.body_images.values().any(|own| own == image) {
            chores.images.insert(image.clone());
            continue;
        }
        let reference = image.reference();
        let by = manifest.images.iter().filter(|(_, named)| **named == reference);
        let services: Vec<&str> = by.map(|(service, _)| service.as_str()).collect();
        let message = format!("podman has no image {reference}, which {} runs", services.join(", "));
        wrong.push(Diagnostic::new(message).help("load it: what has no name is in no registry"));
    }
    let held =
        |port: &u16| facts.pod_runs && active.is_some_and(|active| active.candidate.ports.contains(port));
    for port in facts.taken.iter().filter(|port| !held(port)) {
        let message = format!("port {port} of 127.0.0.1 is taken by another program");
        wrong.push(
            Diagnostic::new(message)
                .note(format!("`ss --listening --tcp --processes 'sport = :{port}'` says by which"))
                .help("end that program, or choose another port in lychd.toml or the rune"),
        );
    }
    for path in &facts.missing_mounts {
        if path.starts_with(&layout.crypt) {
            chores.directories.push(path.clone());
            continue;
        }
        let services = manifest.mounts.get(path).into_iter().flatten().map(String::as_str);
        let services: Vec<&str> = services.collect();
        let message = format!("`{}` is not there, and {} mounts it", path.display(), services.join(", "));
        wrong.push(Diagnostic::new(message).help(format!("mkdir -p {}", path.display())));
    }
    if facts.lingers == Some(false) {
        chores.notes.push(
            "the services end with your last session, and start with the next: `loginctl enable-linger` keeps them"
                .to_owned(),
        );
    }
    refuse_any(wrong)?;
    // Not a fault of what was asked for: the same will do when there is room.
    if let Some((place, free)) = facts.space.iter().find(|(_, free)| **free < SPACE) {
        let message =
            format!("`{}` has {free} bytes left, and an inscription wants {SPACE}", place.display());
        return Err(Failure::unable(Diagnostic::new(message).of_kind(Fault::File).help("make room")));
    }
    Ok(chores)
}
