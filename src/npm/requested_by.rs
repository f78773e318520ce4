//! Which members are behind an entry of the lock.

use std::collections::{BTreeMap, BTreeSet};

use super::lock::InstallPath;
use crate::name::MemberId;

/// The members that reach each place.
pub(super) type RequestedBy = BTreeMap<InstallPath, BTreeSet<MemberId>>;

/// Members as messages list them.
pub(super) fn named(members: Option<&BTreeSet<MemberId>>) -> Vec<String> {
    members.into_iter().flatten().map(ToString::to_string).collect()
}
