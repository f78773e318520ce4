//! What a walk over a lock gives: the entries of one environment.

use std::collections::{BTreeMap, BTreeSet};

use crate::{name::PackageName, python::lock::PackageIndex};

/// What an environment consists of.
#[derive(Clone, Debug)]
pub struct Closure {
    /// Entries that are installed, in the lock's order.
    pub reached: BTreeMap<PackageIndex, Reached>,
}

/// How an entry is part of the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// Source trees (members, path dependencies) and roots from which it is reached, itself left out.
    pub requested_by: BTreeSet<PackageName>,
    /// What it depends on directly in this environment, all its active extras and groups taken together.
    pub dependencies: BTreeSet<PackageName>,
}
