//! An image of which everything but the layers' bytes is known: fresh from a build, or of a body that was built before.

use std::path::Path;

use super::executor::{Executor, Outputs};
use crate::{
    body::{Body, BodyImage, ImageEvidence, Images, Listing, Record, Store},
    diagnostic::{Failure, Source},
    digest::Sha256,
    host::{file, progress::Progress},
    image::{self, Image},
};

/// What was built, and the image that is made of it.
#[derive(Debug)]
pub(super) struct Built {
    /// Where it lies.
    pub(super) outputs: Outputs,
    /// What the image is made of, as text.
    conf: String,
    /// The image.
    pub(super) image: Image,
}

impl Built {
    /// Reads what a build gave; layers are digested, or their digests taken from `layers`.
    ///
    /// # Errors
    /// Refused when the store holds no image of ours; unable when it cannot be read.
    pub(super) fn read(
        outputs: Outputs,
        store: &Store,
        layers: &Path,
        progress: &dyn Progress,
    ) -> Result<Self, Failure> {
        let path = store.root().locate(&outputs.conf);
        let conf = file::read_text(&path).map_err(|error| file::unable("read", &path, &error))?;
        let parsed = image::Conf::parse(&Source::new(outputs.conf.to_string(), conf.as_str()))?;
        let image = image::prepare(&parsed, &store.root(), layers, progress)?;
        Ok(Self { outputs, conf, image })
    }

    /// The images, by these repositories, of a body of the very same flake, when they are still in the store. A record may have been changed:
    /// what it names counts when it gives the images that are recorded.
    ///
    /// # Errors
    /// [`Failure::Unable`] when the store cannot be looked into.
    pub(super) fn known(
        listing: &Listing,
        flake: &Sha256,
        names: &Images<String>,
        executor: &dyn Executor,
        layers: &Path,
        progress: &dyn Progress,
    ) -> Result<Option<Images<Self>>, Failure> {
        let is_same = |record: &&Record| {
            let roles = record.body.images.further.keys();
            record.body.flake_nar_sha256 == *flake && roles.eq(names.further.keys())
        };
        for record in listing.records.iter().filter(is_same) {
            let outputs = record
                .body
                .images
                .map(|image| Outputs { store_path: image.store_path.clone(), conf: image.conf.clone() });
            let held = outputs.try_map(|_, outputs| executor.holds(outputs))?;
            if held.iter().any(|(_, held)| !held) {
                continue;
            }
            let read = outputs.try_map(|role, outputs| {
                let built = Self::read(outputs.clone(), &executor.store(), layers, progress).ok();
                let recorded = record.body.images.of(role).map(|image| image.config_digest);
                let name = names.of(role).map(String::as_str);
                let is_right = |built: &Self| {
                    Some(built.image.config_digest()) == recorded
                        && Some(built.image.reference().name()) == name
                };
                built.filter(is_right).ok_or(())
            });
            match read {
                Ok(built) => return Ok(Some(built)),
                Err(()) => progress.note(&format!(
                    "the record of the body {} is not right: it is built again",
                    record.body.id().short(12)
                )),
            }
        }
        Ok(None)
    }

    /// The image as a record has it. What podman calls it is not known yet.
    #[must_use]
    pub(super) fn record(&self) -> BodyImage {
        BodyImage {
            config_digest: self.image.config_digest(),
            manifest_digest: self.image.manifest_digest(),
            engine_id: None,
            reference: self.image.own_reference(),
            layers: self.image.layers().len(),
            size: self.image.size(),
            store_path: self.outputs.store_path.clone(),
            conf: self.outputs.conf.clone(),
        }
    }

    /// The exact bytes that a record keeps of it.
    #[must_use]
    pub(super) fn evidence(&self) -> ImageEvidence {
        ImageEvidence {
            config: self.image.config().to_owned(),
            manifest: self.image.manifest().to_owned(),
            conf: self.conf.clone(),
        }
    }
}

/// What podman called the same images, and which podman that was, holds until one answers otherwise.
pub(super) fn remember_engine(body: &mut Body, listing: &Listing) {
    for (_, image) in body.images.iter_mut() {
        let known = listing.records.iter().find_map(|record| {
            let of = |known: &BodyImage| {
                known.engine_id.clone().filter(|_| known.config_digest == image.config_digest)
            };
            let engine_id = record.body.images.iter().find_map(|(_, known)| of(known))?;
            Some((engine_id, record.body.tools.get("podman")))
        });
        if let Some((engine_id, podman)) = known {
            image.engine_id = Some(engine_id);
            body.tools.extend(podman.map(|version| ("podman".to_owned(), version.clone())));
        }
    }
}
