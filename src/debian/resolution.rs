//! What came of a resolution, and what the Synthesis takes of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Mirrors, Request, Root, SystemPackage,
    lock::{DebianLock, Pin, PlatformLock},
    record::Part,
    request::asked_by,
    unneeded::is_unneeded,
    wanted::Wanted,
};
use crate::{
    diagnostic::{Diagnostic, Failure, refuse_any},
    digest::store_path::StoreName,
    document::{Located, nearest::nearest},
    lock::{Change, Kind, Versions, Why},
    name::{DebianName, MemberId, Platform, Role},
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
    wanted: Wanted,
    /// What the image does without.
    without: BTreeSet<DebianName>,
}

pub(super) fn resolved(request: &Request<'_>, wanted: Wanted, lock: PlatformLock) -> Outcome {
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
        wanted,
        without: BTreeSet::new(),
    }))
}

impl Resolution {
    /// This platform's pins.
    #[must_use]
    pub fn pins(&self) -> &BTreeMap<DebianName, Pin> {
        const NONE: &BTreeMap<DebianName, Pin> = &BTreeMap::new();
        self.lock.platform(self.platform).map_or(NONE, PlatformLock::packages)
    }

    /// The same with an image that does without some packages, and without what only they need.
    ///
    /// # Errors
    /// [`Failure::Refused`] when somebody asks for one of them, or nothing in the image needs it.
    pub fn without(mut self, names: &[Located<DebianName>]) -> Result<Self, Failure> {
        if let Some(lock) = self.lock.platform(self.platform) {
            let asked = || self.wanted.images.values().flatten();
            let image = lock.reach(asked().map(|root| &root.name), is_needed);
            let refusal = |name: &Located<DebianName>| {
                let answers =
                    |root: &&Root| lock.answer(&root.name).is_some_and(|pin| pin.name == name.value);
                let asked: Vec<&Root> = asked().filter(answers).collect();
                refusal(name, &asked, &image)
            };
            refuse_any(names.iter().filter_map(refusal).collect())?;
        }
        self.without = names.iter().map(|name| name.value.clone()).collect();
        Ok(self)
    }

    /// The packages of the Synthesis, by name; the first mirror gives the URLs.
    #[must_use]
    pub fn packages(&self, mirrors: &Mirrors) -> Vec<SystemPackage> {
        let Some(lock) = self.lock.platform(self.platform) else { return Vec::new() };
        let mut parts = self.parts(lock);
        let mut requesters = self.requesters(lock);
        let tools = lock.reach(self.wanted.tools.iter(), is_needed);
        let compiler = self.compiled_with(lock);
        let recorded: BTreeSet<&DebianName> =
            parts.keys().copied().chain([&tools, &compiler].into_iter().flatten().copied()).collect();
        let pins = lock.packages().values().filter(|pin| recorded.contains(&pin.name));
        pins.map(|pin| SystemPackage {
            name: pin.name.clone(),
            version: pin.version.to_string(),
            architecture: pin.architecture.clone(),
            url: format!("{}/{}", mirrors.first(pin.archive), pin.path),
            filename: StoreName::mapped(pin.path.file_name()),
            sha256: pin.sha256,
            size: pin.size,
            installed_size: pin.installed_size,
            requested_by: requesters.remove(&pin.name).unwrap_or_default(),
            dependencies: pin.depends.iter().filter(|name| recorded.contains(name)).cloned().collect(),
            images: parts.remove(&pin.name).unwrap_or_default(),
            tool: tools.contains(&pin.name),
            compiler: compiler.contains(&pin.name),
        })
        .collect()
    }

    /// What each image needs of what depends on what.
    fn in_image(&self, of: &DebianName, on: &DebianName) -> bool {
        is_needed(of, on) && !self.without.contains(on)
    }

    /// What each package is to each image.
    fn parts<'a>(&'a self, lock: &'a PlatformLock) -> BTreeMap<&'a DebianName, BTreeMap<Role, Part>> {
        let mut parts: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        let Wanted { images, configure, .. } = &self.wanted;
        for (role, roots) in images {
            let names = roots.iter().map(|root| &root.name);
            if !configure.is_empty() {
                for name in lock.reach(names.clone().chain(configure), |_, _| true) {
                    parts.entry(name).or_default().insert(role.clone(), Part::Configure);
                }
            }
            for name in lock.reach(names, |of, on| self.in_image(of, on)) {
                parts.entry(name).or_default().insert(role.clone(), Part::Image);
            }
        }
        parts
    }

    /// Who has asked for something that needs a package.
    fn requesters<'a>(&'a self, lock: &'a PlatformLock) -> BTreeMap<&'a DebianName, BTreeSet<MemberId>> {
        let mut requesters: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let asked = || self.wanted.images.values().flatten();
        let members: BTreeSet<&MemberId> = asked().filter_map(|root| root.requested_by.as_ref()).collect();
        for member in members {
            let own = asked().filter(|root| root.requested_by.as_ref() == Some(member));
            for name in lock.reach(own.map(|root| &root.name), |of, on| self.in_image(of, on)) {
                requesters.entry(name).or_default().insert(member.clone());
            }
        }
        requesters
    }

    /// What native builds have: the compiler's roots, and the `-dev` packages that members ask for.
    fn compiled_with<'a>(&'a self, lock: &'a PlatformLock) -> BTreeSet<&'a DebianName> {
        let compiler = &self.wanted.compiler;
        if compiler.is_empty() {
            return BTreeSet::new();
        }
        let asked = self.wanted.vessel().iter().filter(|root| root.requested_by.is_some());
        let headers = asked.map(|root| &root.name).filter(|name| name.as_str().ends_with("-dev"));
        lock.reach(compiler.iter().chain(headers), is_needed)
    }
}

/// Whether an image, or what builds it, needs what a package depends on.
fn is_needed(of: &DebianName, on: &DebianName) -> bool {
    !is_unneeded(of.as_str(), on.as_str())
}

/// Why an image of these packages cannot be without one of them, which these roots ask for.
fn refusal(name: &Located<DebianName>, asked: &[&Root], image: &BTreeSet<&DebianName>) -> Option<Diagnostic> {
    let Located { value: name, place } = name;
    let told = |what: &str| {
        Diagnostic::new(format!("`without` in [substrate.debian]: {what} `{name}`")).at(place.clone(), "")
    };
    if !asked.is_empty() {
        return Some(asked_by(told("somebody asks for"), asked));
    }
    if image.contains(name) {
        return None;
    }
    let told = told("no package of the image needs");
    let names = || image.iter().map(|name| name.as_str());
    let longer = names().find(|other| other.starts_with(name.as_str()));
    Some(match longer.or_else(|| nearest(name.as_str(), names())) {
        Some(near) => told.help(format!("did you mean `{near}`?")),
        None => told.help("take it out of the list"),
    })
}
