//! Edges to the entries they mean.

use std::collections::BTreeMap;

use super::{
    Dependency, Package, PackageId, PackageIndex,
    entry::{Edge, Entry},
    fields::Findings,
};
use crate::{diagnostic::Diagnostic, name::PackageName};

/// Joins every edge to the entry it means. Version and source may be left out of an edge when its name has one
/// entry only.
pub(super) fn join(entries: Vec<Entry>, findings: &mut Findings<'_>) -> Vec<Package> {
    let mut by_name: BTreeMap<PackageName, Vec<PackageIndex>> = BTreeMap::new();
    let mut by_id: BTreeMap<PackageId, PackageIndex> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let id = &entry.package.id;
        by_name.entry(id.name.clone()).or_default().push(PackageIndex(index));
        if let Some(first) = by_id.insert(id.clone(), PackageIndex(index)) {
            let earlier = entries.get(first.0).map_or(0..0, |it| it.package.span.clone());
            findings.errors.push(
                Diagnostic::new(format!("the lock has `{id}` twice"))
                    .at(findings.text.at(entry.package.span.clone()), "again here")
                    .at(findings.text.at(earlier), "first here"),
            );
        }
    }
    let ids: Vec<PackageId> = entries.iter().map(|entry| entry.package.id.clone()).collect();
    let mut find = |edge: Edge| -> Option<Dependency> {
        let candidates = by_name.get(&edge.name).map(Vec::as_slice).unwrap_or_default();
        let meant = |index: &&PackageIndex| {
            ids.get(index.0).is_some_and(|id| {
                let source = edge.source.as_ref().is_none_or(|source| *source == id.source);
                let version = match &edge.version {
                    Some(version) => id.version.as_ref() == Some(version),
                    // A missing version among several entries means a source tree with a dynamic version.
                    None => candidates.len() == 1 || (id.version.is_none() && id.source.is_tree()),
                };
                source && version && (edge.source.is_some() || candidates.len() == 1)
            })
        };
        if let Some(&package) = candidates.iter().find(meant) {
            return Some(Dependency { package, extras: edge.extras, marker: edge.marker, span: edge.span });
        }
        let message = if candidates.is_empty() {
            format!("the lock has no package `{}`", edge.name)
        } else {
            format!("this does not say which `{}` of the lock is meant", edge.name)
        };
        findings.error(edge.span, message);
        None
    };
    let mut packages = Vec::with_capacity(entries.len());
    for entry in entries {
        let mut package = entry.package;
        package.dependencies = entry.dependencies.into_iter().filter_map(&mut find).collect();
        for (extra, edges) in entry.optional {
            package.provides_extras.insert(extra.clone());
            package.optional.insert(extra, edges.into_iter().filter_map(&mut find).collect());
        }
        for (group, edges) in entry.groups {
            package.provides_groups.insert(group.clone());
            package.groups.insert(group, edges.into_iter().filter_map(&mut find).collect());
        }
        packages.push(package);
    }
    packages
}
