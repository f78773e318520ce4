//! `body.json`: one type a schema, and what becomes of it.

use std::{collections::BTreeMap, path::PathBuf, time::SystemTime};

use serde::{Deserialize, Serialize};

use super::{
    id::BodyId,
    images::Images,
    record::{Body, BodyImage, ExecutorKind, Order, Store, SubstrateKind},
};
use crate::{
    digest::Sha256,
    image::{ConfigDigest, EngineId},
    name::Role,
};

/// The schema's id and version.
pub const SCHEMA: &str = "lychd-forge/body/2";
/// The greatest number of a record: what every JSON reader takes for the same.
const MOST: u64 = 1 << 53;

/// `body.json` as this version writes it. Keys that it does not know are left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    schema: String,
    id: BodyId,
    /// `null` only where a record of an older forge is shown, never in a file.
    sequence: Option<u64>,
    images: BTreeMap<String, WrittenImage>,
    federation_sha256: Sha256,
    executor: ExecutorKind,
    substrate: SubstrateKind,
    store: Option<PathBuf>,
    synthesis_sha256: Sha256,
    flake_nar_sha256: Sha256,
    tools: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct WrittenImage {
    config_digest: ConfigDigest,
    manifest_digest: Sha256,
    engine_id: Option<String>,
    reference: String,
    layers: usize,
    size: u64,
    store_path: String,
    conf: String,
}

impl Written {
    /// What is written of a body.
    #[must_use]
    pub fn of(body: &Body, order: Order) -> Self {
        let image = |image: &BodyImage| WrittenImage {
            config_digest: image.config_digest,
            manifest_digest: image.manifest_digest,
            engine_id: image.engine_id.as_ref().map(ToString::to_string),
            reference: image.reference.to_string(),
            layers: image.layers,
            size: image.size,
            store_path: image.store_path.to_string(),
            conf: image.conf.to_string(),
        };
        Self {
            schema: SCHEMA.to_owned(),
            id: body.id(),
            sequence: order.sequence(),
            images: body.images.iter().map(|(role, one)| (role.as_str().to_owned(), image(one))).collect(),
            federation_sha256: body.federation,
            executor: body.executor,
            substrate: body.substrate,
            store: body.store.as_ref().and_then(Store::directory).map(ToOwned::to_owned),
            synthesis_sha256: body.synthesis_sha256,
            flake_nar_sha256: body.flake_nar_sha256,
            tools: body.tools.clone(),
        }
    }
}

/// `body.json` before it had a schema; the directory was called by the image.
#[derive(Debug, Deserialize)]
struct Unversioned {
    image_id: ConfigDigest,
    manifest_digest: Sha256,
    reference: String,
    backend: ExecutorKind,
    substrate: SubstrateKind,
    synthesis_sha256: Sha256,
    flake_nar_sha256: Sha256,
    layers: usize,
    size: u64,
    store_path: String,
    conf: String,
    tools: BTreeMap<String, String>,
}

/// What a record's text says of itself.
#[derive(Debug, Default, Deserialize)]
struct Head {
    schema: Option<String>,
    sequence: Option<u64>,
}

/// The number that a record claims, also one of a schema that is not known here.
pub(super) fn claimed_sequence(text: &str) -> Option<u64> {
    serde_json::from_str::<Head>(text).ok()?.sequence.filter(|number| *number <= MOST)
}

