//! Locks of the workspace as values: those there are, and those that were made.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::project::Project;
use crate::{
    crypt::{Member, manifest::BuildSystem},
    lock::Change,
    name::{MemberId, PackageName},
    python::{lock::UvLock, record::BuildBackend, sources::git::GitTree},
    tree::RelativePath,
};

/// The texts of existing locks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locks {
    /// [`crate::lock::names::UV`].
    pub federation: Option<String>,
    /// Those below [`crate::lock::names::BUILDS`], by build environment id.
    pub builds: BTreeMap<String, String>,
}

impl Locks {
    /// The same without the sizes of files, which an index need not tell: equal for locks that decide the same.
    #[must_use]
    pub fn without_sizes(&self) -> Self {
        let builds = self.builds.iter().map(|(id, text)| (id.clone(), without_sizes(text)));
        Self { federation: self.federation.as_deref().map(without_sizes), builds: builds.collect() }
    }
}

/// A lock as uv writes it, without every `, size = N`.
fn without_sizes(text: &str) -> String {
    let mut parts = text.split(", size = ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| kept + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// A package that is built from source and is no project of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePackage {
    /// The distribution, as the lock has it.
    pub name: PackageName,
    /// What messages call it.
    pub title: String,
    /// What it is built with.
    pub build_system: BuildSystem,
}

/// The locked federation.
#[derive(Clone, Debug, PartialEq)]
pub struct Locked {
    /// `uv.lock`.
    pub uv_lock: UvLock,
    /// Build environments, by id.
    pub builds: Vec<BuildLock>,
    /// All projects, the core first; see [`LockedProject`].
    pub projects: Vec<LockedProject>,
    /// [`BuildLock::id`] of the packages that are built from source.
    pub sources: BTreeMap<PackageName, String>,
    /// Files of members that the lock names, by the path it has.
    pub files: BTreeMap<RelativePath, Arc<[u8]>>,
    /// What moved in [`Locked::uv_lock`], then in the build environments.
    pub moved: Vec<Change>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// A locked build environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildLock {
    /// 16 hex digits of the sha256 of the sorted requirement lines.
    pub id: String,
    /// The requirements, normalised and sorted.
    pub requires: Vec<String>,
    /// Its own `uv.lock`, whose root is `virtual = "."`.
    pub uv_lock: UvLock,
}

/// A member, or a project that a member's own workspace or path sources add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedProject {
    /// The member whose tree it is in.
    pub member: MemberId,
    /// Where in that tree; `None` for the member itself.
    pub directory: Option<RelativePath>,
    /// Its `source = { virtual = "…" }` in the lock.
    pub lock_source: String,
    /// Its distribution's name.
    pub name: PackageName,
    /// Its static version; `None` when the build decides it (the lock then says `0`).
    pub version: Option<String>,
    /// [`BuildLock::id`]; `None` for a project that is no package.
    pub build_environment: Option<String>,
    /// How it is built; `None` for a project that is no package.
    pub build_backend: Option<BuildBackend>,
    /// Whether it is built with the compiler of the substrate.
    pub native: bool,
    /// Names it depends on directly, without extras and whatever the markers say.
    pub dependencies: BTreeSet<PackageName>,
    /// The repository it is out of; the member is then the one that asks for it.
    pub git: Option<GitTree>,
}

impl LockedProject {
    pub(super) fn of(project: &Project, build_environment: Option<String>, members: &[Member]) -> Self {
        let manifest = &project.manifest;
        Self {
            member: project.member.clone(),
            directory: project.directory.clone(),
            lock_source: project.staged(),
            name: project.name().clone(),
            version: manifest.project.version.as_ref().map(|version| version.value.to_string()),
            native: build_environment.is_some() && project.is_native(members),
            build_environment,
            build_backend: manifest.build_system.as_ref().map(|system| BuildBackend {
                object: system.backend.clone(),
                path: system.backend_path.clone(),
            }),
            dependencies: manifest
                .project
                .dependencies
                .iter()
                .map(|one| one.requirement.name.clone())
                .collect(),
            git: project.git.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_no_part_of_what_was_locked() {
        let lock = |first: &str, second: &str| {
            let text = format!(
                "[[package]]\nname = \"a\"\nsdist = {{ url = \"https://x/a.tar.gz\", hash = \"sha256:0\"{first} }}\nwheels = [\n    {{ url = \"https://x/a.whl\", hash = \"sha256:1\"{second}, upload-time = \"2026-01-01T00:00:00Z\" }},\n]\n"
            );
            Locks { builds: BTreeMap::from([("b".to_owned(), text.clone())]), federation: Some(text) }
        };
        let bare = lock("", "");
        for (first, second) in [(", size = 5", ", size = 1234567890"), (", size = 0", ""), ("", "")] {
            assert_eq!(lock(first, second).without_sizes(), bare);
        }
        assert_ne!(lock(", sized = 5", "").without_sizes(), bare);
    }
}
