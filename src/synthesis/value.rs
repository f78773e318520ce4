//! The Synthesis value and its canonical bytes (`synthesis.json`, schema `lychd-forge/synthesis/1`).
//!
//! Field order in the bytes is alphabetical whatever the order here: the writer goes through
//! `serde_json::Value`, whose maps are sorted.

pub mod node;

use std::collections::{BTreeMap, BTreeSet};

pub use node::{Asset, NodeBundled, NodeEnvironment, NodeLink, NodePackage, NodeTool};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    crypt::WorkingCopy,
    digest::Sha256,
    name::{AttributePath, DebianName, MemberId, PackageName, Platform, npm::NpmName, tree_ref::TreeRef},
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
    #[serde(flatten, serialize_with = "node::flat")]
    pub node: Option<NodeEnvironment>,
    /// Debian packages of the image and of the build tools, by name.
    pub system_packages: Vec<SystemPackage>,
    /// Locked build systems, one per distinct set of requirements.
    pub build_environments: Vec<BuildEnvironment>,
    /// What the image promises to run.
    pub image: Image,
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
    },
    /// Real nixpkgs.
    Nixpkgs {
        /// The pinned tree.
        #[serde(rename = "ref")]
        reference: TreeRef,
        /// Hash of the tree as a Nix archive, as SRI.
        #[serde(serialize_with = "sri")]
        nar_hash: Sha256,
        /// The oldest C library (major, minor) that the wheels are chosen for.
        glibc: [u16; 2],
        /// The packages of the image, by name.
        packages: Vec<NixpkgsPackage>,
    },
}

fn sri<S: serde::Serializer>(hash: &Sha256, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hash.to_sri_string())
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
    pub store_path: String,
    /// [`BuildEnvironment::id`] it is built in; `None` for a member that is not a package.
    pub build_environment: Option<String>,
    /// The PEP 517 backend, e.g. `hatchling.build`, and its `backend-path`.
    pub build_backend: Option<BuildBackend>,
    /// System packages it asked for, as it spelled them: the manifest's, then the hook's.
    pub system_dependencies: Vec<String>,
    /// Its `register(context)`, when it has one that was run.
    pub hook: Option<Hook>,
    /// Names of third-party and member distributions it depends on directly.
    pub dependencies: BTreeSet<PackageName>,
}

/// A `register(context)` that was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hook {
    /// sha256 of `register.py`.
    pub sha256: Sha256,
    /// sha256 of all it registered, as JSON without white space and with sorted keys.
    pub registered_sha256: Sha256,
    /// What ran it.
    pub engine: HookEngine,
    /// What it was held to.
    pub limits: Limits,
}

/// What one run of a hook may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Seconds of processor time.
    pub cpu_seconds: u64,
    /// Seconds from start to end.
    pub wall_seconds: u64,
    /// Bytes of address space.
    pub memory: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Open files.
    pub files: u64,
    /// Bytes of one written file, were there a place to write one.
    pub file_size: u64,
    /// Bytes of the answer.
    pub output: u64,
    /// Bytes of what it prints.
    pub messages: u64,
}

/// The sandbox of hooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HookEngine {
    /// `bubblewrap`.
    pub name: String,
    /// Version of the rules it is started with; the program's own version is the host's.
    pub version: String,
    /// sha256 of what runs beside the hook in the sandbox.
    pub sha256: Sha256,
}

/// A PEP 517 backend.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct BuildBackend {
    /// Import path of the backend object, e.g. `flit_core.buildapi`.
    pub object: String,
    /// Directories of the source tree put on `sys.path` first.
    pub path: Vec<String>,
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

/// [`PythonPackage::kind`] of a wheel.
pub const WHEEL: &str = "wheel";
/// [`PythonPackage::kind`] of a source archive.
pub const SDIST: &str = "sdist";
/// [`PythonPackage::kind`] of a source tree out of a git repository.
pub const GIT: &str = "git";

