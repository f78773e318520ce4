//! What lies beside `body.json`: the names of all files, what is written and what is read.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use crate::{
    crypt::federation_lock,
    diagnostic::{Diagnostic, Failure},
    digest::Sha256,
    host::file,
    name::Role,
    runes::record,
    tree::{Entry, FileTree, RelativePath, relative_path},
};

/// The record itself.
pub(super) const RECORD: &str = "body.json";
/// The Synthesis.
const SYNTHESIS: &str = "synthesis.json";
/// The directory of the flake.
const FLAKE: &str = "flake";
/// The directory of the images, one below it for each role.
const IMAGES: &str = "images";
/// The configuration of an image: the bytes that its digest is of.
const CONFIG: &str = "config.json";
/// The OCI manifest of an image.
const MANIFEST: &str = "manifest.json";
/// What an image is made of, as the streamer takes it.
const CONF: &str = "conf.json";
/// What there is to do when a file is not what it was, or is not there.
pub(super) const AGAIN: &str = "forge the body again: `lychd-forge forge`";

/// Everything a body's record has beside `body.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Canonical bytes of the Synthesis.
    pub synthesis: String,
    /// `federation.json`: what of the members shapes the units.
    pub federation: String,
    /// The locks of the Synthesis, by their names below the Crypt's `synthesis/`.
    pub locks: FileTree,
    /// `lychd.lock`.
    pub federation_lock: String,
    /// What the images were built from.
    pub flake: FileTree,
    /// Of each image.
    pub images: BTreeMap<Role, ImageEvidence>,
}

/// The exact bytes of an image's small files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageEvidence {
    /// The configuration.
    pub config: Vec<u8>,
    /// The OCI manifest.
    pub manifest: Vec<u8>,
    /// `conf.json`.
    pub conf: String,
}

impl Evidence {
    /// sha256 of `federation.json`.
    #[must_use]
    pub fn federation_sha256(&self) -> Sha256 {
        Sha256::of(&self.federation)
    }

    /// The inputs alone: the Synthesis, its locks, and what of the members shapes the units.
    #[must_use]
    pub fn inputs(&self) -> FileTree {
        let mut tree = self.locks.clone();
        tree.insert_text(relative_path!(federation_lock::NAME), &self.federation_lock);
        tree.insert_text(relative_path!(record::FILE), &self.federation);
        tree.insert_text(relative_path!(SYNTHESIS), &self.synthesis);
        tree
    }

    /// All of it, as it lies in a record.
    #[must_use]
    pub fn to_tree(&self) -> FileTree {
        let mut tree = self.inputs();
        tree.insert_tree(&relative_path!(FLAKE), &self.flake);
        for (role, image) in &self.images {
            let directory = role.directory().below(&relative_path!(IMAGES));
            let files: [(RelativePath, &[u8]); 3] = [
                (relative_path!(CONFIG), &image.config),
                (relative_path!(MANIFEST), &image.manifest),
                (relative_path!(CONF), image.conf.as_bytes()),
            ];
            for (name, bytes) in files {
                let file = Entry::File { bytes: bytes.into(), executable: false };
                tree.insert(name.below(&directory), file);
            }
        }
        tree
    }
}

/// The bytes of a file, which must have this sha256.
fn read_same(path: &Path, sha256: &Sha256) -> Result<Vec<u8>, Failure> {
    let unread = |error: io::Error| {
        let message = format!("cannot read `{}`: {error}", path.display());
        Failure::unable(Diagnostic::new(message).help(AGAIN))
    };
    let bytes = file::read(path, file::LIMIT).map_err(unread)?;
    if Sha256::of(&bytes) == *sha256 {
        return Ok(bytes);
    }
    let message = format!("`{}` is not the one that the body was forged with", path.display());
    Err(Diagnostic::new(message).help(AGAIN).into())
}

fn of_image(role: &Role, name: &str) -> String {
    format!("{IMAGES}/{}/{name}", role.as_str())
}

/// The evidence of a body as it lies on disk. No link is followed to a file of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    directory: PathBuf,
}

impl Kept {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Where it lies.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where `body.json` lies.
    #[must_use]
    pub fn record(&self) -> PathBuf {
        self.directory.join(RECORD)
    }

    /// Where `federation.json` lies.
    #[must_use]
    pub fn federation(&self) -> PathBuf {
        self.directory.join(record::FILE)
    }

    /// The bytes of `federation.json`, which must have this sha256.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it cannot be read; refused when it is not the one the body was forged with.
    pub fn read_federation(&self, sha256: &Sha256) -> Result<Vec<u8>, Failure> {
        read_same(&self.federation(), sha256)
    }

    /// Where the Synthesis lies.
    #[must_use]
    pub fn synthesis(&self) -> PathBuf {
        self.directory.join(SYNTHESIS)
    }

    /// The bytes of the Synthesis, which must have this sha256.
    ///
    /// # Errors
    /// As [`Kept::read_federation`].
    pub fn read_synthesis(&self, sha256: &Sha256) -> Result<Vec<u8>, Failure> {
        read_same(&self.synthesis(), sha256)
    }

    /// What of the configuration and the manifest of an image is not what the record says of them. A record may lack
    /// them.
    pub(super) fn wrong(&self, role: &Role, config: &Sha256, manifest: &Sha256) -> Option<String> {
        [(CONFIG, config), (MANIFEST, manifest)].into_iter().find_map(|(name, recorded)| {
            let name = of_image(role, name);
            match file::sha256(&self.directory.join(&name)) {
                Ok(found) if found == *recorded => None,
                Ok(found) => Some(format!("`{name}` has sha256 {found}, and {recorded} is recorded")),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => Some(format!("`{name}`: {error}")),
            }
        })
    }

    /// What an image is made of; `None` in a record of a forge that did not keep it.
    ///
    /// # Errors
    /// [`Failure::Unable`] when it is there and cannot be read.
    pub fn conf(&self, role: &Role) -> Result<Option<String>, Failure> {
        let path = self.directory.join(of_image(role, CONF));
        match file::read_text(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file::unable("read", &path, &error)),
        }
    }
}
