//! How claims are told.

use std::collections::BTreeSet;

use crate::{diagnostic::Diagnostic, name::MemberId};

/// `` `a`, `b` and `c` ``.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// Adds those who asked, each once, in their order.
pub(super) fn asked_by<'a>(
    mut diagnostic: Diagnostic,
    members: impl IntoIterator<Item = &'a MemberId>,
) -> Diagnostic {
    let mut seen = BTreeSet::new();
    let unique = members.into_iter().filter(|member| seen.insert(*member));
    diagnostic.requested_by.extend(unique.map(ToString::to_string));
    diagnostic
}
