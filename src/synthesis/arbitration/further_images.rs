//! What a body may have besides its application's image.

use crate::{
    codex::{Codex, Substrate},
    crypt::Federation,
    diagnostic::Diagnostic,
};

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
