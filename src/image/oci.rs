//! An OCI image layout in a directory, whole or without the blobs that its reader already has.
//!
//! Source: OCI image specification 1.1, "Image Layout". Podman looks a layer up by its diff ID before
//! it opens the blob, so a blob it holds need not be there.

use std::{
    collections::BTreeSet,
    io::{self, BufWriter, Write as _},
    path::Path,
};

use serde_json::json;

use super::{
    archive,
    conf::Reference,
    config::{MANIFEST_TYPE, descriptor},
    prepared::Image,
    store_root::StoreRoot,
    writer::Broken,
};
use crate::{diagnostic::Failure, digest::Sha256, document::canonical_json, host::file};

/// Writes the layout into `directory`, which must be new or empty: every small file, and the blobs of
/// the layers in `missing`. The manifest is findable by `reference`.
///
/// # Errors
/// [`Failure::Unable`] when a file cannot be read or written; [`Failure::Refused`] when a layer is no
/// longer what it was when its digest was computed.
pub fn oci_layout(
    image: &Image,
    store: &StoreRoot,
    missing: &BTreeSet<Sha256>,
    reference: &Reference,
    directory: &Path,
) -> Result<(), Failure> {
    let blobs = directory.join("blobs/sha256");
    file::create_directory(&blobs).map_err(|error| file::unable("create", &blobs, &error))?;
    let mut written = BTreeSet::new();
    for layer in image.layers.iter().filter(|layer| missing.contains(&layer.diff_id)) {
        if written.insert(layer.diff_id) {
            let path = blobs.join(layer.diff_id.to_string());
            let unable = |error: io::Error| file::unable("write", &path, &error);
            let mut out = BufWriter::with_capacity(64 << 10, file::create_new(&path).map_err(unable)?);
            archive::write_layer(image, layer, store, &mut out)
                .and_then(|()| out.flush().map_err(Broken::Sink))
                .map_err(|broken| match broken {
                    Broken::Sink(error) => unable(error),
                    Broken::Source(failure) => failure,
                })?;
        }
    }
    let mut manifest = descriptor(MANIFEST_TYPE, &image.manifest_digest(), image.manifest.len() as u64);
    if let Some(manifest) = manifest.as_object_mut() {
        let name = json!({ "org.opencontainers.image.ref.name": reference.to_string() });
        manifest.insert("annotations".to_owned(), name);
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [manifest],
    });
    for (path, bytes) in [
        (blobs.join(image.config_digest().to_string()), image.config.as_slice()),
        (blobs.join(image.manifest_digest().to_string()), &image.manifest),
        (directory.join("index.json"), canonical_json(&index).as_bytes()),
        (directory.join("oci-layout"), canonical_json(&json!({ "imageLayoutVersion": "1.0.0" })).as_bytes()),
    ] {
        let unable = |error: io::Error| file::unable("write", &path, &error);
        file::create_new(&path).and_then(|mut out| out.write_all(bytes)).map_err(unable)?;
    }
    Ok(())
}
