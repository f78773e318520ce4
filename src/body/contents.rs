//! What a body is made of, as its record says. Of the Synthesis that is kept with it only that is read which tells two
//! bodies apart; keys that are not known here are left alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{
    evidence::AGAIN,
    record::{Body, BodyImage, Record},
};
use crate::{
    diagnostic::{Diagnostic, Failure},
    digest::Sha256,
    image::ConfigDigest,
    name::Role,
    synthesis::value::SCHEMA,
};

/// What a body is made of. What is only there to build it with does not count, but for npm packages: what they become
/// is in the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The synthesis id.
    pub synthesis: Sha256,
    /// sha256 of `federation.json`: what of the members shapes the units.
    pub federation: Sha256,
    /// The core and the extensions, by id.
    pub members: Parts,
    /// Python packages.
    pub python: Parts,
    /// npm packages that front ends are built with.
    pub node: Parts,
    /// System packages of all images, on either substrate. On nixpkgs the version of a package is its attribute, and
    /// the pinned tree is one of them, `nixpkgs`.
    pub system: Parts,
    /// The images, by role.
    pub images: BTreeMap<Role, BuiltImage>,
}

/// Parts of one kind, by name.
pub type Parts = BTreeMap<String, Part>;

/// A member or a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// In which versions it is there: one, but for npm packages.
    pub versions: BTreeSet<Version>,
    /// The members that reach it; nobody for a member, and for what the substrate itself needs.
    pub requested_by: BTreeSet<String>,
}

/// One version of a part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// As it calls itself; `None` for a member whose build decides it.
    pub text: Option<String>,
    /// What it is: the hash of its file or tree.
    pub hash: String,
}

/// What an image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltImage {
    /// sha256 of its configuration.
    pub config_digest: ConfigDigest,
    /// Bytes of all its layers, uncompressed.
    pub size: u64,
}

impl Contents {
    /// What the body of a record is made of.
    ///
    /// # Errors
    /// [`Failure::Unable`] when the Synthesis cannot be read; refused when it is not the one the body was forged from,
    /// or is not of this forge's schema.
    pub fn read(record: &Record) -> Result<Self, Failure> {
        let synthesis = record.kept.read_synthesis(&record.body.synthesis_sha256)?;
        Self::of(&record.body, &synthesis).map_err(|reason| {
            let path = record.kept.synthesis();
            Diagnostic::new(format!("`{}` cannot be read: {reason}", path.display())).help(AGAIN).into()
        })
    }

    /// What a body is made of, with the bytes of its Synthesis.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub fn of(body: &Body, synthesis: &[u8]) -> Result<Self, String> {
        let Head { schema } = parsed(synthesis)?;
        if schema != SCHEMA {
            let shown = schema.escape_debug();
            return Err(format!("it is of the schema `{shown}`, and this forge reads `{SCHEMA}`"));
        }
        let wire: Wire = parsed(synthesis)?;
        let system = wire.system_packages.into_iter().filter(SystemPackage::is_in_an_image);
        let image = |(role, image): (Role, &BodyImage)| {
            (role, BuiltImage { config_digest: image.config_digest, size: image.size })
        };
        Ok(Self {
            synthesis: body.synthesis_sha256,
            federation: body.federation,
            members: parts(wire.members.into_iter().map(Package::from)),
            python: parts(wire.python_packages),
            node: parts(wire.node_packages),
            system: parts(system.map(|system| system.package).chain(wire.substrate.into_packages())),
            images: body.images.iter().map(image).collect(),
        })
    }
}

fn parsed<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

fn parts(packages: impl IntoIterator<Item = Package>) -> Parts {
    let mut parts = Parts::new();
    for Package { name, version, hash, requested_by } in packages {
        let part = parts.entry(name).or_default();
        part.versions.insert(Version { text: version, hash });
        part.requested_by.extend(requested_by);
    }
    parts
}

/// What any Synthesis says of itself.
#[derive(Deserialize)]
struct Head {
    schema: String,
}

/// What is read of `synthesis.json`.
#[derive(Deserialize)]
struct Wire {
    members: Vec<Member>,
    python_packages: Vec<Package>,
    node_packages: Vec<Package>,
    system_packages: Vec<SystemPackage>,
    substrate: Substrate,
}

#[derive(Deserialize)]
struct Member {
    id: String,
    version: Option<String>,
    nar_sha256: String,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: Option<String>,
    #[serde(rename = "sha256", alias = "sha512")]
    hash: String,
    requested_by: BTreeSet<String>,
}

#[derive(Deserialize)]
struct SystemPackage {
    #[serde(flatten)]
    package: Package,
    image: bool,
    #[serde(default)]
    images: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
enum Substrate {
    Debian {},
    Nixpkgs {
        #[serde(rename = "ref")]
        reference: String,
        nar_hash: String,
        packages: Vec<NixpkgsPackage>,
    },
}

#[derive(Deserialize)]
struct NixpkgsPackage {
    name: String,
    attribute: String,
    requested_by: BTreeSet<String>,
}

impl SystemPackage {
    fn is_in_an_image(&self) -> bool {
        self.image || self.images.values().any(|part| part == "image")
    }
}

impl Substrate {
    /// The packages that it has itself, and its pin.
    fn into_packages(self) -> Vec<Package> {
        let Self::Nixpkgs { reference, nar_hash, packages } = self else { return Vec::new() };
        let pin = Package {
            name: "nixpkgs".to_owned(),
            version: Some(reference),
            hash: nar_hash,
            requested_by: BTreeSet::new(),
        };
        packages.into_iter().map(Package::from).chain([pin]).collect()
    }
}

impl From<Member> for Package {
    fn from(Member { id, version, nar_sha256 }: Member) -> Self {
        Self { name: id, version, hash: nar_sha256, requested_by: BTreeSet::new() }
    }
}

impl From<NixpkgsPackage> for Package {
    fn from(NixpkgsPackage { name, attribute, requested_by }: NixpkgsPackage) -> Self {
        Self { name, version: Some(attribute.clone()), hash: attribute, requested_by }
    }
}
