//! Edges between packages, as they are written.

use std::collections::BTreeMap;

use uv_pep508::MarkerTree;

use super::{
    entry::Edge,
    fields::{Field, Findings, names, required},
    source::read_source,
};

pub(super) fn edges_by<K>(field: Field<'_, '_>, findings: &mut Findings<'_>) -> BTreeMap<K, Vec<Edge>>
where
    K: Ord + std::str::FromStr<Err: std::fmt::Display>,
{
    let mut all = BTreeMap::new();
    for (value, key) in findings.map(field, "dependencies") {
        let edges = read_edges(value, findings);
        if let Some(key) = findings.parse_key::<K>(&key, "dependencies") {
            all.insert(key, edges);
        }
    }
    all
}

pub(super) fn read_edges(field: Field<'_, '_>, findings: &mut Findings<'_>) -> Vec<Edge> {
    let mut edges = Vec::new();
    for element in findings.array(field, "dependencies") {
        let Some(mut fields) = findings.table(element, "dependencies") else { continue };
        let name = required(&mut fields, findings, "name", "a dependency");
        let version = fields.take("version").and_then(|it| findings.parse(it, "version"));
        let source = fields.take("source").and_then(|it| read_source(it, findings));
        let extras = fields.take("extra").map(|it| names(it, findings, "extra")).unwrap_or_default();
        let marker = fields.take("marker").and_then(|it| findings.marker(it, "marker"));
        fields.finish(findings, "a dependency");
        if let Some(name) = name {
            let marker = marker.unwrap_or(MarkerTree::TRUE);
            edges.push(Edge { name, version, source, extras, marker, span: element.span() });
        }
    }
    edges
}
