//! `bodies`.

use indicatif::HumanBytes;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Digest, Page, Report};
use crate::digest::Sha256;

/// The bodies that were forged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "bodies --json", deny_unknown_fields)]
pub struct Bodies {
    /// Newest first.
    pub bodies: Vec<Body>,
}

/// A body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Body {
    /// The image ID to pin.
    pub image_id: Digest,
    /// Of the OCI manifest that the forge writes.
    pub manifest_digest: Digest,
    /// Its own tag with its repository.
    pub reference: String,
    /// What built it.
    pub backend: String,
    /// What it is built on.
    pub substrate: String,
    /// The synthesis id.
    pub synthesis_sha256: Sha256,
    /// How many layers the image has.
    pub layers: usize,
    /// Bytes of all layers, uncompressed.
    pub size: u64,
    /// The executable in the store that streams the image.
    pub store_path: String,
}

impl Report for Bodies {
    fn write(&self, page: &mut Page) {
        if self.bodies.is_empty() {
            page.remark("No body was forged yet: `lychd-forge forge` makes one.");
            return;
        }
        page.line("IMAGE ID      LAYERS        SIZE  REFERENCE");
        for body in &self.bodies {
            let (id, size) = (body.image_id.0.short(12), HumanBytes(body.size).to_string());
            page.line(format!("{id}  {:>6}  {size:>10}  {}", body.layers, body.reference));
        }
    }
}
