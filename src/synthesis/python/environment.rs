//! The environment as artifacts: every wheel with a judged URL and a sound hash, or the reason why not.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXUPPER;

use super::{
    closure::{Closure, Reached, closure},
    selection::Selection,
    target::Target,
    wheel,
};
use crate::{
    diagnostic::{Diagnostic, Failure, refuse_any},
    digest::{
        Integrity, Sha256,
        store_path::{StoreName, StorePath},
    },
    lock::uv::{Package, Source, UvLock, Wheel, WheelLocation},
    name::{
        MemberId, PackageName,
        url::{ArtifactUrl, HostPolicy, UrlError},
    },
    synthesis::value::PythonPackage,
};

/// The public index, whose packages need no qualifier in a package URL.
const PYPI: &str = "https://pypi.org/simple";
/// How many file names a message lists.
const LISTED: usize = 12;

/// Everything one Python environment consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonEnvironment {
    /// Wheels, by name.
    pub packages: Vec<EnvironmentPackage>,
    /// Source trees, by name.
    pub members: Vec<EnvironmentMember>,
    /// What the reader of the lock ignored.
    pub notes: Vec<Diagnostic>,
}

/// One wheel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentPackage {
    /// Normalised name.
    pub name: PackageName,
    /// Version as locked.
    pub version: String,
    /// Package URL.
    pub purl: String,
    /// Where it is.
    pub url: ArtifactUrl,
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

/// The environment that `uv sync --frozen --no-build` would make of this lock, on this target.
///
/// # Errors
/// As [`closure`]; then for every package of it all that stands against it: no wheel for the target, a source
/// that is not carried yet, a missing or weak hash, a URL that the policy refuses. Each names the place in the
/// lock and who asked for the package.
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
            return Err(Box::new(at_source(format!("{id} comes from git, which is not carried yet"))));
        }
        Source::Registry(index) => judge_index(index, policy)
            .map_err(|reason| Box::new(at_source(format!("the index of {id} is refused: {reason}"))))?,
        _ => {}
    }
    let wheel = choose(lock, package, target, selection)?;
    let at_wheel = |message: String| Box::new(Diagnostic::new(message).at(lock.at(&wheel.span), ""));
    let file = wheel.file_name.escape_debug();
    let sha256 = match &wheel.hash {
        Some(Ok(Integrity::Sha256(hash))) => *hash,
        Some(Ok(_)) => return Err(at_wheel(format!("`{file}` is locked with a hash other than sha256"))),
        Some(Err(error)) => return Err(at_wheel(format!("the hash of `{file}` is refused: {error}"))),
        None => {
            let refusal = at_wheel(format!("the lock has no hash for `{file}`"));
            return Err(Box::new(refusal.help(
                "uv locks files of a local find-links folder without hash: use an index, or a direct path to the wheel",
            )));
        }
    };
    let url = match &wheel.location {
        WheelLocation::Url(url) => url,
        WheelLocation::Local(path) => {
            let path = path.escape_debug();
            return Err(at_wheel(format!("{id} is a local file, `{path}`, which is not carried yet")));
        }
    };
    let url = policy.check(url).map_err(|error| {
        let refusal = at_wheel(format!("the URL of {id} is refused: {error}"));
        match error {
            UrlError::Host { host } => Box::new(
                refusal.help(format!("add \"{}\" to `[policy] hosts` in forge.toml", host.escape_debug())),
            ),
            _ => refusal,
        }
    })?;
    Ok(EnvironmentPackage {
        name: id.name.clone(),
        version: id.version.as_ref().unwrap_or(&wheel.tags.version).to_string(),
        purl: purl(package, wheel),
        url,
        filename: wheel.file_name.clone(),
        sha256,
        size: wheel.size,
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

fn choose<'l>(
    lock: &UvLock,
    package: &'l Package,
    target: &Target,
    selection: &Selection,
) -> Result<&'l Wheel, Box<Diagnostic>> {
    let id = &package.id;
    let forbidden = selection.no_binary.contains(&id.name);
    if !forbidden && let Some(wheel) = wheel::best(&package.wheels, target) {
        return Ok(wheel);
    }
    let message = if forbidden {
        format!("{id} must be built from source (`no-binary`), which is not built yet")
    } else if package.wheels.is_empty() {
        format!("{id} has no wheel at all")
    } else {
        format!("{id} has no wheel for {}", target.describe())
    };
    let mut refusal = Diagnostic::new(message).at(lock.at(&package.span), "");
    if !forbidden && !package.wheels.is_empty() {
        let names: Vec<&str> =
            package.wheels.iter().take(LISTED).map(|wheel| wheel.file_name.as_str()).collect();
        let more = package.wheels.len().saturating_sub(LISTED);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        refusal = refusal.help(format!("the lock has {}{more}", names.join(", ").escape_debug()));
    }
    let source = match (&package.sdist, &id.source) {
        (Some(_), _) | (None, Source::Url { .. } | Source::Path(_)) => {
            format!(
                "there is a source archive, but `[policy] allow-sdist = [\"{}\"]` is not built yet",
                id.name
            )
        }
        (None, _) => "the lock has no source archive of it either".to_owned(),
    };
    Err(Box::new(refusal.help(source).help("ask for a version that has a wheel, or drop what needs it")))
}

/// `pkg:pypi/<name>@<version>`, with where it came from when that is not the public index.
fn purl(package: &Package, wheel: &Wheel) -> String {
    let version = package.id.version.as_ref().unwrap_or(&wheel.tags.version).to_string();
    let purl = format!("pkg:pypi/{}@{}", package.id.name, percent_encoded(&version));
    match &package.id.source {
        Source::Registry(index) if index.trim_end_matches('/') != PYPI => {
            format!("{purl}?repository_url={}", percent_encoded(index))
        }
        Source::Url { url, .. } => format!("{purl}?download_url={}", percent_encoded(url)),
        _ => purl,
    }
}

/// The package URL specification leaves letters, digits and `.-_~:` alone.
fn percent_encoded(text: &str) -> String {
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
    /// The Synthesis's record of it. `members` says which member of the federation a distribution is; names it
    /// does not have (the generated workspace root) ask for nothing.
    #[must_use]
    pub fn to_python_package(&self, members: &BTreeMap<PackageName, MemberId>) -> PythonPackage {
        let integrity = Integrity::Sha256(self.sha256);
        PythonPackage {
            name: self.name.clone(),
            version: self.version.clone(),
            purl: self.purl.clone(),
            kind: "wheel",
            url: self.url.to_string(),
            filename: self.filename.clone(),
            sha256: self.sha256,
            sri: integrity.to_sri_string(),
            size: self.size,
            store_path: StorePath::of_flat_file(&integrity, &StoreName::mapped(&self.filename)).to_string(),
            requested_by: self.requested_by.iter().filter_map(|name| members.get(name)).cloned().collect(),
            dependencies: self.dependencies.clone(),
            completed: false,
        }
    }
}
