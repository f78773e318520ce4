//! `[quadlet]` of a rune: the image of its container.

use crate::{
    diagnostic::Place,
    document::{Located, Table, reader::Reader},
    name::image::UnitImage,
};

/// How an image is written.
pub(super) const IMAGE: &str = "quadlet = { image = \"host/path@sha256:…\" }";
/// A right image, once the digits are filled in.
pub(super) const SAMPLE: &str = "ghcr.io/me/server@sha256:<64 hex digits>";

/// A right `quadlet` with this image, as TOML has it.
pub(super) fn like(image: &str) -> String {
    format!("{{ image = \"{image}\" }}")
}

/// Reads the table `quadlet` of what `reader` reads; a missing image is told at `place`.
pub(super) fn image(
    quadlet: &Table,
    reader: &mut Reader<'_, '_>,
    place: &Place,
) -> Option<Located<UnitImage>> {
    let title = format!("[quadlet] of {}", reader.title());
    let mut quadlet = Reader::new(quadlet, title, reader.errors());
    quadlet.require("image", place, IMAGE);
    quadlet.parsed::<UnitImage>("image")
}
