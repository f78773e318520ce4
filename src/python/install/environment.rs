//! The environment as artifacts: every wheel with a judged URL and a sound hash, or the reason why not.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXUPPER;

use super::{
    choice::choose,
    closure::{Closure, Reached, closure},
    selection::Selection,
    target::Target,
};
use crate::{
    diagnostic::{Diagnostic, Failure, refuse_any},
    digest::{
        Integrity, Sha256,
        store_path::{StoreName, StorePath},
    },
    name::{
        MemberId, PackageName,
        url::{ArtifactUrl, HostPolicy, UrlError},
    },
    python::{
        lock::{Package, Source, UvLock, WheelLocation},
        record::{self, PythonPackage},
    },
};

/// The public index, whose packages need no qualifier in a package URL.
const PYPI: &str = "https://pypi.org/simple";
/// How many file names a message lists.
pub(super) const LISTED: usize = 12;

/// Everything one Python environment consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonEnvironment {
    /// Wheels and source archives, by name.
    pub packages: Vec<EnvironmentPackage>,
    /// Source trees, by name.
    pub members: Vec<EnvironmentMember>,
    /// What the reader of the lock ignored.
    pub notes: Vec<Diagnostic>,
}

/// What a file of the environment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// It is installed as it is.
    Wheel,
    /// It is built into a wheel first.
    Sdist,
}

/// Where a file of the environment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// On an allowed host.
    Url(ArtifactUrl),
    /// Beside the lock, by the path that the lock has.
    Local(String),
}

/// One wheel or source archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentPackage {
    /// Normalised name.
    pub name: PackageName,
    /// Version as locked.
    pub version: String,
    /// Package URL.
    pub purl: String,
    /// What the file is.
    pub kind: FileKind,
    /// Where it is.
    pub location: Location,
    /// Directory inside a source archive that is the project.
    pub subdirectory: Option<String>,
    /// File name, not percent-encoded.
    pub filename: String,
    /// Its hash.
    pub sha256: Sha256,
    /// Bytes, when the lock says.
    pub size: Option<u64>,
    /// Source trees that reach it, by the name of their distribution.
    pub requested_by: BTreeSet<PackageName>,
    /// Names it depends on in this environment.
    pub dependencies: BTreeSet<PackageName>,
}

/// A source tree of the lock: a member of the workspace, or a path dependency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentMember {
    /// Normalised name.
    pub name: PackageName,
    /// Version as locked; `None` when the build decides it.
    pub version: Option<String>,
    /// Path of the tree as the lock has it, relative to the lock.
    pub path: String,
    /// Whether it is installed itself; a virtual one only brings its dependencies.
    pub installed: bool,
    /// Other source trees that reach it.
    pub requested_by: BTreeSet<PackageName>,
    /// Names it depends on in this environment.
    pub dependencies: BTreeSet<PackageName>,
}

/// The environment that `uv sync --frozen` would make of this lock, on this target, when it may build what
/// [`Selection::building`] allows and nothing else.
///
/// # Errors
/// As [`closure`]; then for every package of it all that stands against it: no wheel for the target and no leave
/// to build it, a source that is not carried, a missing or weak hash, a URL that the policy refuses. Each names
/// the place in the lock and who asked for the package.
pub fn environment(
    lock: &UvLock,
    target: &Target,
    selection: &Selection,
    policy: &HostPolicy,
) -> Result<PythonEnvironment, Failure> {
    let closure = closure(lock, target, selection)?;
    let mut packages = Vec::new();
    let mut members = Vec::new();
    let mut refusals = Vec::new();
    for (index, reached) in &closure.reached {
        let Some(package) = lock.package(*index) else { continue };
        if let Some(member) = member(package, reached) {
            members.push(member);
            continue;
        }
        let found = refuse_exotic(lock, &closure, package)
            .and_then(|()| artifact(lock, package, reached, target, selection, policy));
        match found {
            Ok(found) => packages.push(found),
            Err(mut refusal) => {
                let through = dependents(lock, &closure, &package.id.name);
                if let Some((_, label)) = refusal.places.first_mut()
                    && !through.is_empty()
                {
                    let names = through.iter().take(LISTED).map(|dependent| dependent.id.name.to_string());
                    *label = format!("wanted by {}", names.collect::<Vec<_>>().join(", "));
                }
                refusal.requested_by = reached.requested_by.iter().map(ToString::to_string).collect();
                refusals.push(*refusal);
            }
        }
    }
    refuse_any(refusals)?;
    packages.sort_by(|one, other| one.name.cmp(&other.name));
    members.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(PythonEnvironment { packages, members, notes: lock.notes.clone() })
}

/// What depends on `name` directly.
fn dependents<'l>(lock: &'l UvLock, closure: &Closure, name: &PackageName) -> Vec<&'l Package> {
    let direct = closure.reached.iter().filter(|(_, reached)| reached.dependencies.contains(name));
    direct.filter_map(|(index, _)| lock.package(*index)).collect()
}

/// An archive by URL is the choice of a source tree; what comes from an index may not bring one in.
fn refuse_exotic(lock: &UvLock, closure: &Closure, package: &Package) -> Result<(), Box<Diagnostic>> {
    if !matches!(package.id.source, Source::Url { .. }) {
        return Ok(());
    }
    let through = dependents(lock, closure, &package.id.name);
    if through.is_empty() || through.iter().any(|dependent| dependent.id.source.is_tree()) {
        return Ok(());
    }
    let message = format!("{} comes from a URL that no member asks for", package.id);
    Err(Box::new(Diagnostic::new(message).at(lock.at(&package.source_span), "")))
}

