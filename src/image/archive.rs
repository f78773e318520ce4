//! The docker-archive on a stream: layers, configuration, manifest.
//!
//! Byte for byte what upstream's `stream_layered_image.py` writes for the same `conf.json` when the
//! store belongs to root and the one reference is that of `conf.json`.

use std::io::{self, BufWriter, Write};

use super::{
    conf::Reference,
    config,
    content::Content,
    layer,
    prepared::{Image, Layer},
    store_root::StoreRoot,
    tar::{self, Entry, Owner},
    writer::Broken,
};
use crate::{
    diagnostic::{Diagnostic, Failure},
    digest::HashWriter,
};

const BUFFER: usize = 64 << 10;

/// Writes the whole archive to `out`; who loads it gets the image under `references`. A reader that goes away early (a broken pipe) is a clean end.
///
/// # Errors
/// [`Failure::Unable`] when a file cannot be read or `out` fails; [`Failure::Refused`] when a layer is
/// no longer what it was when its digest was computed (the archive so far is then useless).
pub fn stream(
    image: &Image,
    references: &[Reference],
    store: &StoreRoot,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    match write(image, references, store, out) {
        Err(Broken::Sink(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Broken::into_failure),
    }
}

fn write(
    image: &Image,
    references: &[Reference],
    store: &StoreRoot,
    out: &mut dyn Write,
) -> Result<(), Broken> {
    let mut out = BufWriter::with_capacity(BUFFER, out);
    let mut offset = 0;
    for layer in &image.layers {
        let header = header(layer, image.attributes.mtime);
        out.write_all(&header)?;
        write_layer(image, layer, store, &mut out)?;
        tar::write_zeros(&mut out, tar::padding(layer.size))?;
        offset += header.len() as u64 + layer.size + tar::padding(layer.size);
    }
    let id = image.config_digest();
    let manifest = config::docker_manifest(id, references, &image.layers);
    let config_name = format!("{id}.json");
    for (name, bytes) in [(config_name.as_str(), &image.config), ("manifest.json", &manifest)] {
        let size = bytes.len() as u64;
        let mut header = Vec::new();
        Entry::plain(name.as_bytes(), size, image.attributes.mtime, &Owner::default()).append_to(&mut header);
        out.write_all(&header)?;
        out.write_all(bytes)?;
        tar::write_zeros(&mut out, tar::padding(size))?;
        offset += header.len() as u64 + size + tar::padding(size);
    }
    tar::write_end(&mut out, offset)?;
    out.flush()?;
    Ok(())
}

fn header(layer: &Layer, mtime: u64) -> Vec<u8> {
    let name = layer.member_name();
    let nobody = Owner::default();
    let mut header = Vec::new();
    match &layer.content {
        Content::Placed { .. } | Content::Store(_) => {
            Entry::plain(name.as_bytes(), layer.size, mtime, &nobody).append_to(&mut header);
        }
        // Upstream takes mode and owner from the file in the store: read-only, root's.
        Content::Customisation(_) => {
            let root = Owner { user: "root".to_owned(), group: "root".to_owned(), ..nobody };
            let entry = Entry::plain(name.as_bytes(), layer.size, mtime, &root);
            Entry { mode: 0o444, ..entry }.append_to(&mut header);
        }
    }
    header
}

/// The layer's bytes, which must be those whose digest is known. Each layer is hashed once a run: before,
/// by `prepare`, or here, when its digest came from the cache.
pub(super) fn write_layer(
    image: &Image,
    layer: &Layer,
    store: &StoreRoot,
    out: &mut dyn Write,
) -> Result<(), Broken> {
    let mut checked = Checked { out, hash: HashWriter::default() };
    let (hashed_now, sink): (bool, &mut dyn Write) =
        if layer.is_fresh { (false, checked.out) } else { (true, &mut checked) };
    let size = layer::write(&layer.content, &image.attributes, store, sink)?;
    let diff_id = if hashed_now { checked.hash.finish().0 } else { layer.diff_id };
    if (diff_id, size) == (layer.diff_id, layer.size) {
        return Ok(());
    }
    if let Some(slot) = &layer.cached {
        slot.remove();
    }
    Err(changed(layer).into())
}

fn changed(layer: &Layer) -> Failure {
    let message = format!("layer {} has changed since it was hashed", layer.diff_id);
    Diagnostic::new(message)
        .help("a store path was changed or built again meanwhile; run it once more, and check with `nix store verify`")
        .into()
}

/// Passes on and hashes.
struct Checked<'a> {
    out: &'a mut dyn Write,
    hash: HashWriter,
}

impl Write for Checked<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.write_all(bytes.get(..written).unwrap_or_default())?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
