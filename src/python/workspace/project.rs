//! One project of the workspace, and where it is staged.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    crypt::{Manifest, Member, manifest::Dependency},
    document::{Node, Table},
    name::{GroupName, MemberId, PackageName},
    python::sources::{git::GitTree, recipe},
    tree::RelativePath,
};

/// Names of the projects that the forge itself makes up.
pub(super) const RESERVED: [&str; 2] = [FEDERATION, BUILD];
pub(super) const FEDERATION: &str = "lychd-forge-federation";
pub(super) const BUILD: &str = "lychd-forge-build";

/// One project of our workspace.
#[derive(Clone, Debug)]
pub(super) struct Project {
    pub(super) member: MemberId,
    /// Where it is within the member's tree; `None` for the member's own manifest.
    pub(super) directory: Option<RelativePath>,
    pub(super) manifest: Manifest,
    /// `[tool.uv.sources]` as it is staged.
    pub(super) sources: toml::Table,
    /// Files of its member that its sources name, by their place in the stage.
    pub(super) files: BTreeMap<RelativePath, Arc<[u8]>>,
    /// The repository it is out of, when it is in no member's tree. The member is then the one that asks for it,
    /// the directory its place in the repository's tree.
    pub(super) git: Option<GitTree>,
}

impl Project {
    /// Its directory in the staged workspace, and so its `virtual` source in `uv.lock`.
    pub(super) fn staged(&self) -> String {
        if self.git.is_some() {
            return position(self.name());
        }
        staged(&self.member, self.directory.as_ref())
    }

    /// Whether its source tree has files for a compiler. `members` are those of the federation.
    pub(super) fn is_native(&self, members: &[Member]) -> bool {
        if let Some(git) = &self.git {
            return recipe::is_native(&git.tree);
        }
        let tree = members.iter().find(|member| member.id == self.member).map(|member| &member.source.tree);
        tree.is_some_and(|tree| match &self.directory {
            Some(directory) => recipe::is_native(&tree.subtree(directory)),
            None => recipe::is_native(tree),
        })
    }

    /// Every requirement it states, those of its extras included.
    pub(super) fn asked(&self) -> impl Iterator<Item = &Dependency> {
        let project = &self.manifest.project;
        project.dependencies.iter().chain(project.optional_dependencies.values().flatten())
    }

    /// Whether an entry of its sources counts: one for a dependency group does when that belongs to the body.
    pub(super) fn has_source(&self, source: &Table) -> bool {
        let group = source.get("group").and_then(Node::as_str);
        group.is_none_or(|group| {
            group.parse().is_ok_and(|group| self.manifest.groups.contains::<GroupName>(&group))
        })
    }

    /// Its distribution's name.
    pub(super) fn name(&self) -> &PackageName {
        &self.manifest.project.name.value
    }

    /// How it is called in messages.
    pub(super) fn title(&self) -> String {
        if let Some(git) = &self.git {
            return format!("{} of {}", self.name(), git.url);
        }
        match &self.directory {
            Some(directory) => format!("{}/{directory}", self.member),
            None => self.member.to_string(),
        }
    }
}

/// Where a project out of a repository is among the others.
pub(super) fn position(name: &PackageName) -> String {
    format!("git/{name}")
}

fn staged(member: &MemberId, directory: Option<&RelativePath>) -> String {
    let member = member.flat();
    directory.map_or_else(|| format!("members/{member}"), |below| format!("members/{member}/{below}"))
}
