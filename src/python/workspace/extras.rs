//! Extras that somebody asks for: no other is staged.

use std::collections::{BTreeMap, BTreeSet};

use super::project::Project;
use crate::name::{ExtraName, PackageName};

/// The extras of projects that some project's requirements reach, by project.
pub(super) fn extras(projects: &[Project]) -> BTreeMap<PackageName, BTreeSet<ExtraName>> {
    let by_name: BTreeMap<&PackageName, &Project> = projects.iter().map(|one| (one.name(), one)).collect();
    let mut kept: BTreeMap<PackageName, BTreeSet<ExtraName>> = BTreeMap::new();
    let mut pending: Vec<_> = projects.iter().flat_map(|one| &one.manifest.project.dependencies).collect();
    while let Some(asked) = pending.pop() {
        let requirement = &asked.requirement;
        let Some(target) = by_name.get(&requirement.name) else { continue };
        for extra in &requirement.extras {
            if kept.entry(requirement.name.clone()).or_default().insert(extra.clone()) {
                pending
                    .extend(target.manifest.project.optional_dependencies.get(extra).into_iter().flatten());
            }
        }
    }
    kept
}

/// Whether `package` is a project of ours whose `extra` is staged.
pub(super) fn has_extra(projects: &[Project], package: &str, extra: &str) -> bool {
    let (Ok(package), Ok(extra)) = (package.parse::<PackageName>(), extra.parse::<ExtraName>()) else {
        return false;
    };
    let is_staged = |one: &&Project| {
        *one.name() == package && one.manifest.project.optional_dependencies.contains_key(&extra)
    };
    projects.iter().find(is_staged).is_some()
        && extras(projects).get(&package).is_some_and(|kept| kept.contains(&extra))
}
