//! A project that was found, and where its sources lead.

use std::collections::BTreeMap;

use crate::{
    document::{Node, Table},
    python::workspace::project::Project,
};

/// A project that was found, with what is needed to read its sources.
pub(super) struct Found {
    pub(super) project: Project,
    /// Position in the Crypt, e.g. `extensions/relic/packages/x`.
    pub(super) position: String,
    /// Sources of the workspace it belongs to, under its own.
    pub(super) inherited: BTreeMap<String, Node>,
}

/// `path` read against `position`, without `.` and `..`; `None` when it leaves the Crypt or is absolute.
pub(super) fn resolve(position: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = position.split('/').collect();
    if path.starts_with('/') {
        return None;
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// A source is one table or a list of tables told apart by markers.
pub(super) fn alternatives(source: &Node) -> &[Node] {
    source.as_array().unwrap_or(std::slice::from_ref(source))
}

pub(super) fn own_sources(found: &Found) -> BTreeMap<String, Node> {
    let mut all = found.inherited.clone();
    all.extend(found.project.manifest.uv.table("sources").map(entries).unwrap_or_default());
    all
}

pub(super) fn entries(table: &Table) -> BTreeMap<String, Node> {
    table.iter().map(|(name, field)| (name.to_owned(), field.node.clone())).collect()
}
