//! A core for tests.

use std::path::PathBuf;

use crate::{
    crypt::{Checkout, Manifest, Member, SourceTree, image_contract::CoreImage},
    digest::Sha256,
    tree::FileTree,
};

/// The core `organism`, with this after its version, and these files.
pub(super) fn core(rest: &str, files: &[(&str, &str)]) -> Member {
    let text = format!("[project]\nname = 'organism'\nversion = '1.0'\n{rest}");
    let id = "core".parse().unwrap();
    let manifest = Manifest::parse(&id, "core/pyproject.toml", text.as_bytes()).unwrap();
    let mut tree = FileTree::new();
    for (path, text) in files {
        tree.insert_text(path.parse().unwrap(), text);
    }
    let source = SourceTree { tree, nar_sha256: Sha256::of("") };
    let (directory, packages, checkout) = (PathBuf::new(), Vec::new(), Checkout::default());
    Member { id, directory, manifest, packages, source, checkout }
}

/// Its image.
pub(super) fn image(core: &Member) -> &CoreImage {
    core.manifest.lychd.image.as_ref().unwrap()
}
