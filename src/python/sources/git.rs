//! Source trees out of git repositories: fetched once, pinned by full revision and NAR hash, read from git's
//! objects without a checkout.

mod fetch;
mod pins;
mod reference;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

pub use pins::{GitPin, GitPins, SCHEMA};
pub use reference::{GitRequest, Reference, ReferenceError, Revision};

use crate::{
    artifact::{Artifact, Bring},
    diagnostic::{Diagnostic, Failure},
    digest::{
        Integrity, Sha256,
        nar::{nar_bytes, nar_sha256, read_nar},
        store_path::{StoreName, StorePath},
    },
    host::file,
    lock::Mode,
    lock::{lock_changed, names::SHOWN_GIT},
    name::url::ArtifactUrl,
    tree::FileTree,
};

/// A whole tree at a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitTree {
    /// Where it is from.
    pub url: ArtifactUrl,
    /// The commit.
    pub revision: Revision,
    /// Its files.
    pub tree: FileTree,
}

impl GitTree {
    /// The tree as a file: a Nix archive, whose hash is the pin's.
    ///
    /// # Errors
    /// Never for a tree that was read here.
    pub fn archive(&self) -> Result<(Artifact, Vec<u8>), Failure> {
        let bytes = nar_bytes(&self.tree).map_err(|error| {
            Failure::unable(Diagnostic::new(format!("a git tree cannot be written: {error}")))
        })?;
        Ok((archive_of(&self.url, &self.revision, Sha256::of(&bytes)), bytes))
    }
}

/// What [`GitTree::archive`] gives for a tree of this hash.
fn archive_of(url: &ArtifactUrl, revision: &Revision, nar_sha256: Sha256) -> Artifact {
    let name = StoreName::mapped(&format!("{revision}.nar"));
    let integrity = Integrity::Sha256(nar_sha256);
    Artifact {
        label: format!("{url} at {revision}"),
        url: format!("git+{url}"),
        integrity,
        size: None,
        store_path: StorePath::of_flat_file(&integrity, &name),
        requested_by: BTreeSet::new(),
        system: false,
    }
}

/// Gives the tree for a request.
pub type BringTree<'a> = &'a dyn Fn(&GitRequest) -> Result<GitTree, Failure>;

/// The most bytes of a tree's archive: more than a tree may hold.
const ARCHIVE: u64 = 1 << 30;

/// The repositories of one run.
pub struct Repositories<'a> {
    /// The forge's cache directory.
    pub cache: &'a Path,
    /// Whether the network must not be used.
    pub offline: bool,
    /// Brings the archive of a pinned tree where its repository cannot be had.
    pub bring: Bring<'a>,
    /// The pins so far.
    pub pins: &'a GitPins,
    /// What becomes of them.
    pub mode: Mode,
    /// The trees that were asked for.
    taken: RefCell<BTreeMap<GitRequest, GitTree>>,
}

impl<'a> Repositories<'a> {
    /// None taken yet.
    #[must_use]
    pub fn new(cache: &'a Path, offline: bool, bring: Bring<'a>, pins: &'a GitPins, mode: Mode) -> Self {
        Self { cache, offline, bring, pins, mode, taken: RefCell::default() }
    }

    /// All trees that were asked for.
    #[must_use]
    pub fn trees(&self) -> Vec<GitTree> {
        self.taken.borrow().values().cloned().collect()
    }

    /// The tree that a request means: at the pinned revision, else at what the repository has now.
    ///
    /// # Errors
    /// Refused when there is no such branch or tag, the tree holds submodules or LFS pointers, its hash is not
    /// the pinned one, or there is no pin and must be one; unable when git is missing or the repository cannot
    /// be reached.
    pub fn bring(&self, request: &GitRequest) -> Result<GitTree, Failure> {
        if let Some(known) = self.taken.borrow().get(request) {
            return Ok(known.clone());
        }
        let pin = self.pins.get(request);
        if self.mode == Mode::Locked && pin.is_none() {
            let (url, reference) = (&request.url, &request.reference);
            return Err(lock_changed(format!("`{SHOWN_GIT}` has no pin of {url}, {reference}")).into());
        }
        let pin =
            pin.filter(|_| self.mode != Mode::Update || matches!(request.reference, Reference::Revision(_)));
        let (revision, tree) = match (pin, self.read(request, pin)) {
            // Where there is no network there may be the tree's archive, which `fetch --to` wrote.
            (Some(pin), Err(Failure::Unable(_))) if self.offline => {
                (pin.revision.clone(), self.read_archive(&request.url, pin)?)
            }
            (_, read) => read?,
        };
        if let Some(pin) = pin {
            let found = hash(&tree)?;
            if found != pin.nar_sha256 {
                return Err(Diagnostic::new(format!(
                    "{} at {revision} has the NAR hash {found}, not the pinned {}",
                    request.url, pin.nar_sha256
                ))
                .help("a commit never changes: find out what happened before anything else")
                .into());
            }
        }
        let tree = GitTree { url: request.url.clone(), revision, tree };
        self.taken.borrow_mut().insert(request.clone(), tree.clone());
        Ok(tree)
    }

    fn read(&self, request: &GitRequest, pin: Option<&GitPin>) -> Result<(Revision, FileTree), Failure> {
        let repository = fetch::Repository::open(self.cache, &request.url, self.offline)?;
        let revision = match (pin, &request.reference) {
            (Some(pin), _) => pin.revision.clone(),
            (None, Reference::Revision(revision)) => revision.clone(),
            (None, reference) => repository.resolve(reference)?,
        };
        let tree = repository.tree(&revision)?;
        Ok((revision, tree))
    }

    fn read_archive(&self, url: &ArtifactUrl, pin: &GitPin) -> Result<FileTree, Failure> {
        let paths = (self.bring)(&[archive_of(url, &pin.revision, pin.nar_sha256)])?;
        let path =
            paths.first().ok_or_else(|| Failure::unable(Diagnostic::new("an archive was not brought")))?;
        let bytes = file::read(path, ARCHIVE).map_err(|error| file::unable("read", path, &error))?;
        read_nar(&bytes)
            .map_err(|error| Diagnostic::new(format!("{url}: its archive is damaged: {error}")).into())
    }

    /// Pins of all that was asked for.
    ///
    /// # Errors
    /// Never for trees that were read here.
    pub fn new_pins(&self) -> Result<GitPins, Failure> {
        let mut pins = GitPins::default();
        for (request, taken) in self.taken.borrow().iter() {
            let pin = GitPin { revision: taken.revision.clone(), nar_sha256: hash(&taken.tree)? };
            pins.insert(request.clone(), pin);
        }
        Ok(pins)
    }
}

fn hash(tree: &FileTree) -> Result<Sha256, Failure> {
    nar_sha256(tree).map_err(|error| Diagnostic::new(format!("a git tree cannot be hashed: {error}")).into())
}
