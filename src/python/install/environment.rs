//! The environment as artifacts: every wheel with a judged URL and a sound hash, or the reason why not.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    choice::{FileKind, LISTED, choose},
    closure::closure,
    reached::{Closure, Reached},
    selection::Selection,
    target::Target,
};
use crate::{
    artifact::Artifact,
    diagnostic::{Diagnostic, Failure, refuse_any},
    digest::{Integrity, Sha256},
    name::{
        MemberId, PackageName,
        url::{HostPolicy, UrlError},
    },
    python::{
        lock::{Package, Source, UvLock, WheelLocation},
        record::{File, Origin, PackageSource, Place, PythonPackage},
    },
};

/// The public index, whose packages need no qualifier in a package URL.
const PYPI: &str = "https://pypi.org/simple";

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

/// One wheel or source archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentPackage {
    /// Normalised name.
    pub name: PackageName,
    /// Version as locked.
    pub version: String,
    /// What the file is.
    pub kind: FileKind,
    /// The file, with its size when the lock says.
    pub file: File<Option<u64>>,
    /// Its hash.
    pub sha256: Sha256,
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
        Source::Url { .. }
        | Source::Path(_)
        | Source::Directory(_)
        | Source::Editable(_)
        | Source::Virtual(_) => {}
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
    let place = match chosen.location {
        WheelLocation::Local(path) => Place::Member(
            path.parse().map_err(|error| at_file(format!("`{file}` is no file of a member: {error}")))?,
        ),
        WheelLocation::Url(url) => Place::Download(policy.check(url).map_err(|error| {
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
    Ok(EnvironmentPackage {
        name: id.name.clone(),
        version: version.to_string(),
        kind: chosen.kind,
        file: File { place, name: chosen.file_name.to_owned(), size: chosen.size, origin: origin(package) },
        sha256,
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

fn origin(package: &Package) -> Origin {
    match &package.id.source {
        Source::Registry(index) if index.trim_end_matches('/') != PYPI => Origin::Index(index.clone()),
        Source::Url { url, .. } => Origin::Url(url.clone()),
        Source::Registry(_)
        | Source::Git(_)
        | Source::Path(_)
        | Source::Directory(_)
        | Source::Editable(_)
        | Source::Virtual(_) => Origin::Unnamed,
    }
}

impl EnvironmentPackage {
    /// The members of the federation that reach it. `members` says which one a distribution is; names it does not
    /// have (the generated workspace root) ask for nothing.
    #[must_use]
    pub fn requesters(&self, members: &BTreeMap<PackageName, MemberId>) -> BTreeSet<MemberId> {
        self.requested_by.iter().filter_map(|name| members.get(name)).cloned().collect()
    }

    /// What is downloaded of it for these members; `None` for a file of a member.
    #[must_use]
    pub fn download(&self, requested_by: BTreeSet<MemberId>) -> Option<Artifact> {
        self.file.download(format!("{} {}", self.name, self.version), self.sha256, requested_by)
    }

    /// The Synthesis's record of it, as what it became.
    #[must_use]
    pub fn record(&self, source: PackageSource, requested_by: BTreeSet<MemberId>) -> PythonPackage {
        PythonPackage {
            name: self.name.clone(),
            version: self.version.clone(),
            source,
            sha256: self.sha256,
            requested_by,
            dependencies: self.dependencies.clone(),
        }
    }
}
