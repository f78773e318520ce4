//! The hand-written Nix library (`nix/` of this project), as it was when the program was built.

use crate::tree::{Entry, FileTree, RelativePath};

/// Path, whether it is executable, bytes: written by the build script.
const FILES: &[(&str, bool, &[u8])] = include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// The library as every emitted flake carries it: `nix/` without its tests, its README and the forge's own build.
#[must_use]
pub fn library() -> FileTree {
    let mut tree = FileTree::new();
    for (path, executable, bytes) in FILES {
        if let Ok(path) = path.parse::<RelativePath>() {
            tree.insert(path, Entry::File { bytes: (*bytes).into(), executable: *executable });
        }
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_embedded_whole() {
        let on_disk = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("nix");
        let mut expected = FileTree::new();
        for (path, entry) in crate::host::file::read_tree(&on_disk).unwrap().iter() {
            let first = path.components().next();
            if first != Some("tests") && first != Some("forge") && path.as_str() != "README.md" {
                expected.insert(path.clone(), entry.clone());
            }
        }
        assert_eq!(library(), expected);
        for needed in [crate::transmute::LIBRARY_ENTRY, "debian/default.nix", "nixpkgs/default.nix"] {
            assert!(library().file(&needed.parse().unwrap()).is_some(), "{needed}");
        }
    }
}
