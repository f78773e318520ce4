//! System packages: Debian's signed index, resolved as apt does into a closed, pinned set.
//!
//! [`resolve`] is pure: it takes the lock, the index when it is at hand, and the roots, and says when it
//! cannot answer without the index. [`read_index`] is the one part that talks to a mirror.

mod closure;
pub mod index;
pub mod keys;
pub mod lock;
mod record;
pub mod relation;
pub mod release;
pub mod resolver;
pub mod roots;
mod source;
mod system;
pub mod universe;
pub mod unneeded;

use std::collections::{BTreeMap, BTreeSet};

pub use self::record::SystemPackage;
pub use self::source::{Mirrors, SystemSources, configured, read_index, read_packages};
pub use self::system::{System, SystemResolver};
use self::{
    index::Index,
    lock::{DebianLock, Pin, PlatformLock},
    universe::Universe,
};
use crate::{
    diagnostic::{Diagnostic, Failure, Place},
    digest::store_path::StoreName,
    lock::{Change, Kind, Versions, Why},
    name::{DebianName, MemberId, Platform, debian::Suite},
};

/// A system package somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// What was asked for; may be virtual.
    pub name: DebianName,
    /// Who asked; `None` is the substrate itself.
    pub requested_by: Option<MemberId>,
    /// Where it is written.
    pub place: Option<Place>,
}

/// What is to be resolved. The substrate's own roots ([`roots`]) that it asks for come on top of `roots`.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// For which platform.
    pub platform: Platform,
    /// Over which suites, in the configured order.
    pub suites: &'a [Suite],
    /// Python series, e.g. `3.13`; `None` when no Python is wanted.
    pub python: Option<&'a str>,
    /// What the members asked for.
    pub roots: &'a [Root],
    /// Whether the image is made of them too, so that its base ([`roots::BASE`]) is wanted.
    pub image: bool,
    /// The pins so far, of all platforms.
    pub lock: Option<&'a DebianLock>,
    /// Whether to take the newest versions whatever the pins say (`--update system`).
    pub update: bool,
    /// Whether something is compiled, so that the compiler is wanted beside the image.
    pub compiler: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A closed set.
    Resolved(Box<Resolution>),
    /// The lock alone does not answer: read the index and ask again.
    NeedsIndex,
}

/// A closed, pinned set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The lock with this platform's pins; other platforms' are untouched.
    pub lock: DebianLock,
    /// What changed against the given lock, by name.
    pub moved: Vec<Change>,
    platform: Platform,
    roots: Vec<Root>,
    tools: BTreeSet<DebianName>,
    /// Roots of native builds alone; none when nothing is compiled.
    compiler: BTreeSet<DebianName>,
}

/// Resolves the roots: from the lock alone when it answers for all of them, else over the index with
/// the pins kept as far as they fit.
///
/// # Errors
/// [`Failure::Refused`] when a root is unknown or ambiguous, or the set cannot be closed; it says by
/// which chain of needs and who asked.
pub fn resolve(request: &Request<'_>, index: Option<&Index>) -> Result<Outcome, Failure> {
    let tools: Vec<DebianName> = match request.python {
        Some(series) => roots::python(series)?.into(),
        None => Vec::new(),
    };
    let mut all: Vec<Root> = request.roots.to_vec();
    let own = |name| Root { name, requested_by: None, place: None };
    for name in roots::BASE.into_iter().filter(|_| request.image) {
        all.push(own(name.parse().map_err(|_| Failure::unable(Diagnostic::new("bad base package")))?));
    }
    all.extend(tools.iter().cloned().map(own));
    let image = all.len();
    if request.compiler {
        for name in roots::COMPILER {
            all.push(own(name
                .parse()
                .map_err(|_| Failure::unable(Diagnostic::new("bad compiler package")))?));
        }
        if let Some(series) = request.python {
            all.push(own(roots::python_headers(series)?));
        }
    }
    let before = request.lock.and_then(|lock| lock.platform(request.platform));
    if !request.update
        && let Some(lock) = before
        && lock.suites() == request.suites
        && let Some(kept) = from_lock(request.platform, lock, &all)?
    {
        return Ok(resolved(request, all, image, tools, kept));
    }
    let Some(index) = index else { return Ok(Outcome::NeedsIndex) };
    if index.platform() != request.platform || index.suites() != request.suites {
        return Err(Failure::unable(Diagnostic::new(
            "the package index is that of another platform or suite",
        )));
    }
    // Pins of other suites cannot be mixed in; pins of fewer suites can.
    let pinned = before
        .filter(|lock| !request.update && lock.suites().iter().all(|suite| request.suites.contains(suite)));
    let lock = over_index(request, index, pinned, &all)?;
    Ok(resolved(request, all, image, tools, lock))
}

