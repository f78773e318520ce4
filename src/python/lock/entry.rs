//! An entry as it is written: what its edges mean is not known yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use uv_pep440::Version;
use uv_pep508::MarkerTree;

use super::{Package, Source};
use crate::name::{ExtraName, GroupName, PackageName};

/// An entry before its edges are joined.
pub(super) struct Entry {
    pub(super) package: Package,
    pub(super) dependencies: Vec<Edge>,
    pub(super) optional: BTreeMap<ExtraName, Vec<Edge>>,
    pub(super) groups: BTreeMap<GroupName, Vec<Edge>>,
}

/// An edge before it is joined: what it says of the entry it means.
pub(super) struct Edge {
    pub(super) name: PackageName,
    pub(super) version: Option<Version>,
    pub(super) source: Option<Source>,
    pub(super) extras: BTreeSet<ExtraName>,
    pub(super) marker: MarkerTree,
    pub(super) span: Range<usize>,
}