fn member(package: &Package, reached: &Reached) -> Option<EnvironmentMember> {
    let (path, installed) = match &package.id.source {
        Source::Directory(path) | Source::Editable(path) => (path, true),
        Source::Virtual(path) => (path, false),
        Source::Registry(_) | Source::Git(_) | Source::Url { .. } | Source::Path(_) => return None,
    };
    Some(EnvironmentMember {
        name: package.id.name.clone(),
        version: package.id.version.as_ref().map(ToString::to_string),
        path: path.clone(),
        installed,
        requested_by: reached.requested_by.clone(),
        dependencies: reached.dependencies.clone(),
    })
}

fn artifact(
    lock: &UvLock,
    package: &Package,
    reached: &Reached,
    target: &Target,
    selection: &Selection,
    policy: &HostPolicy,
) -> Result<EnvironmentPackage, Box<Diagnostic>> {
    let id = &package.id;
    let at_source = |message: String| Diagnostic::new(message).at(lock.at(&package.source_span), "");
    match &id.source {
        Source::Git(_) => {
            return Err(Box::new(at_source(format!("{id} comes from git, which this lock cannot pin"))));
        }
        Source::Registry(index) => judge_index(index, policy)
            .map_err(|reason| Box::new(at_source(format!("the index of {id} is refused: {reason}"))))?,
        _ => {}
    }
    let chosen = choose(lock, package, target, selection)?;
    let at_file = |message: String| Box::new(Diagnostic::new(message).at(lock.at(chosen.span), ""));
    let file = chosen.file_name.escape_debug();
    let sha256 = match chosen.hash {
        Some(Ok(Integrity::Sha256(hash))) => *hash,
        Some(Ok(_)) => return Err(at_file(format!("`{file}` is locked with a hash other than sha256"))),
        Some(Err(error)) => return Err(at_file(format!("the hash of `{file}` is refused: {error}"))),
        None => {
            let refusal = at_file(format!("the lock has no hash for `{file}`"));
            return Err(Box::new(refusal.help(
                "uv locks files of a local find-links folder without hash: use an index, or a direct path to the file",
            )));
        }
    };
    let location = match chosen.location {
        WheelLocation::Local(path) => Location::Local(path.clone()),
        WheelLocation::Url(url) => Location::Url(policy.check(url).map_err(|error| {
            let refusal = at_file(format!("the URL of {id} is refused: {error}"));
            match error {
                UrlError::Host { host } => Box::new(
                    refusal
                        .help(format!("add \"{}\" to `[policy] hosts` in forge.toml", host.escape_debug())),
                ),
                _ => refusal,
            }
        })?),
    };
    let Some(version) = id.version.as_ref().or(chosen.version) else {
        return Err(at_file(format!("the lock has no version of {id}")));
    };
    let subdirectory = match &id.source {
        Source::Url { subdirectory, .. } if chosen.kind == FileKind::Sdist => subdirectory.clone(),
        _ => None,
    };
    Ok(EnvironmentPackage {
        name: id.name.clone(),
        version: version.to_string(),
        purl: purl(package, &version.to_string()),
        kind: chosen.kind,
        location,
        subdirectory,
        filename: chosen.file_name.to_owned(),
        sha256,
        size: chosen.size,
        requested_by: reached.requested_by.clone(),
        dependencies: reached.dependencies.clone(),
    })
}

/// A local folder is no URL: its files are refused for what they are, by name.
fn judge_index(index: &str, policy: &HostPolicy) -> Result<(), String> {
    if index.contains("://") {
        policy.check(index).map(drop).map_err(|error| error.to_string())
    } else {
        Ok(())
    }
}

/// `pkg:pypi/<name>@<version>`, with where it came from when that is not the public index.
fn purl(package: &Package, version: &str) -> String {
    let purl = format!("pkg:pypi/{}@{}", package.id.name, percent_encoded(version));
    match &package.id.source {
        Source::Registry(index) if index.trim_end_matches('/') != PYPI => {
            format!("{purl}?repository_url={}", percent_encoded(index))
        }
        Source::Url { url, .. } => format!("{purl}?download_url={}", percent_encoded(url)),
        _ => purl,
    }
}

/// How the address of a file of a member begins; its path in the federation follows.
const LOCAL: &str = "member:";

fn percent_encoded_path(path: &str) -> String {
    path.split('/').map(percent_encoded).collect::<Vec<_>>().join("/")
}

/// The package URL specification leaves letters, digits and `.-_~:` alone.
#[must_use]
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&HEXUPPER.encode(&[byte]));
        }
    }
    encoded
}

impl EnvironmentPackage {
    /// The Synthesis's record of it, as something that is not built. `members` says which member of the federation
    /// a distribution is; names it does not have (the generated workspace root) ask for nothing.
    #[must_use]
    pub fn to_python_package(&self, members: &BTreeMap<PackageName, MemberId>) -> PythonPackage {
        let integrity = Integrity::Sha256(self.sha256);
        let (url, bundled) = match &self.location {
            Location::Url(url) => (url.to_string(), false),
            Location::Local(path) => (format!("{LOCAL}{}", percent_encoded_path(path)), true),
        };
        PythonPackage {
            name: self.name.clone(),
            version: self.version.clone(),
            purl: self.purl.clone(),
            kind: match self.kind {
                FileKind::Wheel => record::WHEEL,
                FileKind::Sdist => record::SDIST,
            },
            url,
            filename: self.filename.clone(),
            sha256: self.sha256,
            sri: integrity.to_sri_string(),
            size: self.size,
            store_path: StorePath::of_flat_file(&integrity, &StoreName::mapped(&self.filename)).to_string(),
            requested_by: self.requested_by.iter().filter_map(|name| members.get(name)).cloned().collect(),
            dependencies: self.dependencies.clone(),
            completed: false,
            bundled,
            build: None,
        }
    }
}