/// `roots` are those of the image up to `image`, then those of native builds.
fn resolved(
    request: &Request<'_>,
    mut roots: Vec<Root>,
    image: usize,
    tools: Vec<DebianName>,
    lock: PlatformLock,
) -> Outcome {
    let compiler = roots.split_off(image).into_iter().map(|root| root.name).collect();
    let none = BTreeMap::new();
    let before =
        request.lock.and_then(|lock| lock.platform(request.platform)).map_or(&none, PlatformLock::packages);
    let versions = |pins: &BTreeMap<DebianName, Pin>| -> Versions {
        let version = |pin: &Pin| BTreeSet::from([pin.version.to_string()]);
        pins.iter().map(|(name, pin)| (name.to_string(), version(pin))).collect()
    };
    let (old, new) = (versions(before), versions(lock.packages()));
    let moved = Change::between(Kind::System, &old, &new, Why::moved(request.update));
    Outcome::Resolved(Box::new(Resolution {
        lock: request.lock.cloned().unwrap_or_default().with(request.platform, lock),
        moved,
        platform: request.platform,
        roots,
        tools: tools.into_iter().collect(),
        compiler,
    }))
}

/// What the roots reach over the lock's own edges; `None` when it does not answer for one of them.
fn from_lock(
    platform: Platform,
    lock: &PlatformLock,
    roots: &[Root],
) -> Result<Option<PlatformLock>, Failure> {
    if roots.iter().any(|root| lock.answer(&root.name).is_none()) {
        return Ok(None);
    }
    let names = roots.iter().map(|root| &root.name);
    let reached = reach(lock, names.clone());
    let pins = lock.packages().values().filter(|pin| reached.contains(&pin.name)).cloned().collect();
    let asked: BTreeSet<&DebianName> = names.collect();
    let aliases = lock.aliases().iter().filter(|(alias, _)| asked.contains(alias));
    let aliases = aliases.map(|(alias, target)| (alias.clone(), target.clone())).collect();
    PlatformLock::new(platform, lock.suites().to_vec(), aliases, pins).map(Some).map_err(Failure::from)
}

fn reach<'a>(
    lock: &'a PlatformLock,
    roots: impl Iterator<Item = &'a DebianName>,
) -> BTreeSet<&'a DebianName> {
    let mut reached = BTreeSet::new();
    let mut pending: Vec<&Pin> = roots.filter_map(|root| lock.answer(root)).collect();
    while let Some(pin) = pending.pop() {
        if reached.insert(&pin.name) {
            pending.extend(pin.depends.iter().filter_map(|name| lock.packages().get(name)));
        }
    }
    reached
}

