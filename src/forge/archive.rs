//! The image archive of a recorded body, made of its record and the store that holds its layers: no executor is needed.

use std::{io::Write, path::Path};

use crate::{
    body::{Record, Store},
    diagnostic::{Diagnostic, Failure, Source},
    engine::podman::Podman,
    host::{file, progress::Progress},
    image::{self, EngineId, Image, StoreRoot},
    name::Role,
};

/// An archive that is ready to be written.
#[derive(Debug)]
pub struct Archive {
    image: Image,
    root: StoreRoot,
}

impl Archive {
    /// That of an image of a body; the layers are in `store`, or in the one that the body was built in.
    ///
    /// # Errors
    /// Refused when the store gives another image than is recorded; unable when it cannot be read.
    pub fn of(
        record: &Record,
        role: &Role,
        store: Option<Store>,
        layers: &Path,
        progress: &dyn Progress,
    ) -> Result<Self, Failure> {
        let built = record
            .body
            .images
            .of(role)
            .ok_or_else(|| Failure::from(Diagnostic::new(format!("the body has no image `{role}`"))))?;
        let store = store.or_else(|| record.body.store.clone()).unwrap_or(Store::System);
        let root = store.root();
        let elsewhere = |failure| built_elsewhere(failure, record, &store);
        let conf = if let Some(text) = record.kept.conf(role)? {
            text
        } else {
            // An older forge left it in the store alone.
            let path = root.locate(&built.conf);
            file::read_text(&path).map_err(|error| elsewhere(file::unable("read", &path, &error)))?
        };
        let conf = image::Conf::parse(&Source::new(built.conf.to_string(), conf))?;
        let image = image::prepare(&conf, &root, layers, progress).map_err(elsewhere)?;
        if image.config_digest() != built.config_digest {
            return Err(Diagnostic::new(format!(
                "the store now gives image {}, not {}",
                image.config_digest(),
                built.config_digest
            ))
            .help("`lychd-forge forge` builds the body again")
            .into());
        }
        if image.own_reference() != built.reference && record.order.sequence().is_some() {
            let (now, recorded) = (image.own_reference(), &built.reference);
            return Err(Diagnostic::new(format!(
                "the record calls the image `{recorded}`, and its `conf.json` `{now}`"
            ))
            .help("`lychd-forge forge` records the body again")
            .into());
        }
        Ok(Self { image, root })
    }

    /// Brings the image into podman's storage, with its tags; returns what podman calls it. `known` is what it was called
    /// before, `scratch` where a layout may lie meanwhile.
    ///
    /// # Errors
    /// As [`Podman::load`].
    pub fn load(
        &self,
        podman: &Podman,
        known: Option<&EngineId>,
        scratch: &Path,
        progress: &dyn Progress,
    ) -> Result<EngineId, Failure> {
        Ok(podman.load(&self.image, known, &self.root, scratch, progress)?.engine_id)
    }

    /// Writes it, with both tags of the image.
    ///
    /// # Errors
    /// [`Failure::Unable`] when a layer cannot be read or `out` cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let references = [self.image.own_reference(), self.image.reference().clone()];
        image::stream(&self.image, &references, &self.root, out)
    }
}

/// What to do where the store lacks the layers.
fn built_elsewhere(failure: Failure, record: &Record, store: &Store) -> Failure {
    let help = match (&record.body.store, store) {
        (None, Store::System) => {
            "an older forge recorded the body and not its store: was it forged with `--nix-store`? Give it here too"
        }
        _ => "`lychd-forge forge` builds the body again; `--nix-store` names another store that has it",
    };
    match failure {
        Failure::Unable(mut diagnostic) => {
            diagnostic.help.push(help.to_owned());
            Failure::Unable(diagnostic)
        }
        refused @ Failure::Refused(_) => refused,
    }
}
