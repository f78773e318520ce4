//! The Synthesis value and its canonical bytes (`synthesis.json`, schema `lychd-forge/synthesis/1`).
//!
//! Field order in the bytes is alphabetical whatever the order here: the writer goes through
//! `serde_json::Value`, whose maps are sorted.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    crypt::WorkingCopy,
    debian::{Part, SystemPackage},
    digest::{self, Sha256, store_path::StorePath},
    document::canonical_json,
    hook::record::Hook,
    name::{
        AttributePath, DebianName, LocaleName, MemberId, PackageName, Platform, Role as ImageRole,
        StopSignal, npm::NpmName, tree_ref::TreeRef,
    },
    npm::{self, record::NodeEnvironment},
    python::{BuildBackend, BuildEnvironment, PythonPackage},
    tools::Tool,
};

/// The schema's id and version.
pub const SCHEMA: &str = "lychd-forge/synthesis/1";

/// Every artifact a body is made of. Equal bytes must give equal images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Synthesis {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Version of the forge that wrote it.
    pub forge: String,
    /// Seconds since 1970 that every builder sees as the time.
    pub source_date_epoch: u64,
    /// What it was resolved for.
    pub platform: Platform,
    /// Python series, e.g. `3.13`.
    pub python: String,
    /// Where system packages and build tools come from.
    pub substrate: Substrate,
    /// Core first, then extensions by id.
    pub members: Vec<Member>,
    /// Third-party packages, by name.
    pub python_packages: Vec<PythonPackage>,
    /// The npm workspace of all members; `None` when no member has a `package.json`. Its parts are serialised as
    /// `node_packages`, `node_bundled`, `node_links`, `assets` and `node_tools`.
    #[serde(flatten, serialize_with = "npm::flattened")]
    pub node: Option<NodeEnvironment>,
    /// Debian packages of the image and of what builds it, by name.
    pub system_packages: Vec<SystemPackage>,
    /// Locked build systems, one per distinct set of requirements.
    pub build_environments: Vec<BuildEnvironment>,
    /// What the application's image promises to run.
    pub image: Image,
    /// Further images of the body, of system packages alone, by what they are for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<ImageRole, Image>,
    /// sha256 of every manifest and lock that shapes the image, by name (`core/pyproject.toml`).
    pub inputs: BTreeMap<String, Sha256>,
    /// The resolvers.
    pub tools: BTreeMap<String, Tool>,
    /// What `[policy]` allowed.
    pub policy: Policy,
}

/// Where system packages come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum Substrate {
    /// The embedded one: pinned Debian packages, nothing else.
    Debian {
        /// Suites, as configured, e.g. `trixie`.
        suites: Vec<String>,
        /// Packages that the image does without, though others depend on them.
        #[serde(skip_serializing_if = "BTreeSet::is_empty")]
        without: BTreeSet<DebianName>,
        /// Locales that are made for the image; the first is its `LANG`.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        locales: Vec<LocaleName>,
    },
    /// Real nixpkgs.
    Nixpkgs {
        /// The pinned tree.
        #[serde(rename = "ref")]
        reference: TreeRef,
        /// Hash of the tree as a Nix archive, as SRI.
        #[serde(serialize_with = "digest::serialize::sri")]
        nar_hash: Sha256,
        /// The oldest C library (major, minor) that the wheels are chosen for.
        glibc: [u16; 2],
        /// The packages of the image, by name.
        packages: Vec<NixpkgsPackage>,
    },
}

impl Substrate {
    /// `debian` or `nixpkgs`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Debian { .. } => "debian",
            Self::Nixpkgs { .. } => "nixpkgs",
        }
    }
}

/// One package of nixpkgs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NixpkgsPackage {
    /// What it was asked for as, Debian's word or nixpkgs'.
    pub name: DebianName,
    /// Where it is in nixpkgs.
    pub attribute: AttributePath,
    /// Members that ask for it; empty for what every image has.
    pub requested_by: BTreeSet<MemberId>,
    /// Where they do, `<file>:<line>:<column>`.
    pub places: BTreeSet<String>,
}

/// Where the application lives in the image.
pub const APPLICATION: &str = "/app";

/// The core or an extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Its id. A member that is a workspace of its own gives one more entry for each of its projects, whose
    /// id is the member's and the distribution's name: `vision/vision-ocr`.
    pub id: MemberId,
    /// `core` or `extension`.
    pub role: Role,
    /// Its distribution's name.
    pub name: PackageName,
    /// Its distribution's version; `None` when the build decides it.
    pub version: Option<String>,
    /// Hash of its source tree as a Nix archive.
    pub nar_sha256: Sha256,
    /// `vcs`, `revision` and `dirty`: where its repository stands. For people: what is built is the tree.
    #[serde(flatten)]
    pub working_copy: WorkingCopy,
    /// Store path its source gets.
    pub store_path: StorePath,
    /// Where its source tree lies in the image as it is, which is so of a member that is no package; `None` for a
    /// package, whose wheel is installed, and for a further project of a member, which lies in the member's tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// [`BuildEnvironment::id`] it is built in; `None` for a member that is not a package.
    pub build_environment: Option<String>,
    /// The PEP 517 backend, e.g. `hatchling.build`, and its `backend-path`.
    pub build_backend: Option<BuildBackend>,
    /// Whether it is built with the compiler of the substrate; written when it is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub native: bool,
    /// System packages it asked for, as it spelled them: the manifest's, then the hook's.
    pub system_dependencies: Vec<String>,
    /// Its `register(context)`, when it has one that was run.
    pub hook: Option<Hook>,
    /// Names of third-party and member distributions it depends on directly.
    pub dependencies: BTreeSet<PackageName>,
}

