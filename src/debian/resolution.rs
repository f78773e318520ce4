//! What came of a resolution, and what the Synthesis takes of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Mirrors, Request, Root, SystemPackage,
    lock::{DebianLock, Pin, PlatformLock},
};
use crate::{
    digest::store_path::StoreName,
    lock::{Change, Kind, Versions, Why},
    name::{DebianName, MemberId, Platform},
};

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

/// `roots` are those of the image up to `image`, then those of native builds.
pub(super) fn resolved(
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
            for name in lock.reach(own.map(|root| &root.name)) {
                requesters.entry(name).or_default().insert(member.clone());
            }
        }
        let tools = lock.reach(self.tools.iter());
        let image = lock.reach(self.roots.iter().map(|root| &root.name));
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

    /// What native builds have: the compiler's roots, and the `-dev` packages that members ask for.
    fn compiled_with<'a>(&'a self, lock: &'a PlatformLock) -> BTreeSet<&'a DebianName> {
        if self.compiler.is_empty() {
            return BTreeSet::new();
        }
        let asked = self.roots.iter().filter(|root| root.requested_by.is_some());
        let headers = asked.map(|root| &root.name).filter(|name| name.as_str().ends_with("-dev"));
        lock.reach(self.compiler.iter().chain(headers))
    }
}