/// One package of the environment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PythonPackage {
    /// Normalised name.
    pub name: PackageName,
    /// Version as locked.
    pub version: String,
    /// Package URL, `pkg:pypi/<name>@<version>`.
    pub purl: String,
    /// [`WHEEL`], [`SDIST`] or [`GIT`].
    pub kind: &'static str,
    /// Where the lock says it is: an https URL; `member:<path>` for a file of a member's tree;
    /// `git+https://…@<revision>` for a source tree.
    pub url: String,
    /// File name, percent-decoded; the directory's name for a source tree.
    pub filename: String,
    /// Its sha256; that of the Nix archive for a source tree.
    pub sha256: Sha256,
    /// The same as SRI.
    pub sri: String,
    /// Bytes, when the lock says.
    pub size: Option<u64>,
    /// Store path of the downloaded file.
    pub store_path: String,
    /// Members that reach it.
    pub requested_by: BTreeSet<MemberId>,
    /// Names it depends on in this environment.
    pub dependencies: BTreeSet<PackageName>,
    /// Always false for wheels: the lock has the hash.
    pub completed: bool,
    /// Whether its bytes lie in the flake, so that nothing is downloaded.
    pub bundled: bool,
    /// How it becomes a wheel; `None` for one that is a wheel.
    pub build: Option<SourceBuild>,
}

/// How a source archive or tree is built.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SourceBuild {
    /// [`BuildEnvironment::id`] it is built in.
    pub environment: String,
    /// Its PEP 517 backend.
    pub backend: BuildBackend,
    /// Directory inside the source that is the project.
    pub subdirectory: Option<String>,
    /// Whether it has the compiler of the substrate.
    pub native: bool,
}

/// One Debian package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each says of one use whether it has it")]
pub struct SystemPackage {
    /// Binary package name.
    pub name: DebianName,
    /// Debian version.
    pub version: String,
    /// `pkg:deb/debian/<name>@<version>?arch=<arch>`.
    pub purl: String,
    /// Always `deb`.
    pub kind: &'static str,
    /// First mirror's URL.
    pub url: String,
    /// File name as it gets in the store.
    pub filename: String,
    /// Its sha256.
    pub sha256: Sha256,
    /// The same as SRI.
    pub sri: String,
    /// Bytes of the `.deb`.
    pub size: u64,
    /// Bytes when unpacked, as the index says.
    pub installed_size: u64,
    /// Store path of the downloaded file.
    pub store_path: String,
    /// Members that reach it; empty for the substrate's own.
    pub requested_by: BTreeSet<MemberId>,
    /// Names it depends on within the closure.
    pub dependencies: BTreeSet<DebianName>,
    /// Whether it is part of the image (else only of the build tools).
    pub image: bool,
    /// Whether the build's Python needs it.
    pub tool: bool,
    /// Whether native builds have it: the compiler, headers and what these need.
    pub compiler: bool,
    /// Always false: the signed index has the hash.
    pub completed: bool,
}

/// A locked build system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BuildEnvironment {
    /// First 16 hex digits of the sha256 of the sorted requirements.
    pub id: String,
    /// The `[build-system] requires` it answers, sorted.
    pub requires: Vec<String>,
    /// Its wheels, by name.
    pub packages: Vec<PythonPackage>,
}

/// The image contract of the core (`[tool.lychd.image]`) with its defaults filled in.
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
    /// OCI labels.
    pub labels: BTreeMap<String, String>,
    /// TCP ports the image declares.
    pub ports: BTreeSet<u16>,
}

impl Image {
    /// What starts `reference`, an image of this kind, with its ports on this host alone. Ports below 1024, which an
    /// ordinary user cannot have on the host, are 8000 above there.
    #[must_use]
    pub fn run_command(&self, reference: &str) -> String {
        let host = |port: u16| if port < 1024 { port + 8000 } else { port };
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

/// A pinned resolver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tool {
    /// Version.
    pub version: String,
    /// sha256 of the file it came in.
    pub sha256: Sha256,
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
}

impl Synthesis {
    /// The canonical bytes: sorted keys, two-space indent, LF at the end.
    ///
    /// # Errors
    /// Only when a value cannot be JSON, which these types do not allow.
    pub fn to_canonical_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(&serde_json::to_value(self)?)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The synthesis id: sha256 of the canonical bytes.
    ///
    /// # Errors
    /// As [`Synthesis::to_canonical_json`].
    pub fn id(&self) -> Result<Sha256, serde_json::Error> {
        Ok(Sha256::of(self.to_canonical_json()?))
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
            labels: BTreeMap::new(),
            ports: ports.iter().copied().collect(),
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