/// Core or extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The one core.
    Core,
    /// An extension.
    Extension,
}

/// The contract of an image (`[tool.lychd.image]` or one of `[tool.lychd.images]`) with its defaults filled in, and what
/// `[policy]` lets pass in the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Image {
    /// Repository name, e.g. `localhost/lychd`.
    pub name: String,
    /// Argument vector that starts the application.
    pub command: Vec<String>,
    /// The user the image declares.
    pub user: User,
    /// Environment of the running body, merged over the forge's own.
    pub environment: BTreeMap<String, String>,
    /// Directories that exist and belong to nobody in particular, absolute.
    pub directories: Vec<String>,
    /// Directories that are to outlive a container, absolute.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub volumes: BTreeSet<String>,
    /// OCI labels.
    pub labels: BTreeMap<String, String>,
    /// TCP ports the image declares.
    pub ports: BTreeSet<u16>,
    /// What asks it to end, where that is not `SIGTERM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<StopSignal>,
    /// What is started before the command, a file of the Nix library's `entry/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<&'static str>,
    /// The programs that the contract starts, by its key (`command`, `migrate`, `health`): each must be in the image.
    pub starts: BTreeMap<&'static str, String>,
    /// Whose file an absolute path is, where two packages bring it with different content: a wheel, a member's
    /// distribution or a Debian package.
    pub collisions: BTreeMap<String, String>,
    /// Libraries, by soname, that files of a package may lack.
    pub missing_libraries: BTreeMap<String, BTreeSet<String>>,
}

impl Image {
    /// How far above itself a port is published that an ordinary user cannot have: 80 becomes the usual 8080. No
    /// port of the application.
    const ABOVE: u16 = 8000;

    /// What starts `reference`, an image of this kind, with its ports on this host alone. Ports below 1024, which an
    /// ordinary user cannot have on the host, are moved up there.
    #[must_use]
    pub fn run_command(&self, reference: &str) -> String {
        let host = |port: u16| if port < 1024 { port + Self::ABOVE } else { port };
        let publish = |port: &u16| format!(" -p 127.0.0.1:{}:{port}", host(*port));
        let published: String = self.ports.iter().map(publish).collect();
        format!("podman run --rm{published} {reference}")
    }
}

/// An account in the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    /// Account name.
    pub name: String,
    /// User and group id.
    pub uid: u32,
}

/// What the Codex allowed beyond the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Extra artifact hosts.
    pub hosts: BTreeSet<String>,
    /// Packages that may be built from source.
    pub allow_sdist: BTreeSet<PackageName>,
    /// npm packages whose install scripts run.
    pub allow_scripts: BTreeSet<NpmName>,
    /// Whether a build ends where maintainer scripts do not run and would make more than is made otherwise; written when
    /// it does.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
}

impl Synthesis {
    /// The canonical bytes: sorted keys, two-space indent, LF at the end.
    #[must_use]
    pub fn to_canonical_json(&self) -> String {
        canonical_json(self)
    }

    /// Whether maintainer scripts run in its build.
    #[must_use]
    pub fn runs_scripts(&self) -> bool {
        let parts = self.system_packages.iter().flat_map(|package| package.images.values());
        parts.into_iter().any(|part| *part == Part::Configure)
    }

    /// The synthesis id: sha256 of the canonical bytes.
    #[must_use]
    pub fn id(&self) -> Sha256 {
        Sha256::of(self.to_canonical_json())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_started_with_its_own_ports() {
        let user = User { name: "lich".to_owned(), uid: 1001 };
        let image = |ports: &[u16]| Image {
            name: "localhost/lychd".to_owned(),
            command: Vec::new(),
            user: user.clone(),
            environment: BTreeMap::new(),
            directories: Vec::new(),
            volumes: BTreeSet::new(),
            labels: BTreeMap::new(),
            stop_signal: None,
            entry: None,
            starts: BTreeMap::new(),
            ports: ports.iter().copied().collect(),
            collisions: BTreeMap::new(),
            missing_libraries: BTreeMap::new(),
        };
        for (ports, want) in [
            (&[8000][..], "podman run --rm -p 127.0.0.1:8000:8000 localhost/lychd:b-1"),
            (&[9090], "podman run --rm -p 127.0.0.1:9090:9090 localhost/lychd:b-1"),
            (&[80, 9000], "podman run --rm -p 127.0.0.1:8080:80 -p 127.0.0.1:9000:9000 localhost/lychd:b-1"),
            (&[], "podman run --rm localhost/lychd:b-1"),
        ] {
            assert_eq!(image(ports).run_command("localhost/lychd:b-1"), want);
        }
    }
}
