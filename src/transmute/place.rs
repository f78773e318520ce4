//! Where things lie below the flake's root, and who asked for what is refused.

use crate::{
    diagnostic::{Diagnostic, Failure},
    name::MemberId,
    tree::RelativePath,
};

/// Where a member's sources lie below the flake's root.
///
/// # Errors
/// Never for a sound [`MemberId`].
pub(super) fn source_directory(id: &MemberId) -> Result<RelativePath, Failure> {
    path(&format!("sources/{}", id.flat()))
}

pub(super) fn path(text: &str) -> Result<RelativePath, Failure> {
    text.parse().map_err(|error| Diagnostic::new(format!("{error}")).into())
}

/// Adds those who asked.
pub(super) fn asked<'a>(diagnostic: Diagnostic, members: impl Iterator<Item = &'a MemberId>) -> Diagnostic {
    members.fold(diagnostic, |diagnostic, member| diagnostic.requested_by(member.as_str()))
}