/// Resolves over the index. A pin that stands in the way is released, and with it every pin that the
/// index no longer knows and that was made together with it.
fn over_index(
    request: &Request<'_>,
    index: &Index,
    lock: Option<&PlatformLock>,
    roots: &[Root],
) -> Result<PlatformLock, Failure> {
    let pinned: BTreeSet<DebianName> =
        lock.map(|lock| lock.packages().keys().cloned().collect()).unwrap_or_default();
    let mut released = BTreeSet::new();
    loop {
        let universe = Universe::new(index, lock, &released);
        let mut more: BTreeSet<DebianName> = match closure::close(&universe, lock, roots) {
            Ok(closure) => {
                let stale =
                    |pin: &&Pin| !released.contains(&pin.name) && universe.is_stale(pin.name.as_str());
                let loose = |pin: &&Pin| pin.depends.iter().any(|name| released.contains(name));
                let torn: BTreeSet<DebianName> =
                    closure.pins.iter().filter(stale).filter(loose).map(|pin| pin.name.clone()).collect();
                if torn.is_empty() {
                    tracing::debug!(
                        packages = closure.pins.len(),
                        of = closure.whole.len(),
                        "system packages"
                    );
                    return PlatformLock::new(
                        request.platform,
                        request.suites.to_vec(),
                        closure.aliases,
                        closure.pins,
                    )
                    .map_err(Failure::from);
                }
                torn
            }
            Err(unsatisfied) => {
                let blamed = unsatisfied.blamed.iter().filter_map(|name| name.parse().ok());
                let more: BTreeSet<DebianName> =
                    blamed.filter(|name| pinned.contains(name) && !released.contains(name)).collect();
                if !more.is_empty() {
                    more
                } else if released.len() < pinned.len() {
                    pinned.clone()
                } else {
                    return Err(unsatisfied.failure);
                }
            }
        };
        released.append(&mut more);
    }
}

impl Resolution {
    /// This platform's pins.
    #[must_use]
    pub fn pins(&self) -> &BTreeMap<DebianName, Pin> {
        const NONE: &BTreeMap<DebianName, Pin> = &BTreeMap::new();
        self.lock.platform(self.platform).map_or(NONE, PlatformLock::packages)
    }

    /// The packages of the Synthesis, by name; the first mirror gives the URLs.
    #[must_use]
    pub fn packages(&self, mirrors: &Mirrors) -> Vec<SystemPackage> {
        let Some(lock) = self.lock.platform(self.platform) else { return Vec::new() };
        let mut requesters: BTreeMap<&DebianName, BTreeSet<MemberId>> = BTreeMap::new();
        let members: BTreeSet<&MemberId> =
            self.roots.iter().filter_map(|root| root.requested_by.as_ref()).collect();
        for member in members {
            let own = self.roots.iter().filter(|root| root.requested_by.as_ref() == Some(member));
            for name in reach(lock, own.map(|root| &root.name)) {
                requesters.entry(name).or_default().insert(member.clone());
            }
        }
        let tools = reach(lock, self.tools.iter());
        let image = reach(lock, self.roots.iter().map(|root| &root.name));
        let compiler = self.compiled_with(lock);
        lock.packages()
            .values()
            .map(|pin| SystemPackage {
                name: pin.name.clone(),
                version: pin.version.to_string(),
                architecture: pin.architecture.clone(),
                url: format!("{}/{}", mirrors.first(pin.archive), pin.path),
                filename: StoreName::mapped(pin.path.file_name()),
                sha256: pin.sha256,
                size: pin.size,
                installed_size: pin.installed_size,
                requested_by: requesters.remove(&pin.name).unwrap_or_default(),
                dependencies: pin.depends.clone(),
                image: image.contains(&pin.name),
                tool: tools.contains(&pin.name),
                compiler: compiler.contains(&pin.name),
            })
            .collect()
    }
}

impl Resolution {
    /// What native builds have: the compiler's roots, and the `-dev` packages that members ask for.
    fn compiled_with<'a>(&'a self, lock: &'a PlatformLock) -> BTreeSet<&'a DebianName> {
        if self.compiler.is_empty() {
            return BTreeSet::new();
        }
        let asked = self.roots.iter().filter(|root| root.requested_by.is_some());
        let headers = asked.map(|root| &root.name).filter(|name| name.as_str().ends_with("-dev"));
        reach(lock, self.compiler.iter().chain(headers))
    }
}

/// What to say when no mirror has a pinned file any more.
#[must_use]
pub fn gone(name: &str, version: &str, tried: &[String], requested_by: &BTreeSet<MemberId>) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(format!(
        "system package `{name}` {version} is on no mirror any more"
    ))
    .help(
        "the archive drops superseded versions; move the pins with `lychd-forge synthesize --update system`",
    );
    if !tried.is_empty() {
        diagnostic = diagnostic.help(format!("tried {}", tried.join(", ")));
    }
    for member in requested_by {
        diagnostic = diagnostic.requested_by(member.as_str());
    }
    diagnostic
}

#[cfg(test)]
mod tests;