/// The body of a `body.json`. `directory` is the name of the record's directory, `federation` the sha256 of the
/// `federation.json` beside it, and `modified` when the file was written; both are asked only for what an older forge
/// wrote. Else: why it cannot be read.
pub(super) fn read(
    directory: &str,
    text: &str,
    federation: impl FnOnce() -> Result<Sha256, String>,
    modified: impl FnOnce() -> Result<SystemTime, String>,
) -> Result<(Body, Order), String> {
    let wrong = |error: serde_json::Error| format!("`body.json` is not what a forge writes: {error}");
    let head: Head = serde_json::from_str(text).map_err(wrong)?;
    let (body, order, id) = match head.schema.as_deref() {
        None => {
            let old: Unversioned = serde_json::from_str(text).map_err(wrong)?;
            let id = old.image_id.to_string();
            (old.into_body(federation()?)?, Order::Written(modified()?), id)
        }
        Some(SCHEMA) => {
            let written: Written = serde_json::from_str(text).map_err(wrong)?;
            let sequence = written.sequence.ok_or("`body.json` has no `sequence`")?;
            if sequence > MOST {
                return Err(format!("its `sequence` is {sequence}, and no forge counts above {MOST}"));
            }
            let id = written.id;
            let body = Body::try_from(written)?;
            if body.id() != id {
                return Err(format!("its images and `federation_sha256` are not those of the body {id}"));
            }
            (body, Order::Sequence(sequence), id.to_string())
        }
        Some(other) => {
            let shown = other.escape_debug();
            return Err(format!("it is of the schema `{shown}`, and this forge reads `{SCHEMA}`"));
        }
    };
    if id == directory { Ok((body, order)) } else { Err(format!("it is the record of {id}")) }
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(key: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("`{key}`: {error}"))
}

impl TryFrom<WrittenImage> for BodyImage {
    type Error = String;

    fn try_from(written: WrittenImage) -> Result<Self, String> {
        let engine_id = written.engine_id.map(|id| parsed::<EngineId>("engine_id", &id)).transpose()?;
        Ok(Self {
            config_digest: written.config_digest,
            manifest_digest: written.manifest_digest,
            engine_id,
            reference: parsed("reference", &written.reference)?,
            layers: written.layers,
            size: written.size,
            store_path: parsed("store_path", &written.store_path)?,
            conf: parsed("conf", &written.conf)?,
        })
    }
}

impl TryFrom<Written> for Body {
    type Error = String;

    fn try_from(mut written: Written) -> Result<Self, String> {
        let mut images = BTreeMap::new();
        for (name, image) in std::mem::take(&mut written.images) {
            let role = name.parse::<Role>().map_err(|error| format!("`images`: {error}"))?;
            let image = BodyImage::try_from(image)?;
            if image.reference != image.reference.own(image.config_digest) {
                return Err(format!(
                    "its `reference` is `{}`, which is not the image's own",
                    image.reference
                ));
            }
            images.insert(role, image);
        }
        let vessel = Role::vessel();
        let image = images.remove(&vessel).ok_or_else(|| format!("it has no image `{vessel}`"))?;
        if let Some(store) = written.store.as_ref().filter(|store| !store.is_absolute()) {
            return Err(format!("`store` is `{}`, not an absolute path", store.display()));
        }
        Ok(Self {
            images: Images { vessel: image, further: images },
            federation: written.federation_sha256,
            executor: written.executor,
            substrate: written.substrate,
            store: Some(Store::of(written.store)),
            synthesis_sha256: written.synthesis_sha256,
            flake_nar_sha256: written.flake_nar_sha256,
            tools: written.tools,
        })
    }
}

impl Unversioned {
    fn into_body(self, federation: Sha256) -> Result<Body, String> {
        // That forge refused an image that podman called otherwise.
        let engine_id = self.tools.contains_key("podman").then(|| self.image_id.into());
        Ok(Body {
            images: Images {
                vessel: BodyImage {
                    config_digest: self.image_id,
                    manifest_digest: self.manifest_digest,
                    engine_id,
                    reference: parsed("reference", &self.reference)?,
                    layers: self.layers,
                    size: self.size,
                    store_path: parsed("store_path", &self.store_path)?,
                    conf: parsed("conf", &self.conf)?,
                },
                further: BTreeMap::new(),
            },
            federation,
            executor: self.backend,
            substrate: self.substrate,
            store: None,
            synthesis_sha256: self.synthesis_sha256,
            flake_nar_sha256: self.flake_nar_sha256,
            tools: self.tools,
        })
    }
}
