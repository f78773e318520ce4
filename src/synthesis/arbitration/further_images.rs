//! What a body may have besides its application's image.

use crate::{
    codex::{Codex, DatabaseImage, Substrate},
    crypt::Federation,
    diagnostic::Diagnostic,
    name::Role,
};

/// The database that the Codex wants of the body, and that the core does not make.
pub(super) fn missing(codex: &Codex, federation: &Federation) -> Option<Diagnostic> {
    let image = &codex.lychd.database.image;
    let mut made = federation.core().into_iter().flat_map(|core| &core.manifest.lychd.images);
    if image.value != DatabaseImage::Forged || made.any(|image| image.role == Role::database()) {
        return None;
    }
    let missing = Diagnostic::new("the Codex wants the database of the body, and the core makes none")
        .help(
            "add to `core/pyproject.toml`: [tool.lychd.images.database] preset = \"postgresql-17-pgvector\"",
        )
        .help("or name an image of a registry instead of `forged`");
    Some(match &image.place {
        Some(place) => missing.at(place.clone(), ""),
        None => missing,
    })
}

/// Further images of a body that is not made of Debian's packages.
pub(super) fn elsewhere(codex: &Codex, federation: &Federation) -> Vec<Diagnostic> {
    if matches!(codex.substrate, Substrate::Debian(_)) {
        return Vec::new();
    }
    let images = federation.core().into_iter().flat_map(|core| &core.manifest.lychd.images);
    let refused = images.map(|image| {
        let message = format!("the image `{}` is made of Debian's packages, and the body of nixpkgs", image.role);
        Diagnostic::new(message)
            .at(image.place.clone(), "")
            .requested_by("core")
            .help("take it out, and name an image of a registry where it is used; or build on Debian: `kind = \"debian\"` under [substrate] in forge.toml")
    });
    refused.collect()
}
