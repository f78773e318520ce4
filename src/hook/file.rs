//! Where a member's hook lies.

use crate::{crypt::Member, name::MemberId, tree::Entry};

/// The hook's file, beside the manifest.
pub(super) const FILE: &str = "register.py";

/// The hook of a member, when it has one that is the forge's to run.
#[must_use]
pub fn of(member: &Member) -> Option<&Entry> {
    if member.manifest.lychd.leaves_hook {
        return None;
    }
    member.source.tree.get(&FILE.parse().ok()?)
}

/// How a member's hook is shown.
#[must_use]
pub fn shown(member: &MemberId) -> String {
    format!("{}/{FILE}", member.directory())
}
