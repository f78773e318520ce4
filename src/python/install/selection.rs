//! What of a lock is wanted: which packages are the roots, with which extras and groups.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    diagnostic::{Diagnostic, Failure, refuse_any},
    name::{ExtraName, GroupName, PackageName},
    python::lock::{Package, UvLock},
};

/// What of a lock is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The packages to start from.
    pub roots: BTreeMap<PackageName, Root>,
    /// Whether production dependencies are wanted at all: also those of the lock's manifest.
    pub production: bool,
    /// Whether the workspace as a whole is wanted, so that the groups of a root that is no project count.
    pub workspace: bool,
    /// Those of them that are wanted.
    pub manifest_groups: BTreeSet<GroupName>,
    /// Which packages may be built from source, and which must or must not by the members' own words.
    pub building: Building,
    /// Whether this is what something is built with: that is never built itself, whatever the policy allows.
    pub to_build_with: bool,
}

/// Packages that the policy lets be built, and uv's keys about building, united over all members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Building {
    /// `[policy] allow-sdist`.
    pub allowed: BTreeSet<PackageName>,
    /// `no-binary = true`: no wheel is used.
    pub no_binary_at_all: bool,
    /// `no-binary-package`: their wheels are not used.
    pub no_binary: BTreeSet<PackageName>,
    /// `no-build = true`: nothing is built but what `no_binary` names.
    pub no_build_at_all: bool,
    /// `no-build-package`: they are not built.
    pub no_build: BTreeSet<PackageName>,
}

impl Building {
    /// Whether wheels of `name` must not be used.
    #[must_use]
    pub fn forbids_wheel(&self, name: &PackageName) -> bool {
        self.no_binary_at_all || self.no_binary.contains(name)
    }

    /// Whether a member forbids building `name`.
    #[must_use]
    pub fn forbids_build(&self, name: &PackageName) -> bool {
        self.no_build.contains(name) || (self.no_build_at_all && !self.no_binary.contains(name))
    }
}

/// What of a root is wanted besides its production dependencies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Root {
    /// Its extras.
    pub extras: BTreeSet<ExtraName>,
    /// Its dependency groups.
    pub groups: BTreeSet<GroupName>,
}

/// Extras by name, for all roots that have them (uv's `--extra`, `--all-extras`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extras {
    /// These.
    Named(BTreeSet<ExtraName>),
    /// All.
    All,
}

/// Groups by name, for all roots that have them: uv's group options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// `[tool.uv] default-groups`; uv's own default is `dev`.
    pub default: BTreeSet<GroupName>,
    /// `--no-default-groups`.
    pub without_default: bool,
    /// `--group`.
    pub with: BTreeSet<GroupName>,
    /// `--all-groups`.
    pub all: bool,
    /// `--no-group`, and `--no-dev` for `dev`; wins over the others.
    pub without: BTreeSet<GroupName>,
    /// `--only-group`: these, and no production dependencies.
    pub only: BTreeSet<GroupName>,
}

impl Groups {
    fn contains(&self, group: &GroupName) -> bool {
        if self.without.contains(group) {
            return false;
        }
        let by_default = !self.without_default && self.only.is_empty() && self.default.contains(group);
        self.all || by_default || self.with.contains(group) || self.only.contains(group)
    }
}

impl Selection {
    /// The production dependencies of all members of the workspace (`uv sync --all-packages --no-default-groups`).
    #[must_use]
    pub fn members(lock: &UvLock) -> Self {
        Self { workspace: true, ..Self::packages(lock.members()) }
    }

    /// The production dependencies of these packages.
    pub fn packages(names: impl IntoIterator<Item = PackageName>) -> Self {
        let roots = names.into_iter().map(|name| (name, Root::default())).collect();
        Self { roots, production: true, ..Self::default() }
    }

    /// Adds extras to every root that declares them.
    ///
    /// # Errors
    /// When a named extra is declared by no root.
    pub fn with_extras(mut self, lock: &UvLock, extras: &Extras) -> Result<Self, Failure> {
        let mut found = BTreeSet::new();
        for (name, root) in &mut self.roots {
            let declared = declared(lock, name, |package| &package.provides_extras);
            root.extras = match extras {
                Extras::All => declared,
                Extras::Named(named) => declared.intersection(named).cloned().collect(),
            };
            found.extend(root.extras.iter().cloned());
        }
        match extras {
            Extras::Named(named) => refuse_missing("extra", named.difference(&found))?,
            Extras::All => {}
        }
        Ok(self)
    }

    /// Adds groups to every root that declares them, and to the manifest's.
    ///
    /// # Errors
    /// When a group that is asked for by name is declared nowhere. A default one may be missing.
    pub fn with_groups(mut self, lock: &UvLock, groups: &Groups) -> Result<Self, Failure> {
        let mut found = BTreeSet::new();
        if self.workspace {
            found.extend(lock.manifest.groups.keys().cloned());
        }
        self.production = groups.only.is_empty();
        self.manifest_groups = found.iter().filter(|group| groups.contains(group)).cloned().collect();
        for (name, root) in &mut self.roots {
            let declared = declared(lock, name, |package| &package.provides_groups);
            root.groups = declared.iter().filter(|group| groups.contains(group)).cloned().collect();
            found.extend(declared);
        }
        refuse_missing("group", groups.with.union(&groups.only).filter(|group| !found.contains(group)))?;
        Ok(self)
    }
}

fn declared<T: Ord + Clone>(
    lock: &UvLock,
    name: &PackageName,
    what: impl Fn(&Package) -> &BTreeSet<T>,
) -> BTreeSet<T> {
    let named = lock.packages.iter().filter(|package| package.id.name == *name);
    named.flat_map(|package| what(package).iter().cloned()).collect()
}

fn refuse_missing<'a, T>(what: &str, missing: impl Iterator<Item = &'a T>) -> Result<(), Failure>
where
    T: std::fmt::Display + 'a,
{
    refuse_any(
        missing.map(|name| Diagnostic::new(format!("no selected package has the {what} `{name}`"))).collect(),
    )
}
