//! Where a layer's bytes come from.

use crate::digest::store_path::StorePath;

/// What a layer is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Packages at their places in the root.
    Placed {
        /// What `podman history` says of the layer: names, and nothing that another store would call otherwise.
        comment: String,
        contents: Vec<Placed>,
    },
    /// Store paths where they are, below `/nix/store`, as upstream's streamer writes them.
    Store(Vec<StorePath>),
    /// A store path that holds `layer.tar` and its `checksum`.
    Customisation(StorePath),
}

/// A store path whose content lies at a directory of the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) path: StorePath,
    /// Names from the root down, none for the root itself.
    pub(super) at: Vec<String>,
}

impl Content {
    /// The store paths that are read.
    pub(super) fn store_paths(&self) -> Vec<&StorePath> {
        match self {
            Self::Placed { contents, .. } => contents.iter().map(|placed| &placed.path).collect(),
            Self::Store(paths) => paths.iter().collect(),
            Self::Customisation(path) => vec![path],
        }
    }
}
