//! The federation's distributions, for those who judge them before anything is resolved.

use super::{collect, project::Project};
use crate::{
    crypt::{Manifest, Member},
    diagnostic::Diagnostic,
    name::MemberId,
    tree::RelativePath,
};

/// One distribution: a member, or a project that a member's own workspace or path sources add.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// How it is called in messages.
    pub(crate) title: String,
    /// The member whose tree it is in.
    pub(crate) member: MemberId,
    /// Where in that tree; `None` for the member itself.
    pub(crate) directory: Option<RelativePath>,
    /// Its manifest.
    pub(crate) manifest: Manifest,
}

/// All of them, the core first, with everything that is wrong with how they are told apart. When anything is, the
/// members alone are told.
pub(crate) fn parts(members: &[Member]) -> (Vec<Part>, Vec<Diagnostic>) {
    match collect::of_members(members) {
        Ok(projects) => (projects.into_iter().map(of_project).collect(), Vec::new()),
        Err(wrong) => (members.iter().map(of_member).collect(), wrong),
    }
}

fn of_project(project: Project) -> Part {
    Part {
        title: project.title(),
        member: project.member,
        directory: project.directory,
        manifest: project.manifest,
    }
}

fn of_member(member: &Member) -> Part {
    Part {
        title: member.id.to_string(),
        member: member.id.clone(),
        directory: None,
        manifest: member.manifest.clone(),
    }
}
