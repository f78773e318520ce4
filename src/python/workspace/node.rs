//! Values of manifests that are judged here: what is wrong is told where it stands.

use uv_pep508::{Requirement, VerbatimUrl, VersionOrUrl};

use crate::{
    crypt::manifest::Dependency,
    diagnostic::{Diagnostic, Place},
    document::{Node, Value},
    name::marker,
};

/// A complaint about what stands at `place`.
pub(super) fn complain(place: &Place, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(message).at(place.clone(), "")
}

/// A requirement as messages have it: its quotes stay what they are.
pub(super) fn shown(text: &str) -> String {
    text.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"")
}

pub(super) fn is_true(node: &Node) -> bool {
    node.value == Value::Boolean(true)
}

/// A requirement outside `[project]`.
pub(super) fn requirement(node: &Node) -> Result<Dependency, Diagnostic> {
    let text = node.as_str().ok_or_else(|| complain(&node.place, "a requirement must be a string"))?;
    marker::check_requirement(text).map_err(|reason| {
        complain(&node.place, format!("this is not a requirement that can be taken: {reason}"))
    })?;
    let requirement = text.parse::<Requirement<VerbatimUrl>>().map_err(|error| {
        complain(&node.place, format!("`{}` is not a requirement: {}", text.escape_debug(), error.message))
    })?;
    if matches!(requirement.version_or_url, Some(VersionOrUrl::Url(_))) {
        return Err(complain(&node.place, "this requirement must name versions, not a URL"));
    }
    Ok(Dependency { requirement, text: text.to_owned(), place: node.place.clone() })
}
